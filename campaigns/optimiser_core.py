"""The options in doubt, chosen anew and exactly, while all others stay as they are.

At good prices most options are plainly better or plainly worse than what their household could have
instead. What prices and repair get wrong lies among the few in between: the core (Balas and Zemel,
An algorithm for large zero-one knapsack problems, Operations Research 28, 1980).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from campaigns.optimiser_exact import nearly_exact_choice
from campaigns.optimiser_problem import NO_LIMIT, Ints, Level, Limit, Problem
from campaigns.optimiser_standing import Standing

SHARE = 400  # one option in so many is in doubt
FEWEST = 2_000
FAR = 2**61


def choose_core(standing: Standing, reduced: Ints) -> None:
    """Choose the options in doubt anew; what is chosen then is worth at least as much.

    Args:
        standing: A choice that keeps every cap and limit, and does so afterwards.
        reduced: What each option is worth at good prices.
    """
    problem = standing.problem
    many = min(len(problem), max(FEWEST, len(problem) // SHARE))
    core = np.sort(np.argsort(_doubt(standing, reduced), kind="stable")[:many])
    if not many:
        return
    found = nearly_exact_choice(_left_to(standing, core))
    if found is None:
        return
    before, after = core[standing.chosen[core]], core[found]
    if problem.value[after].sum() <= problem.value[before].sum():
        return
    for option in np.setdiff1d(before, after).tolist():
        standing.drop(option)
    for option in np.setdiff1d(after, before).tolist():
        standing.add(option)


def _doubt(standing: Standing, reduced: Ints) -> Ints:
    """How near each option is to being as good as nothing, or as its rival in the household."""
    household, chosen = standing.problem.household, standing.chosen
    homes = int(household.max(initial=-1)) + 1
    worst, best = np.full(homes, FAR), np.full(homes, -FAR)
    np.minimum.at(worst, household[chosen], reduced[chosen])
    np.maximum.at(best, household[~chosen], reduced[~chosen])
    rival = np.where(chosen, best[household], worst[household])
    return np.minimum(np.abs(reduced), np.abs(reduced - rival))


def _left_to(standing: Standing, core: Ints) -> Problem:
    """The core under what all other chosen options leave of caps and limits."""
    problem, mine = standing.problem, core[standing.chosen[core]]
    levels = tuple(
        _level_left(level, count, core, mine)
        for level, count in zip(problem.levels, standing.counts, strict=True)
    )
    limits = tuple(
        _limit_left(limit, used, core, mine)
        for limit, used in zip(problem.limits, standing.used, strict=True)
    )
    return Problem(
        problem.value[core], problem.customer[core], problem.household[core], levels, limits
    )


def _level_left(level: Level, count: Ints, core: Ints, mine: Ints) -> Level:
    groups, place = np.unique(level.group[core], return_inverse=True)
    own = np.bincount(level.group[mine], minlength=len(level.most))[groups]
    return Level(place.astype(np.int64), (level.most - count)[groups] + own)


def _limit_left(limit: Limit, used: Ints, core: Ints, mine: Ints) -> Limit:
    """What is left; of a minimum that is short already, what the core has of it now."""
    own = limit.used(mine)
    others = used - own
    return replace(
        limit,
        group=limit.group[core],
        amount=limit.amount[core],
        most=np.where(limit.most < NO_LIMIT, limit.most - others, NO_LIMIT),
        least=np.clip(limit.least - others, 0, own),
    )
