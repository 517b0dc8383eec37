"""Time and memory of a command and of everything it starts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CUSTOMERS, AS_OF = 20_000, "2026-11-01"
DEFAULT_BANK = ("--customers", str(CUSTOMERS), "--until", AS_OF)
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.5  # to add up pages takes a large process tens of milliseconds


@dataclass(frozen=True)
class Measured:
    """What a command and all it starts cost: wall and CPU seconds, peak of memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measured(command: Sequence[str]) -> Measured:
    """Run a command to its end.

    Memory is that of the process tree, sampled; a page that several processes share counts in
    parts (the kernel's proportional set size), and one that was given back counts no more, though
    the kernel takes it only when somebody wants it (``LazyFree``). A process that nobody waited
    for, such as Java's, is missing from the kernel's sum of seconds: then those last seen of each
    process count.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(command)
    peak, seconds = 0, dict[int, float]()
    while process.poll() is None:
        tree = _tree(process.pid)
        peak = max(peak, sum(map(_proportional_bytes, tree)))
        seconds |= {number: _cpu_seconds(number) for number in tree}
        time.sleep(SAMPLE_SECONDS)
    wall = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cpu = max(cpu, sum(seconds.values()))
    return Measured(round(wall, 2), round(cpu, 2), round(peak / 2**20, 1))


def ingested_bank(home: Path, customers: int) -> Path:
    """Make a demo bank of 24 deliveries in ``home`` and ingest them."""
    xsell, place = str(Path(sys.executable).parent / "xsell"), ["--home", str(home)]
    measured([xsell, "demo", *place, "--customers", str(customers), "--until", AS_OF])
    measured([xsell, "ingest", *place, "--as-of", AS_OF])
    return home


def write_result(name: str, result: Mapping[str, float], folder: Path = Path("var/bench")) -> None:
    """Print a benchmark's figures and write them where others read them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for key, value in result.items():
        print(f"{key:<20} {value:>14,}")
    print(f"written to {path}")


def merge_result(name: str, result: Mapping[str, float], folder: Path = Path("var/bench")) -> None:
    """Add figures to those that another program has written under the same name."""
    path = folder / f"{name}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_result(name, {**known, **result}, folder)


def _tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(_parent(entry), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def _parent(process: Path) -> int:
    stat = _stat(process)
    return int(stat[1]) if stat else 0


def _cpu_seconds(process: int) -> float:
    """Of the process alone, not of those it waited for."""
    stat = _stat(Path("/proc", str(process)))
    return (int(stat[11]) + int(stat[12])) / TICKS if stat else 0.0


def _stat(process: Path) -> list[str]:
    """What follows the name in the kernel's line; nothing once it has ended."""
    try:
        return (process / "stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return []


def _proportional_bytes(process: int) -> int:
    try:
        lines = Path("/proc", str(process), "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    kilobytes = {name: int(text.split()[0]) for name, text in (one.split(":") for one in lines[1:])}
    return (kilobytes.get("Pss", 0) - kilobytes.get("LazyFree", 0)) * 1024
