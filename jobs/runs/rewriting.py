"""Files of a home that are rewritten together: all of them, whenever the work is interrupted.

New contents are written below ``log/rewriting`` first. The journal beside them is the last file:
with it there, every change is put in place, by whoever holds the run lock next, and without it,
none. It names paths and digests and no client: what was taken out is not in the new contents.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from audit.statement import statement
from jobs.audit.checkpoint_files import write_checkpoints
from jobs.audit.log_keys import PRIVATE_FOLDER, signing_key
from jobs.audit.seal import sealed_statement
from jobs.home import Home
from jobs.privacy.erased_clients import tombstone_rows
from jobs.runs.exports import LISTS
from jobs.runs.recording import Entry, commit_rows
from jobs.runs.rewritten import GONE, step
from tables.arrow import arrow_schema
from tables.derived import CHECKPOINTS, ERASED
from tables.errors import UserError
from tables.files import (
    FILE_MODE,
    exclusive,
    replace_beginning,
    sha256_of,
    sync_file,
    sync_tree,
    write_file,
)
from tables.runs import RunRecord, Runs

FOLDER, JOURNAL = "rewriting", "journal.json"
PUBLISHED = re.compile(rf"{LISTS}/\d{{4}}-\d{{2}}-\d{{2}}/")  # by a campaign; recalls are no run's


@dataclass(frozen=True)
class Change:
    """What becomes of one file.

    Attributes:
        path: Below the home.
        staged: Name of its new content in the staging folder; None: the file is removed.
        before: Its digest; None: it was not there.
        after: The digest of the new content.
        is_told: ``runs`` tells of it; of keys it does not.
        size: Of a file that only grows how much of it is replaced; what is added meanwhile stays.
    """

    path: str
    staged: str | None
    before: str | None
    after: str | None
    is_told: bool = True
    size: int | None = None


@dataclass(frozen=True)
class Journal:
    """Everything that is left to be done, so that it can be done without what it was made from.

    Attributes:
        run_id: Of the run that is recorded in the end.
        step: Its step.
        day: On which it was decided.
        counts: What ``runs`` shows of it.
        made_by: Run whose configuration the record shares.
        hashes: New rows of ``erased``.
        changes: In the order in which they are made.
    """

    run_id: str
    step: str
    day: str
    counts: Mapping[str, object]
    made_by: str
    hashes: Sequence[str]
    changes: Sequence[Change]


@dataclass
class Rewriting:
    """New contents on their way; used under the run lock."""

    home: Home
    changes: dict[str, Change] = field(default_factory=dict)
    _number: int = 0

    @property
    def folder(self) -> Path:
        """Where new contents lie until all of them are there."""
        return self.home.log / FOLDER

    def begin(self) -> None:
        """Begin with nothing."""
        self.abandon()
        self.folder.mkdir(parents=True, mode=PRIVATE_FOLDER)

    def abandon(self) -> None:
        """Leave the home as it is."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self) -> Path:
        """A path for a new content."""
        self._number += 1
        return self.folder / f"{self._number:06}"

    def put(self, path: Path, staged: Path, *, is_told: bool = True) -> None:
        """A file gets a new content."""
        name = self._name(path)
        before = sha256_of(path) if path.exists() else None
        self.changes[name] = Change(
            name, staged.relative_to(self.folder).as_posix(), before, sha256_of(staged), is_told
        )
        # What classic Spark keeps beside a file is about its former bytes.
        checksum = path.with_name(f".{path.name}.crc")
        if checksum.exists():
            self.remove(checksum)

    def put_grown(self, path: Path, before: bytes, after: bytes) -> None:
        """A file that only grows gets other bytes in place of those that it had."""
        staged, name = self.new(), self._name(path)
        staged.write_bytes(after)
        self.changes[name] = Change(
            name,
            staged.relative_to(self.folder).as_posix(),
            hashlib.sha256(before).hexdigest(),
            hashlib.sha256(after).hexdigest(),
            size=len(before),
        )

    def remove(self, path: Path) -> None:
        """A file goes."""
        name = self._name(path)
        self.changes[name] = Change(name, None, sha256_of(path), None)

    def commit(self, journal: Journal) -> None:
        """From here on the changes will be made, come what may."""
        sync_tree(self.folder)
        write_file(self.folder / JOURNAL, json.dumps(asdict(journal)).encode())
        sync_file(self.folder.parent)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.home.path).as_posix()


@contextmanager
def publishing(home: Home, holder: str) -> Iterator[None]:
    """Hold the run lock; what was being rewritten when somebody was killed is finished first.

    Raises:
        UserError: Somebody else holds it.
    """
    with exclusive(home.lock, holder):
        if (finished := finish(home)) is not None:
            sys.stderr.write(
                f"finished what was interrupted: {finished.step} of {finished.as_of}\n"
            )
        yield


def is_pending(home: Home) -> bool:
    """Somebody was killed while files were put in place."""
    return (home.log / FOLDER / JOURNAL).exists()


def finish(home: Home) -> RunRecord | None:
    """Make the changes that a journal tells of, and record them; None if there is none.

    Raises:
        UserError: A new content is gone.
    """
    folder = home.log / FOLDER
    if not is_pending(home):
        shutil.rmtree(folder, ignore_errors=True)
        return None
    journal = _read(folder / JOURNAL)
    for change in journal.changes:
        _make(home, folder, change)
    for parent in sorted({(home.path / change.path).parent for change in journal.changes}):
        _settle(parent, home)
    record = _record(home, journal)
    write_checkpoints(home)
    # Without its journal a half removed folder is not taken for work that is left.
    (folder / JOURNAL).unlink()
    sync_file(folder)
    shutil.rmtree(folder)
    return record


def told(changes: Iterable[Change]) -> dict[str, str]:
    """Both digests of every file that was changed, by path."""
    return {one.path: step(one.before, one.after) for one in changes if one.is_told}


def _read(path: Path) -> Journal:
    said = json.loads(path.read_text(encoding="utf-8"))
    return Journal(**{**said, "changes": [Change(**one) for one in said["changes"]]})


def _make(home: Home, folder: Path, change: Change) -> None:
    """Make one change, unless it has been made."""
    target = home.path / change.path
    if change.staged is None:
        target.unlink(missing_ok=True)
        return
    staged = folder / change.staged
    if change.size is not None:
        assert change.before is not None, "a file that grows was there"
        replace_beginning(target, change.size, change.before, staged.read_bytes())
    elif staged.exists():
        _put_in_place(staged, target)
    elif not target.exists() or sha256_of(target) != change.after:
        raise UserError(
            f"{staged} is gone, and {target} is not yet what it should become. Bring the folder"
            f" {folder} back from a backup and run the command again"
        )


def _put_in_place(staged: Path, target: Path) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else FILE_MODE
    staged.chmod(mode)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        staged.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        write_file(target, staged.read_bytes(), mode)  # another file system
        staged.unlink()


def _settle(parent: Path, home: Home) -> None:
    """Force names to the disk; folders that became empty go."""
    while parent != home.path and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()
        parent = parent.parent
    if parent.is_dir():
        sync_file(parent)


def _record(home: Home, journal: Journal) -> RunRecord:
    made_by = Runs(home.tables).find(journal.made_by)
    assert made_by is not None, "runs are never taken away"
    entry = Entry(
        run_id=journal.run_id,
        step=journal.step,
        as_of=date.fromisoformat(journal.day),
        inputs={},
        counts=journal.counts,
        made_by=made_by,
        rewritten=told(journal.changes),
    )
    rows = tombstone_rows(journal.hashes, journal.run_id)
    return commit_rows(
        home, entry, [(ERASED, rows), (CHECKPOINTS, _sealed(home, journal, made_by))]
    )


def _sealed(home: Home, journal: Journal, made_by: RunRecord) -> pa.Table:
    """What became of list files is stated in the log, or who can write to ``runs`` could say so."""
    if Runs(home.tables).head(CHECKPOINTS.name) is None:
        return arrow_schema(CHECKPOINTS).empty_table()  # there is no log yet
    files = {
        change.path: change.after or GONE
        for change in journal.changes
        if change.is_told and PUBLISHED.match(change.path)
    }
    day = date.fromisoformat(journal.day)
    stated = statement(journal.run_id, journal.step, day, made_by.campaign_id, files)
    log_name = json.loads(made_by.config)["bank"]["log_name"]
    return sealed_statement(home, journal.run_id, [signing_key(home, log_name)], stated)
