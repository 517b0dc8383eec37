"""Who of the withheld would have been offered something, had they alone not been withheld.

They are the control group of those who were: the same rule must pick both. Offers are chosen as if
no withheld customer existed, so that to take one away changes nothing for anybody else. A withheld
option has then made the cut if it would have displaced what a full branch chose last, at the prices
of everything else, and if its customer's and household's caps leave room beside better offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from campaigns.optimiser import Plan
from campaigns.optimiser_inner import Prices, best_choice, reduced_values
from campaigns.optimiser_problem import (
    NO_GROUP,
    Bools,
    Ints,
    Limit,
    Part,
    Places,
    Problem,
    place_in_group,
)


@dataclass(frozen=True)
class Threshold:
    """What entering a limit costs, as the chosen options say.

    Attributes:
        room: What is left of each group.
        has_used: Something is used up of the group.
        has_last: A chosen option uses it up.
        last: The place of the one that is worth least per unit.
        mark: How much that is.
        is_whole: Customers' options lie in one group, so that the last one may be displaced.
    """

    room: Ints
    has_used: Bools
    has_last: Bools
    last: Places
    mark: Ints
    is_whole: bool

    def passed(self, limit: Limit, reduced: Ints, place: Places) -> tuple[Ints, Bools]:
        """What options are worth less what entering costs, and which lose a tie or have no way."""
        group = np.where(limit.group == NO_GROUP, len(self.room) - 1, limit.group)
        is_full = limit.amount > self.room[group]
        if not self.is_whole:
            return reduced, is_full & ~self.has_used[group]
        dearer = np.where(is_full, np.maximum(self.mark[group], 0) * limit.amount, 0)
        left = reduced - dearer
        loses = (left == 0) & (place > self.last[group])
        return left, is_full & (~self.has_last[group] | loses)


@dataclass(frozen=True)
class Cut:
    """What an option has to exceed to be chosen beside a plan.

    Attributes:
        prices: Of all limits, in parts of a cent.
        unit: How many parts a cent has.
        thresholds: Of every limit.
    """

    prices: Prices
    unit: int
    thresholds: tuple[Threshold, ...]

    @staticmethod
    def of(plan: Plan, is_whole: Sequence[bool]) -> Cut:
        """That of a plan: a full group costs what its last option is worth, other ones their price.

        Args:
            plan: What was chosen without the withheld.
            is_whole: Of each limit: the options of every customer lie in one group, the withheld
                too, and there is no minimum.
        """
        problem, place = plan.made.problem, plan.made.place
        reduced = reduced_values(problem, plan.prices, plan.unit)
        found = []
        for limit, used, whole in zip(problem.limits, plan.used, is_whole, strict=True):
            found.append(_threshold(limit, used, whole, reduced, place))
            reduced, _ = found[-1].passed(limit, reduced, place)
        return Cut(plan.prices, plan.unit, tuple(found))

    def worth_of_entering(self, part: Part) -> tuple[Ints, Bools]:
        """What options are worth less what entering costs, and which lose a tie or have no way."""
        problem = part.problem
        reduced = reduced_values(problem, self.prices, self.unit)
        is_behind = np.zeros(len(problem), np.bool_)
        for limit, threshold in zip(problem.limits, self.thresholds, strict=True):
            reduced, is_out = threshold.passed(limit, reduced, part.place)
            is_behind |= is_out
        return reduced, is_behind


def _threshold(limit: Limit, used: Ints, is_whole: bool, reduced: Ints, place: Places) -> Threshold:
    using = np.flatnonzero(limit.amount > 0)
    worth = reduced[using] // limit.amount[using]
    # the last written stays: the lowest worth, and of these the one that loses ties
    order = np.lexsort((using, -worth))
    groups, without = len(used) + 1, np.where(limit.group == NO_GROUP, len(used), limit.group)
    group = without[using[order]]
    has_last, mark = np.zeros(groups, np.bool_), np.zeros(groups, np.int64)
    last = np.zeros(groups, place.dtype)
    has_last[group], mark[group] = True, worth[order]
    last[group] = place[using[order]]
    room = np.append(limit.most - used, np.iinfo(np.int64).max)
    return Threshold(room, np.append(used, 0) > 0, has_last, last, mark, is_whole)


def made_the_cut(part: Part, cut: Cut, chosen: Ints, is_withheld: Bools) -> Ints:
    """The options of withheld customers that made the cut.

    Args:
        part: Options of some households, those of withheld customers too.
        cut: What they have to exceed.
        chosen: Those that were chosen.
        is_withheld: Whose options may not be chosen.
    """
    problem = part.problem
    reduced, is_behind = cut.worth_of_entering(part)
    enters = is_withheld & (problem.value >= 0) & (reduced >= 0) & ~is_behind
    entering = np.flatnonzero(enters)
    kept = _within_customers(problem, entering, reduced)
    place = place_in_group(problem.customer[kept]) + _better_of_household(
        problem, kept, chosen, reduced
    )
    household = problem.levels[-1]
    found: Ints = kept[place < household.most[household.group[kept]]]
    return found


def _within_customers(problem: Problem, entering: Ints, reduced: Ints) -> Ints:
    """What the caps of each customer leave, the best first."""
    part = problem.part(entering)
    own = Problem(part.value, part.customer, part.household, part.levels[:-1], ())
    kept: Ints = entering[best_choice(own, reduced[entering], 0)]
    return kept


def _better_of_household(problem: Problem, kept: Ints, chosen: Ints, reduced: Ints) -> Ints:
    """How many chosen options of the household are worth more than each of ``kept``."""
    both = np.concatenate([chosen, kept])
    home = problem.household[both]
    order = np.lexsort((both, -np.maximum(reduced[both], 0), home))
    is_chosen = (np.arange(len(both)) < len(chosen))[order]
    so_far: Ints = np.cumsum(is_chosen) - is_chosen
    ordered = home[order]
    is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    before: Ints = np.repeat(
        so_far[is_first], np.diff(np.append(np.flatnonzero(is_first), len(home)))
    )
    found = np.empty(len(both), np.int64)
    found[order] = so_far - before
    return found[len(chosen) :]
