"""List files: made before the commit so that it can pin their hashes, put in place after it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.audit.checkpoint_files import write_checkpoints
from jobs.privacy.removed_months import refuse_removed
from jobs.runs.rewritten import Rewritten
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS
from tables.errors import ContractViolation
from tables.files import make_folder, sha256_of, write_tree
from tables.store import Store

if TYPE_CHECKING:
    from campaigns.list_files import Part
    from jobs.home import Home
    from jobs.publishing import Context
    from jobs.run import Run
    from tables.runs import RunRecord

LISTS = "lists"


def lists_folder(home: Home, record: RunRecord) -> Path:
    """Where the list files of a committed run lie."""
    return home.lists_of(record.as_of, record.campaign_id, record.run_id)


def list_digests_now(home: Home, record: RunRecord) -> dict[str, str]:
    """SHA-256 by path of the list files of a committed run, erasures since then considered."""
    folder = lists_folder(home, record).relative_to(home.path).as_posix()
    return Rewritten.of(home.tables).all_now(folder, record.outputs[LISTS])


def list_digests(run: Run, proposed: Store) -> Mapping[str, str]:
    """SHA-256 by path of the list files that the tables staged by a campaign make."""
    with _scratch(run.home / LISTS) as folder:
        _writer(proposed, run.config, run.as_of)(folder)
        return _digests(folder)


def complete(context: Context, record: RunRecord) -> None:
    """Put the list files of a committed run in place, if they are not there yet, and checkpoints.

    They are copies made from the commit, so they may be made again at any time; the hashes that
    the commit pinned say whether they are the same.

    Raises:
        ContractViolation: The files made now differ from those that were committed.
    """
    if record.step != "campaign":
        return
    write_checkpoints(context.home)
    target = lists_folder(context.home, record)
    pinned = list_digests_now(context.home, record)
    if not pinned:
        return  # retention has removed them
    if target.exists() and _digests(target) == pinned:
        return
    write_committed(context.home, record, target)


def write_committed(home: Home, record: RunRecord, target: Path) -> None:
    """Make the list files of a committed campaign anew; it needs no engine.

    Raises:
        ContractViolation: They differ from those that were committed; ``target`` is not written.
    """
    write_tree(target, lambda folder: fill_as_committed(home, record, folder))


def fill_as_committed(home: Home, record: RunRecord, folder: Path) -> None:
    """Fill a folder with all list files of a committed campaign.

    Raises:
        ContractViolation: They differ from those that were committed.
        UserError: Retention has removed them.
    """
    refuse_removed(home, record)
    config = recorded_config(record.config)
    _writer(Store(home.tables, None, record.pins), config, record.as_of)(folder)
    _refuse_other(_digests(folder), list_digests_now(home, record))


def fill_with_part(home: Home, record: RunRecord, part: Part, folder: Path) -> None:
    """Fill a folder with a part of a committed campaign.

    Raises:
        ContractViolation: Files that nothing was left out of differ from those that were committed.
    """
    from campaigns.list_files import MANIFEST, RECALLED_FILE, WHOLE_FILE, file_name, write_part

    write_part(folder, part, recorded_config(record.config), record.as_of)
    touched = {file_name(branch_id) for branch_id in part.recalled["branch_id"].to_pylist()}
    new = {MANIFEST, RECALLED_FILE, *((WHOLE_FILE,) if touched else ())}
    made = {
        path: digest
        for path, digest in _digests(folder).items()
        if path not in new and Path(path).stem not in touched
    }
    pinned = list_digests_now(home, record)
    _refuse_other(made, {path: pinned.get(path, "") for path in made})


def _refuse_other(made: Mapping[str, str], pinned: Mapping[str, str]) -> None:
    """Files are those that were committed.

    Raises:
        ContractViolation: Some differ.
    """
    paths = {*made, *pinned}
    differing = sorted(path for path in paths if made.get(path) != pinned.get(path))
    if differing:
        raise ContractViolation(
            f"{len(differing)} list files differ from those committed, e.g. {differing[0]}."
            " Was the code or the configuration changed since? Run with the committed version"
        )


def _writer(store: Store, config: RunConfig, as_of: date) -> Callable[[Path], None]:
    from campaigns.list_files import write_lists

    lists, care = (store.arrow(table, as_of) for table in (CAMPAIGN_LISTS, CARE_LISTS))
    return lambda folder: write_lists(folder, lists, care, config, as_of)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    folder = make_folder(parent / f".building-{uuid.uuid4().hex}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
