"""What takes long to make is made by one of the processes that run tests side by side."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this process's own, as ``make`` fills it; who comes second has a copy.

    A copy is left when it is whole: if one process fails to make it, the next one tries.
    """
    own = factory.mktemp(name)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    left = factory.getbasetemp().parent / f"made_{name}"
    with left.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if left.exists():
            shutil.copytree(left, own, dirs_exist_ok=True)
        else:
            make(own)
            shutil.copytree(own, half := left.with_suffix(".half"))
            half.rename(left)
    return own
