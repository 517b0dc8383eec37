"""Stored files without a client: Parquet written anew, and the Delta logs that tell their sizes.

A value that leads to the client is blanked where its table allows null, as the line of a sealed log
is; where a table does not, the row goes. So whose table is declared need not be listed here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tables.base import Table
from tables.delta import DataFile
from tables.identifiers import KINDS, Identifiers

ARROW_SCHEMA = b"ARROW:schema"
WIDE = ("line", "raw_row", "value")  # hardly any text stands twice: not worth a dictionary
CHECKPOINTS = "*.checkpoint*.parquet"


@dataclass(frozen=True)
class Redacted:
    """What of some rows led to a client.

    Attributes:
        rows: The others, and of those that could stay what is left.
        removed: Rows that went.
        blanked: Rows that stay without some values.
    """

    rows: pa.Table
    removed: int
    blanked: int

    @property
    def touched(self) -> int:
        """Rows that are not what they were."""
        return self.removed + self.blanked


@dataclass(frozen=True)
class NewFile:
    """A Parquet file that was written anew.

    Attributes:
        removed: Rows that went.
        blanked: Rows that stay without some values.
        rows: Rows it holds now.
    """

    removed: int
    blanked: int
    rows: int


def may_blank(table: Table | None) -> frozenset[str]:
    """Columns of a declared table that allow null; of an unknown one no column is known to."""
    if table is None:
        return frozenset()
    return frozenset(column.name for column in table.columns if column.is_nullable)


def redact(rows: pa.Table, blankable: Collection[str], client: Identifiers) -> Redacted:
    """Take a client out of rows.

    Args:
        rows: With any columns.
        blankable: Columns in which null may stand.
        client: Who.
    """
    gone, blanks = _hits(rows, blankable, client)
    for name, hits in blanks.items():
        place = rows.schema.get_field_index(name)
        field = rows.schema.field(place).with_nullable(True)
        blank = pa.scalar(None, field.type)
        rows = rows.set_column(place, field, pc.if_else(hits, blank, rows[name]))
    is_blanked = pa.repeat(pa.scalar(False), rows.num_rows)
    for hits in blanks.values():
        is_blanked = pc.or_(is_blanked, hits)
    kept = rows.filter(pc.invert(gone)) if pc.any(gone).as_py() else rows
    return Redacted(
        kept,
        removed=rows.num_rows - kept.num_rows,
        blanked=pc.sum(pc.and_not(is_blanked, gone)).as_py() or 0,
    )


def redact_file(
    source: Path, target: Path, blankable: Collection[str], client: Identifiers
) -> NewFile | None:
    """Write a Parquet file without a client, one row group at a time.

    Returns:
        What became of it; None, and no file, if nothing in it leads to the client.
    """
    schema = pq.read_schema(source)
    texts = [field.name for field in schema if _has_text(field.type)]
    coded = [
        field.name
        for field in schema
        if pa.types.is_string(field.type) and field.name not in (*KINDS, *WIDE)
    ]
    with pq.ParquetFile(source, read_dictionary=coded) as file:
        groups = [
            number
            for number in range(file.num_row_groups)
            if texts and _leads_to(file.read_row_group(number, columns=texts), client)
        ]
    if not groups:
        return None
    with pq.ParquetFile(source) as file:
        return _written(file, target, blankable, client, set(groups))


def emptied_file(source: Path, target: Path, blanked: Collection[str]) -> NewFile | None:
    """Write a Parquet file without its rows, or with some columns null, a row group at a time.

    Args:
        source: The file.
        target: The new one.
        blanked: Columns whose values go while rows stay; without any, rows go.

    Returns:
        What became of it; None, and no file, if there is nothing left to go.
    """
    with pq.ParquetFile(source) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
        if not blanked:
            if rows:
                pq.write_table(schema.empty_table(), target, compression="zstd")
            return NewFile(rows, 0, 0) if rows else None
        values = 0
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number)
                held = [pc.is_valid(group[name]) for name in blanked]
                values += pc.sum(reduce(pc.or_, held)).as_py() or 0
                writer.write_table(_blank(group, blanked), row_group_size=max(len(group), 1))
    return NewFile(0, values, rows) if values else None


def _blank(rows: pa.Table, names: Collection[str]) -> pa.Table:
    for name in names:
        place = rows.schema.get_field_index(name)
        field = rows.schema.field(place)
        rows = rows.set_column(place, field, pa.nulls(rows.num_rows, field.type))
    return rows


def _leads_to(rows: pa.Table, client: Identifiers) -> bool:
    gone, _ = _hits(rows, (), client)
    return bool(pc.any(gone).as_py())


def _hits(
    rows: pa.Table, blankable: Collection[str], client: Identifiers
) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Rows that have to go, and by column the values that have to."""
    gone, blanks = pa.repeat(pa.scalar(False), rows.num_rows), {}
    for field in rows.schema:
        if not _has_text(field.type):
            continue
        chunks = [client.found(field.name, chunk) for chunk in rows[field.name].chunks]
        hits = pa.concat_arrays(chunks) if chunks else gone
        if field.name not in blankable:
            gone = pc.or_(gone, hits)
        elif pc.any(hits).as_py():
            blanks[field.name] = hits
    return gone, blanks


def _has_text(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_has_text(inner.type) for inner in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _has_text(kind.value_type)
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _written(
    file: pq.ParquetFile,
    target: Path,
    blankable: Collection[str],
    client: Identifiers,
    groups: Collection[int],
) -> NewFile:
    schema = pa.schema(
        [
            field.with_nullable(True) if field.name in blankable else field
            for field in file.schema_arrow
        ],
        file.schema_arrow.metadata,
    )
    # What an engine wrote without Arrow's notes is read as Parquet's types say: so it stays.
    store_schema = ARROW_SCHEMA in (file.metadata.metadata or {})
    removed = blanked = rows = 0
    with pq.ParquetWriter(target, schema, compression="zstd", store_schema=store_schema) as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number)
            if number in groups:
                found = redact(group, blankable, client)
                removed, blanked = removed + found.removed, blanked + found.blanked
                group = found.rows
            rows += group.num_rows
            writer.write_table(group.cast(schema), row_group_size=max(group.num_rows, 1))
    return NewFile(removed, blanked, rows)


def redacted_logs(
    folder: Path, changed: Mapping[str, DataFile], target: Path
) -> Iterator[tuple[Path, Path]]:
    """The files of a table's Delta log that tell the size of a changed file, with its new one.

    Args:
        folder: Of the table.
        changed: Data files by path below it, as they will be.
        target: A folder to write to.

    Yields:
        The file of the log, and where its new content is.
    """
    log = folder / "_delta_log"
    for path in sorted(log.glob("*.json")):
        before = path.read_text(encoding="utf-8")
        after = "".join(_line(line, changed) for line in before.splitlines(keepends=True))
        if after != before:
            (target / path.name).write_text(after, encoding="utf-8")
            yield path, target / path.name
    yield from _checkpoints(log, changed, target)


def _checkpoints(
    log: Path, changed: Mapping[str, DataFile], target: Path
) -> Iterator[tuple[Path, Path]]:
    """What delta-rs writes every hundred commits, and the file that tells the newest one's size."""
    sizes: dict[str, int] = {}
    for path in sorted(log.glob(CHECKPOINTS)):
        rows, new = pq.read_table(path), target / path.name
        actions = rows.to_pylist()
        if sum(_corrected(action, changed) for action in actions):
            pq.write_table(pa.Table.from_pylist(actions, schema=rows.schema), new)
            sizes[path.name.partition(".")[0]] = new.stat().st_size
            yield path, new
    last = log / "_last_checkpoint"
    told = json.loads(last.read_text(encoding="utf-8")) if last.exists() else {}
    if size := sizes.get(f"{told.get('version', -1):020}"):
        new = target / last.name
        new.write_text(json.dumps({**told, "sizeInBytes": size}), encoding="utf-8")
        yield last, new


def _line(line: str, changed: Mapping[str, DataFile]) -> str:
    action = json.loads(line)
    if not _corrected(action, changed):
        return line
    return json.dumps(action, separators=(",", ":"), ensure_ascii=False) + "\n"


def _corrected(action: dict[str, Any], changed: Mapping[str, DataFile]) -> bool:
    """Whether an action is about a changed file; then it says the file's new size and rows."""
    for kind in ("add", "remove"):
        entry = action.get(kind)
        if entry and (file := changed.get(unquote(entry["path"]))):
            entry["size"] = file.size
            if entry.get("stats"):
                entry["stats"] = json.dumps({"numRecords": file.rows})
            return True
    return False
