"""A process that has imported everything and forks one for each task: importing takes seconds.

It must never itself ask delta-rs or Arrow for anything: their threads do not survive a fork.

`python -m tests.faults.forks [MODULE…]` reads a line of JSON per order, a list of tasks that are to
be done at once, and answers with a line: how each of them ended.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import io
import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 -- Arrow imports it at its first conversion
import xlsxwriter  # noqa: F401 -- a workbook imports it

import jobs.campaigns.levers_offered
import jobs.lists.export  # noqa: F401 -- commands import their jobs when they are carried out
from jobs.cli import guarded, main
from jobs.runs.identity import code_version
from tests.faults import broken, points, tiny
from tests.faults.seen import current_run

SECONDS = 120  # after which a task is given up
Task = dict[str, Any]


def publish(task: Task) -> int:
    """Publish a campaign; tell its run, and whether it was there."""

    def do(_: argparse.Namespace) -> int:
        result = tiny.publish(Path(task["home"]), task["capacity"])
        sys.stdout.write(f"{result.record.run_id} {result.was_there_already}\n")
        return 0

    return guarded(do, argparse.Namespace(debug=False))


def command(task: Task) -> int:
    """Carry out a command of xsell; what it writes outside of its home goes beside it."""
    home = task["home"]
    return main([*(word.replace("HOME", home) for word in task["words"]), "--home", home])


def watch(task: Task) -> int:
    """Read again and again until a file tells that all have ended; which runs were seen?"""
    seen: list[str] = []
    ends = Path(task["until"])
    while not ends.exists() or len(ends.read_text()) < task["of"]:
        now = current_run(Path(task["home"]))
        if seen[-1:] != [now]:
            seen.append(now)
    sys.stdout.write(json.dumps(seen))
    return 0


DO = {"publish": publish, "command": command, "watch": watch}


def do(task: Task) -> dict[str, Any]:
    """Carry out a task in this process, with its fault."""
    signal.alarm(SECONDS)
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        broken.WAYS[task.get("broken", "not at all")]()
        time.sleep(task.get("wait", 0))
        if fault := task.get("fault"):
            layer = points.arm if fault["layer"] == "python" else ctypes.CDLL(None).shim_arm
            root, trace = (os.fsencode(fault[name]) for name in ("root", "trace"))
            layer(root, trace, fault["number"], fault["kind"])
        code = DO[task["do"]](task)
    if "done" in task:
        with Path(task["done"]).open("a") as ends:
            ends.write(".")
    return {"code": code, "said": said.getvalue(), "complained": complained.getvalue()}


def fork(task: Task) -> tuple[int, int]:
    """A process at work, and where it will say how it ended."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.close(read)
        answer = json.dumps(do(task)).encode()
        while answer:
            answer = answer[os.write(write, answer) :]
    except BaseException as error:  # noqa: BLE001 -- the parent's loop must not go on here
        os.write(write, json.dumps({"code": 99, "said": "", "complained": repr(error)}).encode())
    finally:
        os._exit(0)


def ended(child: int, read: int) -> dict[str, Any]:
    """How a process ended: its code and what it said, or the signal that killed it."""
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"code": -os.WTERMSIG(status), "said": "", "complained": ""}
    told: dict[str, Any] = json.loads(text)
    return told


if __name__ == "__main__":
    code_version()
    gc.disable()  # to look for cycles, each child would copy all that has been imported
    for capacity in (tiny.OLD, tiny.NEW, tiny.OTHER):
        tiny.settings(capacity)
    for module in sys.argv[1:]:
        import_module(module)
    for line in sys.stdin:
        started = [fork(task) for task in json.loads(line)]
        sys.stdout.write(json.dumps([ended(*one) for one in started]) + "\n")
        sys.stdout.flush()
