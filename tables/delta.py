"""Delta tables through delta-rs: which files make up a version, and the commit of a new one.

The engine writes data files under a path of their own; nothing is visible before the commit here
lists them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from tables.arrow import arrow_schema
from tables.base import Table
from tables.files import make_folder, sha256_of, sync_file, sync_tree


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table: its path below the table's folder, and what it must contain."""

    path: str
    rows: int
    size: int


def data_files(folder: Path, below: Path) -> list[DataFile]:
    """The Parquet files below a folder of the table, in order; empty ones are left out."""
    found = []
    for path in sorted(below.rglob("*.parquet")):
        rows = pq.read_metadata(path).num_rows
        if rows:
            found.append(DataFile(path.relative_to(folder).as_posix(), rows, path.stat().st_size))
    return found


def null_counts(paths: Iterable[Path]) -> dict[str, int]:
    """Nulls per column in some Parquet files, as their footers count them.

    A column is left out if it is nested or a footer does not count its nulls.
    """
    counts: Counter[str] = Counter()
    uncounted: set[str] = set()
    for path in paths:
        footer = pq.read_metadata(path)
        for group in map(footer.row_group, range(footer.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                told = column.statistics
                if told is None or not told.has_null_count:
                    uncounted.add(column.path_in_schema)
                else:
                    counts[column.path_in_schema] += told.null_count
    return {name: nulls for name, nulls in counts.items() if name not in uncounted}


def may_hold(path: Path, flag: str) -> bool:
    """A boolean column is true in some row of a file, or its footer does not rule it out."""
    footer = pq.read_metadata(path)
    place = footer.schema.names.index(flag)
    for group in map(footer.row_group, range(footer.num_row_groups)):
        told = group.column(place).statistics
        if told is None or not told.has_min_max or told.max:
            return True
    return False


def files_of(folder: Path, version: int | None) -> list[DataFile]:
    """The files of a committed version, in order; none for a table that has no version yet."""
    if version is None:
        return []
    actions = pa.table(DeltaTable(folder, version=version).get_add_actions(flatten=True))
    columns = actions.select(["path", "num_records", "size_bytes"]).to_pydict()
    return sorted(
        (DataFile(*row) for row in zip(*columns.values(), strict=True)), key=lambda file: file.path
    )


def latest_version(folder: Path) -> int | None:
    """The last committed version, pinned by a run or not; None where there is no table."""
    try:
        return DeltaTable(folder).version()
    except TableNotFoundError:
        return None


def commit_files(folder: Path, table: Table, files: Sequence[DataFile], run_id: str) -> int:
    """Commit a version that consists of exactly ``files``, whatever a crashed run left behind.

    Returns:
        The new version, or the present one if it consists of these files already.

    Raises:
        deltalake.exceptions.CommitFailedError: Somebody else committed meanwhile.
    """
    make_folder(folder)
    latest = latest_version(folder)
    present = {file.path: file for file in files_of(folder, latest)}
    wanted = {file.path: file for file in files}
    added = [_add(file) for path, file in wanted.items() if path not in present]
    removed = [_remove(file) for path, file in present.items() if path not in wanted]
    schema = Schema.from_arrow(arrow_schema(table))
    properties = CommitProperties(custom_metadata={"run_id": run_id}, max_commit_retries=0)
    if latest is None:
        create_table_with_add_actions(
            str(folder),
            schema,
            added,
            mode="error",
            name=table.name,
            description=table.grain,
            commit_properties=properties,
        )
    elif added or removed:
        DeltaTable(folder).create_write_transaction(
            [*added, *removed], mode="append", schema=schema, commit_properties=properties
        )
    version = latest_version(folder)
    assert version is not None
    return version


def remove_uncommitted(folder: Path) -> None:
    """Remove files that no version ever listed, left by killed runs. Only under the run lock."""
    listed = {path for log in (folder / "_delta_log").glob("*.json") for path in _added_paths(log)}
    for path in (folder / "data").rglob("*.parquet"):
        if path.relative_to(folder).as_posix() not in listed:
            path.unlink()


def _added_paths(log: Path) -> Iterator[str]:
    for line in log.read_text(encoding="utf-8").splitlines():
        action = json.loads(line)
        if "add" in action:
            yield unquote(action["add"]["path"])


def sync_version(folder: Path, files: Sequence[DataFile]) -> None:
    """Force a version to the disk: its new data files, their folders and the commit log."""
    parents = {(folder / file.path).parent for file in files}
    for file in files:
        sync_file(folder / file.path)
    for parent in sorted(parents | {folder, folder / "data"}):
        if parent.exists():
            sync_file(parent)
    sync_tree(folder / "_delta_log")


def digests(folder: Path, files: Sequence[DataFile]) -> dict[str, str]:
    """SHA-256 of each file, by path."""
    return {file.path: sha256_of(folder / file.path) for file in files}


def _add(file: DataFile) -> AddAction:
    # The time of modification is no part of what is promised, and a constant keeps reruns alike.
    return AddAction(file.path, file.size, {}, 0, True, json.dumps({"numRecords": file.rows}))


def _remove(file: DataFile) -> RemoveAction:
    partition_values: dict[str, str | None] = {}
    return RemoveAction(file.path, True, 0, file.size, partition_values)
