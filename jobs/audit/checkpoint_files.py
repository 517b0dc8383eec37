"""The checkpoints of the offer log as files, for keepers outside of the bank.

Who keeps a copy of one elsewhere can prove ever after that the log still holds what it held then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit.entries import checkpoints_in_order, number_in_name
from tables.derived import CHECKPOINTS
from tables.files import make_folder, write_file
from tables.runs import Runs
from tables.store import Store

if TYPE_CHECKING:
    from jobs.home import Home

NEWEST, EVERY = "checkpoint", "checkpoints"


def committed_checkpoints(home: Home) -> list[dict[str, Any]]:
    """Rows of ``CHECKPOINTS`` of committed runs, the shortest log first."""
    return checkpoints_in_order(Store(home.tables, None, _pins(home)))


def write_checkpoints(home: Home) -> None:
    """Write those that are missing, and the newest under its own name; all of committed runs."""
    rows = committed_checkpoints(home)
    folder = make_folder(home.log / EVERY)
    for row in rows:
        path = folder / number_in_name(row["size"])
        if not path.exists():
            write_file(path, row["note"].encode())
    if rows:
        write_file(home.log / NEWEST, rows[-1]["note"].encode())


def _pins(home: Home) -> dict[str, int]:
    version = Runs(home.tables).head(CHECKPOINTS.name)
    return {} if version is None else {CHECKPOINTS.name: version}
