"""What `shim.c` does, for calls that Python itself makes: for machines without a compiler.

A write inside of Arrow or delta-rs is one call here. The trace has the same form.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tables import delta

NONE, KILL, FULL, BROKEN = range(4)
# What Python tells an audit hook before it does it: how many paths it names, does it take space?
TOLD = {
    "os.rename": ("rename", 2, False),
    "os.link": ("link", 2, True),
    "os.mkdir": ("mkdir", 1, True),
    "os.remove": ("unlink", 1, False),
    "os.rmdir": ("rmdir", 1, False),
    "os.chmod": ("chmod", 1, False),
}


class Points:
    """Numbers calls, tells them, and lets one go wrong."""

    def __init__(self, root: str, trace: str, number: int, kind: int) -> None:
        self._root, self._number, self._kind = root, number, kind
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._count, self._is_full, self._is_busy = 0, False, False

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook: what it raises is raised by the call."""
        if self._is_busy:
            return
        if event == "open" and isinstance(arguments[2], int):
            if arguments[2] & (os.O_CREAT | os.O_TRUNC):
                self.reached("create", [arguments[0]], takes_space=True)
        elif event in TOLD:
            call, paths, takes_space = TOLD[event]
            self.reached(call, list(arguments[:paths]), takes_space)

    def reached(self, call: str, paths: list[Any], takes_space: bool) -> None:
        """A call is about to be made.

        Raises:
            OSError: It is the one that fails.
        """
        self._is_busy = True
        try:
            names = [str(Path(os.fsdecode(path)).absolute()) for path in paths if _is_path(path)]
            if not any(f"{name}/".startswith(f"{self._root}/") for name in names):
                return
            self._count += 1
            self._decide(call, "\t".join(names), takes_space)
        finally:
            self._is_busy = False

    def _decide(self, call: str, names: str, takes_space: bool) -> None:
        is_it = self._count == self._number and self._kind != NONE
        if is_it and self._kind == FULL:
            self._is_full = True
        fails = takes_space if self._is_full else is_it and self._kind != FULL
        mark = "FIRED " if fails else "FULL " if is_it else ""
        os.write(self._trace, f"{mark}{self._count} {call} {names}\n".encode())
        if fails and self._kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if fails:
            number = errno.ENOSPC if self._kind == FULL else errno.EIO
            raise OSError(number, os.strerror(number))


def arm(root: bytes, trace: bytes, number: int, kind: int) -> None:
    """As `shim_arm`; of this process there is no way back."""
    made = Points(os.fsdecode(root), os.fsdecode(trace), number, kind)
    sys.addaudithook(made.heard)
    _watched(os, "fsync", made, lambda fd: f"/proc/self/fd/{fd}")
    _watched(pq, "write_table", made, lambda table, path, **_: path, is_inside=True)
    _watched(delta, "_write_version", made, lambda draft, *_: draft, is_inside=True)


def _watched(
    holder: Any, name: str, points: Points, path: Callable[..., Any], is_inside: bool = False
) -> None:
    """What says nothing by itself; a fault inside of another library is one before or after it."""
    real = getattr(holder, name)

    def call(*arguments: Any, **options: Any) -> Any:
        where = os.path.realpath(path(*arguments, **options))
        points.reached("write" if is_inside else name, [where], takes_space=is_inside)
        done = real(*arguments, **options)
        if is_inside:
            points.reached("close", [where], takes_space=False)
        return done

    setattr(holder, name, call)


def _is_path(path: Any) -> bool:
    return isinstance(path, str | bytes | os.PathLike)
