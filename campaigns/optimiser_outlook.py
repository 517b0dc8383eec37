"""What a search for prices has to know beforehand of options that lie in parts: one look at each.

Whole numbers and maxima only, so that it is the same for any number of parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from campaigns.optimiser_problem import NO_GROUP, Bools, Floats, Ints, Limit, Part, Problem
from campaigns.parts import Parts


@dataclass(frozen=True)
class Uses:
    """How the options of some parts use a limit.

    Attributes:
        limit: The limit, without options.
        is_whole: Every customer's options lie in one group, and there is no minimum.
        count: Options of each group.
        amount: What these use up together.
        dearest: What one is worth at most, in cents per unit.
    """

    limit: Limit
    is_whole: bool
    count: Ints
    amount: Ints
    dearest: Floats

    @staticmethod
    def of(problem: Problem, limit: Limit) -> Uses:
        """Those of the options of one part."""
        none = np.zeros(0, np.int64)
        groups = len(limit.most)
        inside = limit.group != NO_GROUP
        uses = inside & (limit.amount > 0)
        dearest = np.zeros(groups, np.float64)
        np.maximum.at(dearest, limit.group[uses], problem.value[uses] / limit.amount[uses])
        return Uses(
            limit=replace(limit, group=none, amount=none),
            is_whole=lies_whole(problem, limit),
            count=np.bincount(limit.group[inside], minlength=groups),
            amount=limit.used(np.flatnonzero(inside)),
            dearest=dearest,
        )

    def plus(self, other: Uses) -> Uses:
        """Both parts together."""
        return Uses(
            self.limit,
            self.is_whole and other.is_whole,
            self.count + other.count,
            self.amount + other.amount,
            np.maximum(self.dearest, other.dearest),
        )

    def typical(self, group: int) -> float:
        """What an option uses up on average."""
        count = int(self.count[group])
        return max(1.0, int(self.amount[group]) / count) if count else 1.0


@dataclass(frozen=True)
class Outlook:
    """How many options there are, what one is worth at most, and how they use limits."""

    options: int
    largest: int
    uses: tuple[Uses, ...]

    @staticmethod
    def of(part: Part) -> Outlook:
        """That of one part."""
        problem = part.problem
        uses = tuple(Uses.of(problem, limit) for limit in problem.limits)
        return Outlook(len(problem), int(np.abs(problem.value).max(initial=0)), uses)

    @staticmethod
    def over(parts: Parts[Part]) -> Outlook:
        """That of all parts."""
        return reduce(Outlook.plus, parts.map(Outlook.of))

    def plus(self, other: Outlook) -> Outlook:
        """Both parts together."""
        uses = tuple(mine.plus(theirs) for mine, theirs in zip(self.uses, other.uses, strict=True))
        return Outlook(self.options + other.options, max(self.largest, other.largest), uses)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """All limits, without options."""
        return tuple(one.limit for one in self.uses)

    @property
    def penalty(self) -> int:
        """Cents that a unit short of a minimum counts: more than options are worth."""
        return 2 * self.largest + 1

    @property
    def whole(self) -> list[int]:
        """Limits of several groups in which customers lie as a whole.

        A price of one group, such as a budget's, would get stuck against those of branches.
        """
        places = range(len(self.uses))
        return [p for p in places if self.uses[p].is_whole and len(self.uses[p].count) > 1]


def lies_whole(problem: Problem, limit: Limit) -> bool:
    """Every customer's options lie in one group, and there is no minimum."""
    if limit.has_least:
        return False
    customer = problem.customer
    first = np.full(int(customer.max(initial=-1)) + 1, NO_GROUP, np.int64)
    first[customer] = limit.group
    is_alike: Bools = first[customer] == limit.group
    return bool(is_alike.all())
