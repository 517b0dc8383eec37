"""Ten million customers x 20 offers, in parts that are read from disk when they are looked at.

`optimiser_parts.py PARTS CUSTOMERS ENGINE`: so many parts of so many customers, each with branches
of their own; quotas, partners, budget and size are shared by all. Parts are looked at in threads of
this process or, with an engine's name, in tasks of that. Prints and writes seconds, memory and gap.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import overload

import numpy as np
from measure import merge_result
from numpy.typing import NDArray
from optimiser_options import make_options

from campaigns.optimiser import Plan, optimise_parts
from campaigns.optimiser_problem import NO_GROUP, Ints, Level, Limit, Part, Problem
from campaigns.parts import InProcess, Parts, itself
from conf.schema import EngineSettings
from jobs.engine import open_engine
from jobs.engine_parts import EngineParts

CUSTOMERS, PARTS = 1_000_000, 10
OWN = ("branch", "advisor")  # limits that each part has its own groups of
Totals = dict[str, tuple[Ints, Ints]]


class StoredParts(Sequence[Part]):
    """Parts in a folder; one is in memory while it is looked at."""

    def __init__(self, folder: Path, parts: int, customers: int) -> None:
        self._folder, self._parts = folder, parts
        self._first = np.zeros(parts + 1, np.int64)
        found = [
            self._stored(part, make_options(customers, part + 1).problem) for part in range(parts)
        ]
        self._totals = {
            limit.name: _together([problem[place] for problem in found], limit.name in OWN)
            for place, limit in enumerate(found[0])
        }

    def _stored(self, part: int, problem: Problem) -> tuple[Limit, ...]:
        """Write what options have, and return what limits have."""
        self._first[part + 1] = self._first[part] + len(problem)
        for name, values in _arrays(problem):
            np.save(self._folder / f"{part}-{name}.npy", values.astype(np.int32))
        none = np.zeros(0, np.int64)
        return tuple(replace(limit, group=none, amount=none) for limit in problem.limits)

    def __len__(self) -> int:
        return self._parts

    @overload
    def __getitem__(self, place: int) -> Part: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Part]: ...
    def __getitem__(self, place: int | slice) -> Part | Sequence[Part]:
        """Read a part."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(self._parts))]
        if not 0 <= place < self._parts:
            raise IndexError(place)
        return self.read(place)

    def read(self, part: int) -> Part:
        """Read a part."""

        def read(name: str) -> Ints:
            return np.load(self._folder / f"{part}-{name}.npy").astype(np.int64)

        levels = tuple(Level(read(f"level{n}"), read(f"most{n}")) for n in range(3))
        limits = []
        for name, (most, least) in self._totals.items():
            group, labels = read(f"group-{name}"), tuple(map(str, range(len(most))))
            if name in OWN:
                group[group != NO_GROUP] += part * (len(most) // self._parts)
            limits.append(Limit(name, name, labels, group, read(f"amount-{name}"), most, least))
        problem = Problem(read("value"), read("customer"), read("household"), levels, tuple(limits))
        return Part(problem, np.arange(self._first[part], self._first[part + 1]))


def _arrays(problem: Problem) -> Iterator[tuple[str, Ints]]:
    yield "value", problem.value
    yield "customer", problem.customer
    yield "household", problem.household
    for number, level in enumerate(problem.levels):
        yield f"level{number}", level.group
        yield f"most{number}", level.most
    for limit in problem.limits:
        yield f"group-{limit.name}", limit.group
        yield f"amount-{limit.name}", limit.amount


def _together(limits: Sequence[Limit], is_own: bool) -> tuple[Ints, Ints]:
    """What a limit has in all parts: group after group, or the sum of each group."""
    unite = np.concatenate if is_own else sum
    most: NDArray[np.int64] = unite([limit.most for limit in limits])
    least: NDArray[np.int64] = unite([limit.least for limit in limits])
    return most, least


@contextmanager
def looked_at(stored: StoredParts, folder: Path, engine: str) -> Iterator[Parts[Part]]:
    """The parts, by threads of this process unless an engine is named."""
    if not engine:
        yield InProcess(stored)
        return
    with open_engine(EngineSettings(kind=engine, url="", shuffle_partitions=2)) as session:
        parts = list(range(len(stored)))
        yield EngineParts(session, folder, parts, stored.read).altered(itself)


def main() -> None:
    """May be said: how many PARTS, of how many CUSTOMERS, and which ENGINE."""
    parts, customers, engine = (
        *sys.argv[1:],
        *(str(PARTS), str(CUSTOMERS), "")[len(sys.argv) - 1 :],
    )
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        stored = StoredParts(Path(folder), int(parts), int(customers))
        wall, cpu = time.monotonic(), time.process_time()
        with looked_at(stored, Path(folder), engine) as found:
            plan: Plan = optimise_parts(found)
        size = f"{engine}_{int(parts) * int(customers)}".removeprefix("_")
        merge_result(
            "optimiser",
            {
                f"seconds_{size}": round(time.monotonic() - wall, 1),
                f"cpu_s_{size}": round(time.process_time() - cpu, 1),
                f"gap_{size}": plan.gap,
                # of the whole process, the making of the parts too
                f"peak_mb_{size}": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1
                ),
            },
        )


if __name__ == "__main__":
    main()
