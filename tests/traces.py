"""Every text of a home, whatever it is packed in: to look for what should be nowhere."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FOOTER = 1 << 16


def texts_of(path: Path) -> Iterator[pa.Array]:
    """What a person could read of a file."""
    content = path.read_bytes()
    # Pages of Parquet are packed; its footer is not.
    plain = content[-FOOTER:] if path.suffix == ".parquet" else content
    yield pa.array([path.name, plain.decode("latin-1")])
    if path.suffix == ".parquet":
        rows = pq.read_table(path, partitioning=None)
        yield pa.array([str(rows.schema)])
        for column in rows.columns:
            yield from _leaves(column.combine_chunks())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield pa.array(
                [packed.read(one).decode("utf-8", "replace") for one in packed.namelist()]
            )
    elif path.suffix == ".gz":
        yield pa.array([gzip.decompress(content).decode("utf-8", "replace")])
    elif path.suffix == ".db":
        yield pa.array(list(_rows_of(path)))


def _leaves(values: pa.Array) -> Iterator[pa.Array]:
    """The texts in a column; a number is no identifier."""
    if pa.types.is_string(values.type):
        yield values.unique()
    elif pa.types.is_struct(values.type):
        for inner in values.flatten():
            yield from _leaves(inner)
    elif pa.types.is_list(values.type):
        yield from _leaves(values.flatten())
    else:
        assert not pa.types.is_binary(values.type)
        assert not pa.types.is_nested(values.type)


def _rows_of(path: Path) -> Iterator[str]:
    with sqlite3.connect(path) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            yield json.dumps(database.execute(f'SELECT * FROM "{name}"').fetchall(), default=str)


def hits(home: Path, identifiers: Collection[str]) -> dict[str, set[str]]:
    """Which identifiers are in which file, by its path below the home."""
    pattern = "|".join(sorted(map(re.escape, identifiers)))
    found: dict[str, set[str]] = {}
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        for texts in texts_of(path):
            for text in texts.filter(pc.match_substring_regex(texts, pattern)).to_pylist():
                named = found.setdefault(path.relative_to(home).as_posix(), set())
                named.update(re.findall(pattern, text))
    return found
