"""Imports that do without packages of which nothing is used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Refusing(MetaPathFinder):
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{fullname} is done without", name=fullname)
        return None


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Let imports of packages fail meanwhile; those that are imported already stay.

    Arrow and LightGBM import pandas and scikit-learn, if they can, only to recognise their objects,
    and remember that they could not. That saves a command that shows one client a third of its
    time. Only for a process with one thread that hands them no such object.
    """
    refusing = _Refusing(packages)
    sys.meta_path.insert(0, refusing)
    try:
        yield
    finally:
        sys.meta_path.remove(refusing)
