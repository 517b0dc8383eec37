"""Who of the withheld would have been offered something, had they alone not been withheld.

They are the control group of those who were: the same rule must pick both. Offers are chosen as if
no withheld customer existed, so that to take one away changes nothing for anybody else. A withheld
option has then made the cut if it would have displaced what a full branch chose last, at the prices
of everything else, and if its customer's and household's caps leave room beside better offers.
"""

from __future__ import annotations

import numpy as np

from campaigns.optimiser import Plan
from campaigns.optimiser_inner import best_choice, reduced_values
from campaigns.optimiser_prices import lies_whole
from campaigns.optimiser_problem import NO_GROUP, Bools, Ints, Problem, place_in_group


def made_the_cut(problem: Problem, plan: Plan, chosen: Ints, is_withheld: Bools) -> Ints:
    """The options of withheld customers that made the cut.

    Args:
        problem: All options, those of withheld customers too.
        plan: What was chosen without them.
        chosen: The same as options of ``problem``.
        is_withheld: Whose options may not be chosen.
    """
    reduced, is_behind = _worth_of_entering(problem, plan, chosen)
    enters = is_withheld & (problem.value >= 0) & (reduced >= 0) & ~is_behind
    entering = np.flatnonzero(enters)
    kept = _within_customers(problem, entering, reduced)
    place = place_in_group(problem.customer[kept]) + _better_of_household(
        problem, kept, chosen, reduced
    )
    household = problem.levels[-1]
    found: Ints = kept[place < household.most[household.group[kept]]]
    return found


def _worth_of_entering(problem: Problem, plan: Plan, chosen: Ints) -> tuple[Ints, Bools]:
    """What each option is worth less what entering costs, and whether it loses a tie or has no way.

    A group that is full costs what its last option is worth there, one with room its price.
    """
    reduced = reduced_values(problem, plan.prices, plan.unit)
    options = np.arange(len(problem))
    is_behind = np.zeros(len(problem), np.bool_)
    for limit, used in zip(problem.limits, plan.used, strict=True):
        group = np.where(limit.group == NO_GROUP, len(used), limit.group)
        room = np.append(limit.most - used, np.iinfo(np.int64).max)
        is_full = limit.amount > room[group]
        if lies_whole(problem, limit):
            last, mark = _last_of(group, reduced, limit.amount, chosen, len(used) + 1)
            dearer = np.where(is_full, np.maximum(mark[group], 0) * limit.amount, 0)
            reduced = reduced - dearer
            is_behind |= is_full & ((last[group] < 0) | ((reduced == 0) & (options > last[group])))
        else:
            is_behind |= is_full & (np.append(used, 0)[group] == 0)
    return reduced, is_behind


def _last_of(
    group: Ints, reduced: Ints, amount: Ints, chosen: Ints, groups: int
) -> tuple[Ints, Ints]:
    """Of each group the chosen option that is worth least per unit, or -1, and how much that is."""
    using = chosen[amount[chosen] > 0]
    worth = reduced[using] // amount[using]
    # the last written stays: the lowest worth, and of these the one that loses ties
    order = np.lexsort((using, -worth))
    last, mark = np.full(groups, -1, np.int64), np.zeros(groups, np.int64)
    last[group[using[order]]] = using[order]
    mark[group[using[order]]] = worth[order]
    return last, mark


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
