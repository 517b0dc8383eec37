"""Delta tables through delta-rs: which files make up a version, and the commit of a new one.

The engine writes data files under a path of their own; nothing is visible before the commit here
lists them. delta-rs writes a version's entry in a draft of the log, because it does not force it to
the disk before others see it, and at every hundredth version would remove entries older than a
month, which runs have pinned. A summary (Delta's checkpoint) is put beside the entries instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from tables.arrow import arrow_schema
from tables.base import Table
from tables.files import (
    make_folder,
    put_if_absent,
    scratch_folder,
    sha256_of,
    sync_below,
)

LOG, DRAFT = "_delta_log", ".draft-"
LAST, NONE = -1, -2  # in place of a version: whichever is the last; there is none yet
SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
SUMMARY_EVERY = 20  # versions: whoever reads the log begins at the last summary of it


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


def commit_files(
    folder: Path, table: Table, files: Sequence[DataFile], run_id: str, after: int = LAST
) -> int:
    """Commit a version that consists of exactly ``files``, whatever a crashed run left behind.

    Once this returns, the version is on the disk with all that is new in it.

    Args:
        folder: Of the table.
        table: The table.
        files: The version.
        run_id: Whose it is.
        after: The version that it must follow, or ``LAST`` or ``NONE``.

    Returns:
        The new version, or the present one if it consists of these files already.

    Raises:
        deltalake.exceptions.CommitFailedError: Somebody else committed meanwhile.
    """
    make_folder(folder / LOG)
    latest = latest_version(folder)
    if after not in (LAST, NONE if latest is None else latest):
        raise CommitFailedError(f"{table.name} is at version {latest} by now")
    present = {file.path: file for file in files_of(folder, latest)}
    wanted = {file.path: file for file in files}
    added = [file for path, file in wanted.items() if path not in present]
    removed = [file for path, file in present.items() if path not in wanted]
    if latest is not None and not added and not removed:
        # It may be of a run that was killed before it forced it to the disk.
        sync_below(folder, [folder / LOG / _entry(latest)])
        return latest
    sync_below(folder, [folder / file.path for file in added])
    with _draft(folder) as draft:
        with _in_one_line():
            _write_version(draft, table, added, removed, CommitProperties({"run_id": run_id}, 0))
            version = _last_entry(draft)
            summary = _summary(draft, version)
        try:
            put_if_absent(draft / LOG / _entry(version), folder / LOG / _entry(version))
        except FileExistsError:
            raise CommitFailedError(f"{table.name} has a version {version} by now") from None
        if summary:
            put_if_absent(summary, folder / LOG / summary.name)
    return version


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder with the table's log, by links, in which nobody sees what delta-rs writes."""
    with scratch_folder(folder, DRAFT) as draft:
        (draft / LOG).mkdir()
        for entry in (folder / LOG).iterdir():
            os.link(entry, draft / LOG / entry.name)
        yield draft


@contextmanager
def _in_one_line() -> Iterator[None]:
    """delta-rs tells what the system has said on several lines, in colour, and without its number.

    Raises:
        OSError: As Python itself tells it.
    """
    try:
        yield
    except (OSError, DeltaError) as error:
        found = SYSTEM_ERROR.search(str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def _write_version(
    draft: Path,
    table: Table,
    added: Sequence[DataFile],
    removed: Sequence[DataFile],
    properties: CommitProperties,
) -> None:
    schema = Schema.from_arrow(arrow_schema(table))
    hooks = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
    if latest_version(draft) is None:
        create_table_with_add_actions(
            str(draft),
            schema,
            [_add(file) for file in added],
            mode="error",
            name=table.name,
            description=table.grain,
            commit_properties=properties,
            post_commithook_properties=hooks,
        )
        return
    actions: list[AddAction | RemoveAction] = [_add(file) for file in added]
    actions += [_remove(file) for file in removed]
    DeltaTable(draft).create_write_transaction(
        actions,
        mode="append",
        schema=schema,
        commit_properties=properties,
        post_commithook_properties=hooks,
    )


def _summary(draft: Path, version: int) -> Path | None:
    """Made at some versions: with hundreds of entries to read, every look at a table takes long."""
    if (version + 1) % SUMMARY_EVERY:
        return None
    DeltaTable(draft).create_checkpoint()
    return draft / LOG / f"{version:020}.checkpoint.parquet"


def _last_entry(draft: Path) -> int:
    return max(int(entry.stem) for entry in (draft / LOG).glob("*.json"))


def _entry(version: int) -> str:
    return f"{version:020}.json"


def remove_uncommitted(folder: Path, pinned: Collection[int]) -> None:
    """Remove what killed runs have left. Only under the run lock.

    Args:
        folder: Of the table.
        pinned: Versions that committed runs have pinned. What others listed goes once a later one
            is pinned: were the runs themselves lost, nothing that was ever listed would be.
    """
    log, data = folder / LOG, folder / "data"
    for draft in folder.glob(f"{DRAFT}*"):
        shutil.rmtree(draft)
    entries = sorted(log.glob("*.json"))
    if [entry.name for entry in entries] != [_entry(number) for number in range(len(entries))]:
        return  # another tool has shortened the log: what its first versions listed, nobody knows
    last = max(pinned, default=-1)
    kept = [entry for number, entry in enumerate(entries) if number in pinned or number > last]
    listed = {path for entry in kept for path in _added_paths(entry)}
    for path in data.rglob("*.parquet"):
        if path.relative_to(folder).as_posix() not in listed:
            path.unlink()
    for below in sorted(data.rglob("*/"), reverse=True):
        if not any(below.rglob("*.parquet")):
            shutil.rmtree(below)


def _added_paths(entry: Path) -> Iterator[str]:
    for line in entry.read_text(encoding="utf-8").splitlines():
        action = json.loads(line)
        if "add" in action:
            yield unquote(action["add"]["path"])


def digests(folder: Path, files: Sequence[DataFile]) -> dict[str, str]:
    """SHA-256 of each file, by path."""
    return {file.path: sha256_of(folder / file.path) for file in files}


def _add(file: DataFile) -> AddAction:
    # The time of modification is no part of what is promised, and a constant keeps reruns alike.
    return AddAction(file.path, file.size, {}, 0, True, json.dumps({"numRecords": file.rows}))


def _remove(file: DataFile) -> RemoveAction:
    partition_values: dict[str, str | None] = {}
    return RemoveAction(file.path, True, 0, file.size, partition_values)
