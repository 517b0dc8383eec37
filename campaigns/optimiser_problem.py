"""What is to be chosen and within which limits, as arrays: one entry per option.

An option is one offer to one customer. Values are whole cents, amounts whole units (contacts,
minutes, cents of cost), so that every sum is exact and the same on any number of shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[Any]
NO_LIMIT = 2**62
NO_GROUP = -1


@dataclass(frozen=True)
class Level:
    """Groups of options of one household, of which only so many may be chosen.

    Attributes:
        group: The group of each option.
        most: How many of each group.
    """

    group: Ints
    most: Ints


@dataclass(frozen=True)
class Limit:
    """Something that many households share: a branch's contacts, a product's quota, a budget.

    Attributes:
        name: What it is, e.g. ``branch``.
        unit: What is counted, e.g. ``contact``.
        labels: The name of each group.
        group: The group of each option, or ``NO_GROUP``.
        amount: What each option uses up; not negative.
        most: What each group has, or ``NO_LIMIT``.
        least: What must be used up of each group.
    """

    name: str
    unit: str
    labels: tuple[str, ...]
    group: Ints
    amount: Ints
    most: Ints
    least: Ints

    def used(self, options: Ints) -> Ints:
        """What ``options`` use up of each group."""
        group = self.group[options]
        inside = group != NO_GROUP
        used = np.zeros(len(self.most), np.int64)
        np.add.at(used, group[inside], self.amount[options][inside])
        return used

    @cached_property
    def has_least(self) -> bool:
        """Something must be used up."""
        return bool(self.least.any())


@dataclass(frozen=True)
class Problem:
    """Options in the order that decides ties: of two that are worth the same the first is better.

    Attributes:
        value: Expected profit of each option, in cents; may be negative.
        customer: Whose each option is, numbered from 0.
        household: Who lives together, numbered from 0; everything in ``levels`` lies within.
        levels: Caps that lie within one another, the innermost first: a group of one level lies in
            one group of the next.
        limits: What households share.
    """

    value: Ints
    customer: Ints
    household: Ints
    levels: tuple[Level, ...]
    limits: tuple[Limit, ...]

    def __len__(self) -> int:
        return len(self.value)

    def part(self, options: Ints) -> Problem:
        """Only these options, under the same caps and limits."""
        return Problem(
            self.value[options],
            self.customer[options],
            self.household[options],
            tuple(Level(level.group[options], level.most) for level in self.levels),
            tuple(
                replace(limit, group=limit.group[options], amount=limit.amount[options])
                for limit in self.limits
            ),
        )

    def shards(self, count: int) -> list[Part]:
        """The options in parts that no household lies across."""
        every = np.arange(len(self), dtype=np.int64)
        if count == 1:
            return [Part(self, every)]
        places = [every[self.household % count == shard] for shard in range(count)]
        return [Part(self.part(own), own) for own in places]


@dataclass(frozen=True)
class Part:
    """Some of all options, numbered by themselves, under the limits of all.

    Attributes:
        problem: The options. Numbers of customers, households and groups of levels are its own.
        place: Of each option among all, which decides ties; rising. Numbers, or bytes that sort
            alike in all parts.
    """

    problem: Problem
    place: Places

    def only(self, options: Ints) -> Part:
        """These of its options, with groups of levels that have options only."""
        return Part(_renumbered(self.problem.part(options)), self.place[options])


def _renumbered(problem: Problem) -> Problem:
    """The same, with customers, households and groups of levels in the order of their options."""
    levels = []
    for level in problem.levels:
        number, groups = _by_appearance(level.group)
        levels.append(Level(number, level.most[groups]))
    return replace(
        problem,
        customer=_by_appearance(problem.customer)[0],
        household=_by_appearance(problem.household)[0],
        levels=tuple(levels),
    )


def _by_appearance(group: Ints) -> tuple[Ints, Ints]:
    """Each entry's number, counted from 0 in the order in which groups come, and the groups."""
    groups, first, place = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(groups), np.int64)
    number[order] = np.arange(len(groups))
    return number[place], groups[order]


def joined(parts: Sequence[Part]) -> Part:
    """The options of all parts, in the order of their places."""
    together = beside(parts)
    if len(parts) == 1:
        return Part(_renumbered(together.problem), together.place)
    order = np.argsort(together.place, kind="stable")
    return Part(_renumbered(together.problem.part(order)), together.place[order])


def beside(parts: Sequence[Part]) -> Part:
    """The options of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    problems = [part.problem for part in parts]
    whole = Problem(
        np.concatenate([problem.value for problem in problems]),
        _numbered_on([problem.customer for problem in problems]),
        _numbered_on([problem.household for problem in problems]),
        tuple(map(_levels, zip(*(problem.levels for problem in problems), strict=True))),
        tuple(map(limit_beside, zip(*(problem.limits for problem in problems), strict=True))),
    )
    return Part(whole, np.concatenate([part.place for part in parts]))


def _levels(same: Sequence[Level]) -> Level:
    counts = [len(level.most) for level in same]
    group = _numbered_on([level.group for level in same], counts)
    return Level(group, np.concatenate([level.most for level in same]))


def limit_beside(same: Sequence[Limit]) -> Limit:
    """The options of all parts, one part after the other, under one limit."""
    group = np.concatenate([limit.group for limit in same])
    return replace(same[0], group=group, amount=np.concatenate([limit.amount for limit in same]))


def _numbered_on(numbers: Sequence[Ints], counts: Sequence[int] | None = None) -> Ints:
    """The numbers of each part after those of the parts before it."""
    own = counts or [int(part.max(initial=-1)) + 1 for part in numbers]
    before = np.cumsum([0, *own[:-1]])
    return np.concatenate([part + start for part, start in zip(numbers, before, strict=True)])


def place_in_group(group: Ints) -> Ints:
    """Each entry's place among those of its group, from 0, in the order given."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    is_first = np.ones(len(group), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(is_first)
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.repeat(first, np.diff(np.append(first, len(group))))
    return place
