"""CSV files, read as text: in a declared encoding, and no further than they may grow."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from conf.notation import Notation
from extracts.casts import cast_text, has_invisible
from tables.base import Column, Table

BLOCK_BYTES = 8 << 20
HEADER_BYTES = 1 << 20
MEGABYTE = 1 << 20
UTF_8 = "utf-8"


class UnpacksTooFar(OSError):
    """A compressed file grows beyond what is declared."""


class _Unpacked(io.RawIOBase):
    """The content of a .gz, for as long as it stays within its limits."""

    def __init__(self, path: Path, notation: Notation) -> None:
        self._content = pa.input_stream(str(path), compression="gzip")
        self._size = 0
        ratio, megabytes = notation.max_unpacked_ratio, notation.max_unpacked_mb
        # A block is harmless, and a few short lines can be alike by chance.
        self._by_ratio = max(path.stat().st_size * ratio, BLOCK_BYTES)
        self._by_size = megabytes * MEGABYTE
        self._limits = (f"{ratio} times its size", f"{megabytes} MB")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._content.read(size if size >= 0 else None)
        self._size += len(data)
        if self._size > min(self._by_ratio, self._by_size):
            limit = self._limits[self._by_size < self._by_ratio]
            raise UnpacksTooFar(
                f"unpacks to more than {limit}. If that is right, raise max_unpacked_ratio or"
                " max_unpacked_mb in conf/sources"
            )
        return data

    def close(self) -> None:
        self._content.close()
        super().close()


def header_of(path: Path, notation: Notation) -> list[str]:
    """The names in the first line; none if the file is empty.

    Raises:
        pa.ArrowInvalid: The first line does not end.
    """
    with _open_bytes(path, notation) as content:
        start = _filled(content, HEADER_BYTES)
    encoding = "utf-8-sig" if notation.encoding == UTF_8 else notation.encoding
    # The end of the piece may lie within a character, or within a later line that is wrong.
    text = codecs.getincrementaldecoder(encoding)("strict").decode(start, final=False)
    if len(start) == HEADER_BYTES and not re.search(r"[\r\n]", text):
        raise pa.ArrowInvalid("the first line does not end")
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=notation.delimiter), [])
    return [name.strip() for name in names] if notation.is_padded else names


def text_batches(
    path: Path, header: Sequence[str], wanted: Sequence[str], notation: Notation
) -> Iterator[pa.RecordBatch]:
    """The wanted columns as text; null where nothing stands.

    Args:
        path: A .csv or .csv.gz.
        header: All names in its first line.
        wanted: The columns to read.
        notation: How the file is written.
    """
    source = _open_bytes(path, notation) if path.suffix == ".gz" else str(path)
    reader = pa_csv.open_csv(
        source,
        pa_csv.ReadOptions(
            block_size=BLOCK_BYTES,
            use_threads=False,
            encoding=notation.encoding.replace(UTF_8, "utf8"),
            # the names have been read already, without their padding
            column_names=list(header),
            skip_rows_after_names=1,
        ),
        pa_csv.ParseOptions(delimiter=notation.delimiter, newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            include_columns=list(wanted),
            null_values=["", *notation.nulls],
            strings_can_be_null=True,
        ),
    )
    with reader:
        yield from reader


def csv_batches(
    path: Path, table: Table, header: list[str], notation: Notation
) -> Iterator[pa.RecordBatch]:
    """The table's columns in its types, then which could not be read and the row as it stood.

    Yields:
        Batches of the table's columns, ``unreadable`` (names of columns) and ``raw_row`` (JSON);
        the last two are null for a row that can be read.
    """
    present = [name for name in table.column_names if name in header]
    for batch in text_batches(path, header, present, notation):
        texts = [
            batch.column(one.name) if one.name in present else pa.nulls(batch.num_rows, pa.string())
            for one in table.columns
        ]
        cast = [
            cast_text(text, one.type, notation)
            for text, one in zip(texts, table.columns, strict=True)
        ]
        masks = [mask for _, mask in cast]
        yield with_reasons(batch, table, [values for values, _ in cast], masks)


def with_reasons(
    batch: pa.RecordBatch,
    table: Table,
    arrays: Sequence[pa.Array],
    masks: Sequence[pa.Array | None],
) -> pa.RecordBatch:
    """Say which values could not be read, and take the ids with invisible characters out.

    Args:
        batch: The rows as they stood.
        table: What they are.
        arrays: Its columns in its types.
        masks: Per column, which could not be read.
    """
    columns = list(zip(table.columns, arrays, masks, strict=True))
    checked = [_checked_id(*one) if _is_id(one[0]) else one for one in columns]
    unreadable = [(column, mask) for column, _, mask in checked if mask is not None]
    reasons = _reasons(batch, unreadable)
    names = [*table.column_names, "unreadable", "raw_row"]
    return pa.record_batch([*(values for _, values, _ in checked), *reasons], names)


def safe_reason(error: Exception, notation: Notation) -> str:
    """Why a file can't be read; an engine's own message may quote a client's row."""
    message = str(error)
    if isinstance(error, UnpacksTooFar):
        return message
    if found := re.search(r"Expected (\d+) columns, got (\d+)", message):
        row = re.search(r"Row #(\d+)", message)
        where = f"line {row.group(1)}" if row else "a line"
        return f"{where} has {found.group(2)} fields, the header has {found.group(1)}"
    if isinstance(error, UnicodeError) or "UTF8" in message:
        return (
            f"is not {notation.encoding.upper()} text; deliver it so, or declare its encoding in"
            " conf/sources"
        )
    if "does not end" in message:
        return f"{message}, so it is no CSV"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"cannot be read as {'Parquet' if 'arquet' in message else 'what its name says'}"


def _is_id(column: Column) -> bool:
    return column.name.endswith("_id")


def _checked_id(
    column: Column, values: pa.Array, mask: pa.Array | None
) -> tuple[Column, pa.Array, pa.Array | None]:
    is_odd = has_invisible(values)
    if is_odd is None:
        return column, values, mask
    return column, pc.if_else(is_odd, pa.scalar(None, pa.string()), values), is_odd


def _reasons(batch: pa.RecordBatch, masks: list[tuple[Column, pa.Array]]) -> list[pa.Array]:
    if not masks:
        return [pa.nulls(batch.num_rows, kind) for kind in (pa.list_(pa.string()), pa.string())]
    unreadable: list[list[str] | None] = [None] * batch.num_rows
    raw_rows: list[str | None] = [None] * batch.num_rows
    for column, mask in masks:
        for index in pc.indices_nonzero(mask).to_pylist():
            unreadable[index] = [*(unreadable[index] or []), column.name]
            row = batch.slice(index, 1).to_pylist()[0]
            raw_rows[index] = json.dumps(row, ensure_ascii=False, default=str)
    return [pa.array(unreadable, pa.list_(pa.string())), pa.array(raw_rows, pa.string())]


def _open_bytes(path: Path, notation: Notation) -> io.RawIOBase:
    if path.suffix == ".gz":
        return _Unpacked(path, notation)
    return path.open("rb", buffering=0)


def _filled(content: io.RawIOBase, size: int) -> bytes:
    """Up to so many bytes; one read may give fewer."""
    pieces, missing = [], size
    while missing and (piece := content.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
