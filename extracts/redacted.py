"""Delivered files without a client: every other row stays as it stood, byte by byte."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TextIO, cast

from conf.notation import Notation
from tables.base import Table
from tables.identifiers import KINDS, Identifiers, bare
from tables.redaction import NewFile, may_blank, redact_file

# Whatever a file holds goes through unchanged, be it in the declared encoding or not.
ERRORS = "surrogateescape"
MARK = "\ufeff"


def redact_delivered(
    source: Path, target: Path, table: Table | None, notation: Notation, client: Identifiers
) -> NewFile | None:
    """Write a delivered file without a client.

    Args:
        source: A .parquet, .csv or .csv.gz.
        target: Where to; its name may be another.
        table: What the file should hold, if that is declared.
        notation: How a CSV is written.
        client: Who.

    Returns:
        What became of it; None, and no file, if nothing in it leads to the client.
    """
    if source.suffix == ".parquet":
        return redact_file(source, target, may_blank(table), client)
    with _read(source, notation) as lines, _write(source, target, notation) as written:
        records = records_of(lines, notation)
        rows = _Rows(next(records, ""), may_blank(table), notation, client)
        written.write(rows.header)
        for record in records:
            written.write(rows.without_client(record))
    if not rows.removed + rows.blanked:
        target.unlink()
        return None
    return NewFile(rows.removed, rows.blanked, rows.kept)


def delivered_values(
    path: Path, notation: Notation, names: Collection[str]
) -> Iterator[dict[str, str]]:
    """Some columns of a delivered text file, row by row; a column it has not is left out."""
    with _read(path, notation) as lines:
        records = records_of(lines, notation)
        header = fields_of(next(records, "").removeprefix(MARK), notation)
        places = {name: place for place, name in enumerate(map(bare, header)) if name in set(names)}
        for record in records:
            fields = fields_of(record, notation)
            yield {
                name: bare(fields[place]) for name, place in places.items() if place < len(fields)
            }


@dataclass
class _Rows:
    """Records of one file on their way.

    Attributes:
        header: The first record, as it stood.
        blankable: Columns in which nothing may stand.
    """

    header: str
    blankable: Collection[str]
    notation: Notation
    client: Identifiers
    removed: int = 0
    blanked: int = 0
    kept: int = 0
    _pattern: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        pattern = self.client.pattern
        self._pattern = re.compile(pattern) if pattern else None

    @cached_property
    def names(self) -> list[str]:
        """Of the columns."""
        return [bare(name) for name in fields_of(self.header.removeprefix(MARK), self.notation)]

    @cached_property
    def _ids(self) -> list[tuple[int, set[str]]]:
        """Places of columns with identifiers, and the client's."""
        return [
            (place, {bare(value) for value in self.client.in_column(name)})
            for place, name in enumerate(self.names)
            if name in KINDS
        ]

    def without_client(self, record: str) -> str:
        """The record as it stood, with values left out, or nothing."""
        if not record.strip("\r\n"):
            return record
        fields = fields_of(record, self.notation)
        hits = self._hits(record, fields)
        if not hits:
            self.kept += 1
            return record
        if any(
            place >= len(self.names) or self.names[place] not in self.blankable for place in hits
        ):
            self.removed += 1
            return ""
        self.blanked += 1
        self.kept += 1
        left = ["" if place in hits else text for place, text in enumerate(fields)]
        return self._as_record(left, record)

    def _hits(self, record: str, fields: Sequence[str]) -> set[int]:
        """Places of values that lead to the client."""
        hits = {
            place for place, ids in self._ids if place < len(fields) and bare(fields[place]) in ids
        }
        if self._pattern is not None and self._pattern.search(record):
            taken = {place for place, _ in self._ids}
            hits |= {
                place
                for place, text in enumerate(fields)
                if place not in taken and self._pattern.search(text)
            }
        return hits

    def _as_record(self, fields: Sequence[str], like: str) -> str:
        end = like[len(like.rstrip("\r\n")) :]
        text = io.StringIO()
        csv.writer(text, delimiter=self.notation.delimiter, lineterminator=end).writerow(fields)
        return text.getvalue()


def fields_of(record: str, notation: Notation) -> list[str]:
    """The values of one record."""
    if '"' not in record:
        return record.rstrip("\r\n").split(notation.delimiter)
    text = io.StringIO(record, newline="")
    return next(csv.reader(text, delimiter=notation.delimiter), [])


def records_of(lines: Iterable[str], notation: Notation) -> Iterator[str]:
    """Lines put together again where a quoted value goes over several."""
    mark = re.escape(notation.delimiter)
    whole = re.compile(rf'(?:^|(?<=[{mark}\r\n]))"(?:[^"]|"")*"')
    opens = re.compile(rf'(?:^|[{mark}\r\n])"')
    pending = ""
    for line in lines:
        pending += line
        if '"' in pending and opens.search(whole.sub("", pending)):
            continue
        yield pending
        pending = ""
    if pending:
        yield pending


@contextmanager
def _read(source: Path, notation: Notation) -> Iterator[TextIO]:
    with (
        gzip.open(source) if source.suffix == ".gz" else source.open("rb") as content,
        io.TextIOWrapper(
            cast("IO[bytes]", content), encoding=notation.encoding, errors=ERRORS, newline=""
        ) as text,
    ):
        yield text


@contextmanager
def _write(source: Path, target: Path, notation: Notation) -> Iterator[TextIO]:
    with target.open("wb") as file:
        # No name and no time in it, so that the same rows give the same bytes.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if source.suffix == ".gz" else file
        with io.TextIOWrapper(
            cast("IO[bytes]", packed), encoding=notation.encoding, errors=ERRORS, newline=""
        ) as text:
            yield text
