"""What takes long to make is made by one of the processes that run tests side by side."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Where all processes of this test run find it; nobody else makes it meanwhile.

    Without other processes that is a folder beside the tests' own.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield shared / f"shared_{name}"


def share(made: Path, folder: Path) -> None:
    """Leave a copy for the others: whole, or none, if whoever makes it is stopped."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(made, unfinished)
    unfinished.rename(folder)
