"""The exact choice of a small problem, and why minima cannot be met, by HiGHS.

HiGHS (Huangfu and Hall, Parallelizing the dual revised simplex method, Mathematical Programming
Computation 10, 2018) comes with SciPy. One thread and no time limit: the same answer every time.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from campaigns.optimiser_inner import Prices
from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Floats, Ints, Problem

WHOLE = 1e-6
EXACTLY = {"mip_rel_gap": 0.0}
NEAR, NODES = 1e-6, 20


@dataclass(frozen=True)
class Rows:
    """Constraints ``uses @ x <= room``, and ``reaches @ x >= least``.

    Attributes:
        of_limit: The limit and group of each row of ``uses``; (-1, -1) for a cap of a household.
        of_minimum: The limit and group of each row of ``reaches``.
    """

    uses: csr_array
    room: Ints
    of_limit: list[tuple[int, int]]
    reaches: csr_array
    least: Ints
    of_minimum: list[tuple[int, int]]


def exact_choice(problem: Problem) -> Ints:
    """Of the choices that lack least of the minima, one that is worth most."""
    if not len(problem):
        return np.zeros(0, np.int64)
    rows = _rows(problem)
    chosen = _whole(rows, problem.value)
    if chosen is None:
        lacking = _whole(rows, np.zeros(len(problem)), short_costs=1)
        assert lacking is not None
        limit = round(float(lacking[len(problem) :].sum()))
        chosen = _whole(rows, problem.value, short_costs=0, short_most=limit)
    assert chosen is not None
    return np.flatnonzero(chosen[: len(problem)] > 1 / 2)


def nearly_exact_choice(problem: Problem) -> Ints | None:
    """The best choice within all limits that ``NODES`` nodes of branch and bound come upon."""
    options = {"mip_rel_gap": NEAR, "node_limit": NODES}
    chosen = _whole(_rows(problem), problem.value, options=options)
    return None if chosen is None else np.flatnonzero(chosen > 1 / 2)


def exact_prices(problem: Problem, unit: int) -> Prices:
    """Shadow prices of the relaxation in which options may be chosen in part."""
    prices = tuple(np.zeros(len(limit.most), np.int64) for limit in problem.limits)
    if not len(problem):
        return prices
    rows = _rows(problem)
    penalty = 2 * float(np.abs(problem.value).max()) + 1
    marginals = np.rint(_relaxed(rows, problem.value, penalty)[1] * unit).astype(np.int64)
    for (place, group), marginal in zip(rows.of_limit, marginals, strict=False):
        if place >= 0:
            prices[place][group] -= marginal
    for (place, group), marginal in zip(
        rows.of_minimum, marginals[len(rows.of_limit) :], strict=True
    ):
        prices[place][group] += marginal
    return prices


@dataclass(frozen=True)
class Clash:
    """Why minima cannot be met.

    Attributes:
        lacking: Units that are lacking whatever is chosen.
        limits: The limits and groups that together prove it.
        needs_caps: The caps of customers and households are part of the proof.
    """

    lacking: int
    limits: tuple[tuple[int, int], ...]
    needs_caps: bool


def clash(problem: Problem) -> Clash:
    """Which limits keep the minima from being met.

    Only options that count towards a minimum matter. What these fall short of at least, taken
    together, is a linear programme; the limits with a price in its solution prove it.
    """
    counts = np.zeros(len(problem), np.bool_)
    for limit in problem.limits:
        counts |= np.append(limit.least > 0, False)[limit.group] & (limit.amount > 0)
    small = problem.part(np.flatnonzero(counts))
    rows = _rows(small)
    lacking, marginals = _relaxed(rows, np.zeros(len(small)), 1)
    every = [*rows.of_limit, *rows.of_minimum]
    clashing = [every[row] for row in np.flatnonzero(np.abs(marginals) > WHOLE)]
    return Clash(
        lacking=int(np.ceil(lacking - WHOLE)),
        limits=tuple(sorted({pair for pair in clashing if pair[0] >= 0})),
        needs_caps=any(place < 0 for place, _ in clashing),
    )


def _relaxed(rows: Rows, value: Ints | Floats, penalty: float) -> tuple[float, Floats]:
    """Cost and marginals if options may be chosen in part and what is lacking costs a penalty."""
    short = len(rows.least)
    found = linprog(
        np.concatenate([-value.astype(float), np.full(short, penalty)]),
        A_ub=vstack([_wide(rows.uses, short), -_reaching(rows, short)]).tocsr(),
        b_ub=np.concatenate([rows.room, -rows.least]),
        bounds=[(0, 1)] * len(value) + [(0, None)] * short,
        method="highs-ds",
    )
    return float(found.fun), found.ineqlin.marginals


def _whole(
    rows: Rows,
    value: Ints | Floats,
    short_costs: int | None = None,
    short_most: int = NO_LIMIT,
    options: Mapping[str, float] = EXACTLY,
) -> Floats | None:
    """The best choice of whole options; None if minima cannot be met and may not lack anything."""
    short = 0 if short_costs is None else len(rows.least)
    constraints = [
        LinearConstraint(_wide(rows.uses, short), -np.inf, rows.room),
        LinearConstraint(_reaching(rows, short), rows.least, np.inf),
    ]
    if short_most < NO_LIMIT:
        lacking = np.concatenate([np.zeros(len(value)), np.ones(short)])
        constraints.append(LinearConstraint(lacking[None, :], -np.inf, short_most))
    with _unheard():
        found = milp(
            np.concatenate([-value.astype(float), np.full(short, float(short_costs or 0))]),
            integrality=np.ones(len(value) + short),
            bounds=Bounds(0, np.concatenate([np.ones(len(value)), np.full(short, np.inf)])),
            constraints=constraints,
            options=dict(options),
        )
    return None if found.x is None else np.asarray(found.x)


@contextmanager
def _unheard() -> Iterator[None]:
    """Send what C code prints nowhere: HiGHS 1.12 leaves a line of its own on standard output."""
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        libc.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _reaching(rows: Rows, short: int) -> csr_array:
    return hstack([rows.reaches, eye_array(short)]).tocsr() if short else rows.reaches


def _wide(matrix: csr_array, more: int) -> csr_array:
    """With ``more`` columns that use nothing."""
    return hstack([matrix, csr_array((matrix.shape[0], more))]).tocsr() if more else matrix


def _rows(problem: Problem) -> Rows:
    empty = csr_array((0, len(problem)))
    uses, room, of_limit = [empty], [np.zeros(0, np.int64)], list[tuple[int, int]]()
    reaches, least, of_minimum = [empty], [np.zeros(0, np.int64)], list[tuple[int, int]]()
    ones = np.ones(len(problem), np.int64)
    for level in problem.levels:
        binding = np.flatnonzero(np.bincount(level.group, minlength=len(level.most)) > level.most)
        uses.append(_matrix(level.group, ones, binding))
        room.append(level.most[binding])
        of_limit += [(-1, -1)] * len(binding)
    for place, limit in enumerate(problem.limits):
        binding = np.flatnonzero(limit.most < NO_LIMIT)
        uses.append(_matrix(limit.group, limit.amount, binding))
        room.append(limit.most[binding])
        of_limit += [(place, group) for group in binding.tolist()]
        wanted = np.flatnonzero(limit.least > 0)
        reaches.append(_matrix(limit.group, limit.amount, wanted))
        least.append(limit.least[wanted])
        of_minimum += [(place, group) for group in wanted.tolist()]
    return Rows(
        vstack(uses).tocsr(), np.concatenate(room), of_limit,
        vstack(reaches).tocsr(), np.concatenate(least), of_minimum,
    )  # fmt: skip


def _matrix(group: Ints, amount: Ints, groups: Ints) -> csr_array:
    """A row per group: what each option uses up of it."""
    row = np.full(int(max(group.max(initial=0), groups.max(initial=0))) + 2, NO_GROUP)
    row[groups] = np.arange(len(groups))
    mine = row[group]
    inside = np.flatnonzero(mine != NO_GROUP)
    shape = (len(groups), len(group))
    return csr_array((amount[inside].astype(float), (mine[inside], inside)), shape=shape)
