"""From the choice at good prices to one that keeps every limit, and is worth as much as can be.

Prices leave a handful of options too many or too few. Those too many go where that costs least,
what has room is filled up, minima that are short are met by making room, and last an option takes
the place of another one as long as that earns more.
"""

from __future__ import annotations

import numpy as np

from campaigns.optimiser_inner import best_choice
from campaigns.optimiser_problem import NO_GROUP, Bools, Ints, Problem
from campaigns.optimiser_standing import Standing

ROUNDS = 30
BLOCK = 256


def repaired(problem: Problem, reduced: Ints) -> Standing:
    """The choice at these reduced values, made to keep every cap and limit."""
    standing = Standing(problem, best_choice(problem, reduced, 1))
    for place in range(len(problem.limits)):
        _drop_excess(standing, reduced, place)
    _fill(standing, reduced)
    _meet_minima(standing, reduced)
    _drop_losses(standing)
    for _ in range(ROUNDS):
        before = standing.value
        _swap(standing, _in_household(standing))
        for place in range(len(problem.limits)):
            _swap(standing, _in_group(standing, place))
        _fill(standing, reduced)
        if standing.value == before:
            break
    return standing


def completed(standing: Standing) -> Standing:
    """With what fits still and costs nothing, and of equals the first."""
    _fill(standing, standing.problem.value)
    value = standing.problem.value
    for option in np.flatnonzero(~standing.chosen):
        equals = standing.options
        equals = equals[(equals > option) & (value[equals] == value[option])]
        fits = standing.fits(np.full(len(equals), option), equals)
        if fits.any():
            standing.drop(int(equals[fits][-1]))
            standing.add(int(option))
    return standing


def _drop_excess(standing: Standing, reduced: Ints, place: int) -> None:
    """Drop what a limit has too many of, the least regretted first."""
    limit, used = standing.problem.limits[place], standing.used[place]
    over = np.append(used > limit.most, False)
    if not over.any():
        return
    options = standing.options
    options = options[over[limit.group[options]]]
    order = np.argsort(_regret(standing, reduced, options, over, place), kind="stable")
    for option in options[order].tolist():
        group = limit.group[option]
        if used[group] > limit.most[group] and limit.amount[option] > 0:
            standing.drop(option)


def _drop_losses(standing: Standing) -> None:
    """Drop what is a loss and not needed for a minimum."""
    value = standing.problem.value
    options = standing.options
    losses = options[value[options] < 0]
    for option in losses[np.argsort(value[losses], kind="stable")]:
        if standing.spare(option[None])[0]:
            standing.drop(int(option))


def _regret(standing: Standing, reduced: Ints, options: Ints, over: Bools, place: int) -> Ints:
    """How much more an option is worth than the best that its household could have instead."""
    problem = standing.problem
    touched = np.zeros(int(problem.household.max()) + 1, np.bool_)
    touched[problem.household[options]] = True
    others = touched[problem.household] & ~standing.chosen & (reduced > 0)
    others &= ~over[problem.limits[place].group]
    best = np.zeros(len(touched), np.int64)
    np.maximum.at(best, problem.household[others], reduced[others])
    return reduced[options] - best[problem.household[options]]


def _fill(standing: Standing, reduced: Ints) -> None:
    """Add what fits, by reduced value; nothing that is a loss."""
    problem = standing.problem
    free = np.flatnonzero(~standing.chosen & (problem.value >= 0))
    free = free[standing.fits(free)]
    free = free[np.argsort(-reduced[free], kind="stable")]
    for start in range(0, len(free), BLOCK):
        block = free[start : start + BLOCK]
        for option in block[standing.fits(block)]:
            if standing.fits(option[None])[0]:
                standing.add(int(option))


def _swap(standing: Standing, pairs: tuple[Ints, Ints]) -> None:
    """Let an option take another's place where it fits and earns more, the best first."""
    new, old = pairs
    value = standing.problem.value
    keeps = standing.fits(new, old)
    new, old = new[keeps], old[keeps]
    for place in np.argsort(value[old] - value[new], kind="stable").tolist():
        one, other = new[place : place + 1], old[place : place + 1]
        is_open = standing.chosen[other[0]] and not standing.chosen[one[0]]
        if is_open and standing.fits(one, other)[0]:
            standing.drop(int(other[0]))
            standing.add(int(one[0]))


def _in_household(standing: Standing) -> tuple[Ints, Ints]:
    """Every option with every chosen one of its household that is worth less."""
    household, value = standing.problem.household, standing.problem.value
    old = standing.options
    old = old[np.argsort(household[old], kind="stable")]
    homes = household[old]
    new = np.flatnonzero(~standing.chosen)
    first = np.searchsorted(homes, household[new], "left")
    count = np.searchsorted(homes, household[new], "right") - first
    pairs_new = np.repeat(new, count)
    start = np.repeat(first - np.append(0, np.cumsum(count)[:-1]), count)
    pairs_old = old[start + np.arange(len(pairs_new))]
    better = value[pairs_new] > value[pairs_old]
    return pairs_new[better], pairs_old[better]


def _in_group(standing: Standing, place: int) -> tuple[Ints, Ints]:
    """Every option with the chosen one of its group of a limit that is worth least."""
    problem = standing.problem
    limit = problem.limits[place]
    options = standing.options
    options = options[standing.spare(options) & (limit.group[options] != NO_GROUP)]
    options = options[np.argsort(-problem.value[options], kind="stable")]
    least = np.full(len(limit.most) + 1, -1, np.int64)
    least[limit.group[options]] = options
    new = np.flatnonzero(~standing.chosen)
    old = least[limit.group[new]]
    new, old = new[old >= 0], old[old >= 0]
    better = problem.value[new] > problem.value[old]
    return new[better], old[better]


def _meet_minima(standing: Standing, reduced: Ints) -> None:
    """Make room for what minima lack, where that costs least."""
    for place, limit in enumerate(standing.problem.limits):
        for group in np.flatnonzero(standing.used[place] < limit.least).tolist():
            inside = np.flatnonzero((limit.group == group) & ~standing.chosen)
            for option in inside[np.argsort(-reduced[inside], kind="stable")].tolist():
                if standing.used[place][group] >= limit.least[group]:
                    break
                _make_room(standing, reduced, option, (place, group))


def _make_room(standing: Standing, reduced: Ints, option: int, wanted: tuple[int, int]) -> None:
    """Choose an option, and drop for it what stands in its way, if no minimum is missed by that."""
    dropped: list[int] = []
    one = np.array([option])
    while not standing.fits(one)[0]:
        blocking = _blocking(standing, option, wanted)
        if not len(blocking):
            break
        dropped.append(int(blocking[np.argmin(reduced[blocking])]))
        standing.drop(dropped[-1])
    if standing.fits(one)[0]:
        standing.add(option)
        return
    for other in dropped:
        standing.add(other)


def _blocking(standing: Standing, option: int, wanted: tuple[int, int]) -> Ints:
    """Chosen options of the first cap or limit that has no room, which may be dropped."""
    problem, options = standing.problem, standing.options
    options = options[standing.spare(options)]
    place, group = wanted
    options = options[problem.limits[place].group[options] != group]
    inside = np.zeros(len(options), np.bool_)
    for level, count in zip(problem.levels, standing.counts, strict=True):
        mine = level.group[option]
        if count[mine] >= level.most[mine]:
            inside = level.group[options] == mine
            break
    else:
        for limit, used in zip(problem.limits, standing.used, strict=True):
            mine = limit.group[option]
            if mine != NO_GROUP and used[mine] + limit.amount[option] > limit.most[mine]:
                inside = (limit.group[options] == mine) & (limit.amount[options] > 0)
                break
    blocking: Ints = options[inside]
    return blocking
