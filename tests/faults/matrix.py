"""Asks the process of `forks.py` to let faults happen, and says what they must leave behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tables.runs import Runs
from tests.faults import tiny
from tests.faults.order import WRITES, Call, calls
from tests.faults.seen import checked, current_run, debris, published

KILL, FULL, BROKEN, SHORT = 1, 2, 3, 4
SAID = {
    FULL: "No space left on device",
    BROKEN: "Input/output error",
}
TAKES_SPACE = ("create", "write", "pwrite", "writev", "mkdir", "link")
CHANGING = re.compile(
    r"[0-9a-f]{12}-[0-9a-f]{8,}(-\d+)?|[0-9a-f]{32}|(?<=\.draft-)\w+|[0-9a-f]{12}"
)
SOURCE = Path(__file__).with_name("shim.c")


def compiled(folder: Path) -> Path | None:
    """The shim; None where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "shim.so"
    words = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", made, SOURCE, "-ldl"]
    subprocess.run(words, check=True)
    return made


class Forks:
    """The process that forks, with the shim in it or without."""

    def __init__(self, shim: Path | None, *modules: str) -> None:
        self.layer = "shim" if shim else "python"
        preload = {"LD_PRELOAD": str(shim)} if shim else {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks", *modules],
            env={**os.environ, **preload},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *tasks: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Let tasks be done at once; how each ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(tasks) + "\n")
        self._process.stdin.flush()
        answer: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def fault(self, root: Path, trace: Path, number: int = 0, kind: int = 0) -> dict[str, Any]:
        """What a task gets to be traced, and to fail; each trace is a new file."""
        trace.unlink(missing_ok=True)
        return {
            "layer": self.layer,
            "root": str(root),
            "trace": str(trace),
            "number": number,
            "kind": kind,
        }


@dataclass(frozen=True)
class Scene:
    """An old campaign stands, and the same task is to go wrong in many ways.

    Attributes:
        forks: Who does it.
        old: A home in which `tiny.OLD` is published.
        whole: A copy of it in which nothing happened to the task.
        folder: For homes and traces.
        trace: Of that.
        task: What is done, without its home.
        before: Run that stands in ``old``.
        after: Run that stands in ``whole``.
        result: What ``whole`` has published.
    """

    forks: Forks
    old: Path
    whole: Path
    folder: Path
    trace: tuple[Call, ...]
    task: Mapping[str, Any]
    before: str
    after: str
    result: Mapping[str, Any]

    def copy(self) -> Path:
        """A home in which the old campaign stands."""
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.old, home)
        return home

    def hit(self, home: Path, number: int, kind: int) -> Hit:
        """Let the task go wrong at a call.

        Raises:
            AssertionError: The fault did not happen, or was reported in another way than all are.
        """
        trace = self.folder / "trace"
        fault = self.forks.fault(home, trace, number, kind)
        [ended] = self.forks.ask({**self.task, "home": str(home), "fault": fault})
        hit = Hit(number, kind, ended, calls(trace))
        assert hit.call is not None, f"nothing happened: {hit}"
        assert (ended["code"] == -signal.SIGKILL) == (kind == KILL), hit
        if kind == SHORT:
            assert ended["code"] == 0, hit
        elif kind != KILL and ended["code"]:
            assert ended["code"] == 1, hit
            assert ended["complained"].startswith("xsell: "), hit
            assert ended["complained"].count("\n") == 1, hit
            # Arrow does not tell why a file could not be closed.
            assert hit.call.name == "close" or SAID[kind] in ended["complained"], hit
        return hit

    def is_seen_after(self, home: Path, *hits: Hit) -> None:
        """Readers see the new run if it was committed by one of the hits, and else the old one."""
        is_new = any(hit.has_committed for hit in hits)
        assert checked(home) == (self.after if is_new else self.before), hits

    def is_repeated_after(self, home: Path, *hits: Hit) -> None:
        """The repetition ends with what would have been there without any fault."""
        [ended] = self.forks.ask({**self.task, "home": str(home)})
        assert (ended["code"], checked(home)) == (0, self.after), (ended, hits)
        assert not (left := debris(home)), f"{left} after {hits}"
        assert published(home) == self.result, hits


@dataclass(frozen=True)
class Hit:
    """A fault, and what came of it.

    Attributes:
        number: Of the call that was to fail.
        kind: How.
        ended: How the process ended.
        done: What it had done.
    """

    number: int
    kind: int
    ended: Mapping[str, Any]
    done: Sequence[Call]

    @property
    def call(self) -> Call | None:
        """The first that failed."""
        return next((call for call in self.done if call.has_failed), None)

    @property
    def has_committed(self) -> bool:
        """The run was committed before or in spite of the fault."""
        return any(call.commits_a_run and not call.has_failed for call in self.done)

    def __repr__(self) -> str:
        """What a failed test should tell; a trace has a thousand calls."""
        return f"<{self.kind} at {self.number}: {self.call}; {self.ended}>"


def scene(forks: Forks, old: Path, folder: Path, task: Mapping[str, Any]) -> Scene:
    """Do the task once without any fault."""
    whole, trace = folder / "whole", folder / "trace.whole"
    shutil.copytree(old, whole)
    [ended] = forks.ask({**task, "home": str(whole), "fault": forks.fault(whole, trace)})
    assert ended["code"] == 0, ended
    before, after = checked(old), checked(whole)
    result = published(whole)
    return Scene(forks, old, whole, folder, tuple(calls(trace)), task, before, after, result)


def alone(scene: Scene, number: int, kind: int, again: int | None = None) -> None:
    """One fault in a home of its own, and the repetition.

    Args:
        scene: Where.
        number: The call that goes wrong.
        kind: How.
        again: The repetition is killed at this call before it is repeated once more.
    """
    home = scene.copy()
    hits = [scene.hit(home, number, kind)]
    scene.is_seen_after(home, *hits)
    if again is not None:
        hits.append(scene.hit(home, again, KILL))
        scene.is_seen_after(home, *hits)
    scene.is_repeated_after(home, *hits)


def in_a_row(scene: Scene, faults: Iterable[tuple[int, int]]) -> list[Hit]:
    """Many faults before the commit, one after the other in the same home; then the repetition.

    A few errors do no harm, that of making a folder which is there, for one: then the run goes on.
    """
    home, hits = scene.copy(), []
    for number, kind in faults:
        hits.append(scene.hit(home, number, kind))
        if hits[-1].has_committed:
            assert hits[-1].ended["code"] == 0, hits[-1]
            scene.is_repeated_after(home, hits[-1])
            home = scene.copy()
        assert current_run(home) == scene.before, hits[-1]
        # so that the next one finds the same calls under the same numbers
        Runs(home / "tables").remove_leftovers(one.name for one in (home / "tables").iterdir())
    assert checked(home) == scene.before, hits[-1]
    scene.is_repeated_after(home, hits[-1])
    return hits


def chosen(trace: Sequence[Call], home: Path) -> list[Call]:
    """One call of each sort: what it is and about which kind of path; of writes first and last."""
    found: dict[tuple[str, ...], Call] = {}
    for call, following in pairwise([*trace, None]):
        assert call is not None
        is_last = following is None or (following.name, following.path) != (call.name, call.path)
        if call.name in WRITES[1:] and not is_last:
            continue
        paths = (call.path, call.to or "")
        sort = (call.name, *(CHANGING.sub("*", path.replace(f"{home}/", "")) for path in paths))
        found.setdefault(sort, call)
    return list(found.values())


def takes_space(trace: Iterable[Call]) -> list[Call]:
    """Calls that a full disk stops."""
    return [call for call in trace if call.name in TAKES_SPACE]


def new_campaign() -> dict[str, Any]:
    """The task that most scenes are about."""
    return {"do": "publish", "capacity": tiny.NEW}
