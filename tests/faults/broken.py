"""Ways to break the protocol, each applied in a process of its own: the tests must notice all."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jobs.audit.checkpoint_files
import jobs.publishing
import jobs.runs.exports
from tables import delta, files
from tables.runs import Runs


def nothing() -> None:
    """The protocol as it is."""


def runs_before_tables() -> None:
    """The run is committed, and then the tables that it pins."""
    real_commit, real_append, waiting = delta.commit_files, Runs.append, []

    def commit(folder: Path, *arguments: Any) -> int:
        waiting.append((folder, *arguments))
        latest = delta.latest_version(folder)
        return 0 if latest is None else latest + 1

    def append(runs: Runs, record: Any) -> Any:
        done = real_append(runs, record)
        for arguments in waiting:
            real_commit(*arguments)
        return done

    jobs.publishing.commit_files = commit
    Runs.append = append


def checkpoint_apart() -> None:
    """The checkpoint of the log is committed after the run whose lines it seals."""
    real = jobs.publishing._commit

    def commit(context: Any, run: Any, read: Any, *more: Any) -> Any:
        later = {"checkpoints": run.staging.files.pop("checkpoints")}
        real(context, run, read, *more)
        run.staging.files.clear()
        run.staging.files.update(later)
        return real(context, run, read, *more)

    jobs.publishing._commit = commit


def lists_in_place() -> None:
    """Lists are written where branches read them."""

    def write(target: Path, fill: Callable[[Path], None]) -> None:
        target.mkdir(parents=True)
        fill(target)
        files.sync_tree(target)

    jobs.runs.exports.write_tree = write


def files_in_place() -> None:
    """A small file is written over the old one."""

    def write(target: Path, content: bytes, mode: int = 0o640) -> None:
        target.write_bytes(content)
        files.sync_file(target)
        files.sync_file(target.parent)

    jobs.audit.checkpoint_files.write_file = write


def nothing_is_synced() -> None:
    """Nothing is forced to the disk."""
    files.sync_file = lambda path: None


def no_folder_is_synced() -> None:
    """Bytes are forced to the disk, names are not."""
    real = files.sync_file
    files.sync_file = lambda path: None if path.is_dir() else real(path)


def delta_commits_by_itself() -> None:
    """A version is visible as soon as delta-rs has written its entry."""

    @contextmanager
    def draft(folder: Path) -> Any:
        yield folder

    def put(made: Path, target: Path) -> None:
        files.sync_below(target.parent.parent, [target])

    delta._draft, delta.put_if_absent = draft, put


def an_identity_per_attempt() -> None:
    """A repetition does not know its run again."""
    jobs.publishing.run_id = lambda *_: hashlib.sha256(uuid.uuid4().bytes).hexdigest()


def leftovers_stay() -> None:
    """What killed attempts left is not removed."""
    Runs.remove_leftovers = lambda runs, tables: None


WAYS: dict[str, Callable[[], None]] = {
    "not at all": nothing,
    "runs before tables": runs_before_tables,
    "checkpoint outside of the commit": checkpoint_apart,
    "lists written in place": lists_in_place,
    "small files written in place": files_in_place,
    "nothing is synced": nothing_is_synced,
    "folders are not synced": no_folder_is_synced,
    "delta-rs commits by itself": delta_commits_by_itself,
    "an identity per attempt": an_identity_per_attempt,
    "leftovers stay": leftovers_stay,
}
