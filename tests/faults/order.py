"""What no kill shows: which calls would power loss undo? A trace tells what was forced to the disk.

A file's bytes last once it is synced after its last write, a name once its folder is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

LINE = re.compile(r"(FIRED |FULL )?(\d+) (\w+) ([^\t]*)(?:\t(.*))?")
RUN_COMMITTED = re.compile(r".*/tables/runs/_delta_log/\d{20}\.json")
WRITES = ("create", "write", "pwrite", "writev", "ftruncate")
LOCK = "run.lock"  # says who is at work; nobody reads it afterwards


@dataclass(frozen=True)
class Call:
    """A line of a trace.

    Attributes:
        number: Of the call, from 1.
        name: What is called.
        path: What it is about.
        to: The second path of a rename or link.
        has_failed: The fault happened here.
    """

    number: int
    name: str
    path: str
    to: str | None
    has_failed: bool

    @property
    def commits_a_run(self) -> bool:
        """From here on readers see another run."""
        return (
            self.to is not None
            and RUN_COMMITTED.fullmatch(self.to) is not None
            and ("/." not in self.to)
        )


def calls(trace: Path) -> list[Call]:
    """Every call of a trace, in order."""
    found = [LINE.fullmatch(line) for line in trace.read_text().splitlines()]
    return [Call(int(one[2]), one[3], one[4], one[5], one[1] == "FIRED ") for one in found if one]


@dataclass
class Disk:
    """What of a trace is on the disk by now.

    Attributes:
        there: Files and folders that are there, but for what is being built.
        dirty: Files with bytes that may be lost.
        unnamed: Files and folders whose names may be lost.
        violations: A sentence each.
    """

    there: set[str]
    dirty: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def follow(self, call: Call) -> None:
        """Let a call happen."""
        if call.name in WRITES:
            self._write(call.path)
        elif call.name in ("fsync", "fdatasync"):
            self.dirty.discard(call.path)
            self.unnamed = {one for one in self.unnamed if _folder(one) != call.path}
        elif call.name == "mkdir" and call.path not in self.there:  # else it has failed by itself
            self.unnamed.add(call.path)
            self.there.add(call.path)
        elif call.name in ("unlink", "rmdir"):
            self.there.discard(call.path)
            self.dirty.discard(call.path)
            self.unnamed.discard(call.path)
        elif call.to is not None:
            self._name(call, call.to)

    def end(self) -> None:
        """The process has said that it is done."""
        self._require("the end", filter(_is_visible, self.dirty | self.unnamed))

    def _write(self, path: str) -> None:
        if path in self.there and _is_visible(path):
            self.violations.append(f"{path} is written in place")
        if path not in self.dirty | self.there:
            self.unnamed.add(path)
        self.dirty.add(path)

    def _name(self, call: Call, to: str) -> None:
        """A rename, a link or an exchange: what was built gets the name that others know."""
        if _is_visible(to):
            lost = self.dirty | (self.unnamed - {call.path})  # its former name is of no account
            self._require(to, {one for one in lost if _below(one, call.path)})
            self.there.add(to)
        if call.commits_a_run:
            relied_on = {one for one in self.dirty | self.unnamed if "/tables/" in one}
            self._require(f"the run of {to}", filter(_is_visible, relied_on))
        self.dirty = {_moved(one, call.path, to) for one in self.dirty}
        self.unnamed = {_moved(one, call.path, to) for one in self.unnamed} | {to}

    def _require(self, before: str, lost: Iterable[str]) -> None:
        self.violations += [
            f"{one} may be lost, and {before} comes without it" for one in sorted(lost)
        ]


def violations(trace: Path, home: Path, there: Iterable[str]) -> list[str]:
    """What power loss could tear of a run whose trace this is.

    Args:
        trace: Of a run to which nothing happened.
        home: Where it wrote.
        there: Files and folders below the home before it.
    """
    disk = Disk({str(home), *(f"{home}/{one}" for one in there)})
    for call in calls(trace):
        disk.follow(call)
    disk.end()
    return [one.replace(f"{home}/", "") for one in disk.violations]


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def _moved(path: str, before: str, after: str) -> str:
    return after + path.removeprefix(before) if _below(path, before) else path


def _is_visible(path: str) -> bool:
    return "/." not in path and PurePosixPath(path).name != LOCK
