"""Prices of the shared limits at which what households choose by themselves nearly keeps them.

The bound is a convex function of the prices. Limits in which a customer lies as a whole (a branch,
an advisor) may be many, but given the other prices the best price of each is an order statistic:
what the first option is worth that finds no room. The price of one branch may shift what a
household chooses in another, hence the sweeps. The few others (products, partners, budget, size)
are searched for by their slopes, first on a sample of households, then on all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from campaigns.optimiser_descent import Descent, Floats
from campaigns.optimiser_inner import Prices, best_choice, fine_unit, reduced_values, sale
from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Ints, Limit, Problem

SAMPLE_OPTIONS = 150_000
SAMPLE_ROOM = 12
STEPS_ON_SAMPLE = 150
STEPS = 40
SWEEPS = 4
WIDENINGS = 12
MIX = 2654435761


@dataclass(frozen=True)
class Variable:
    """One price to search for: of what must not be exceeded (+1) or must be reached (-1)."""

    limit: int
    group: int
    sign: int


def search_prices(problem: Problem, penalty: int) -> tuple[Prices, int]:
    """Good prices, in parts of a cent, and how many parts a cent has.

    Args:
        problem: All options.
        penalty: Cents that a unit short of a minimum counts at most; keeps its price finite.
    """
    unit = fine_unit(problem)
    search = Search(problem, unit, penalty)
    start = np.zeros(len(search.variables))
    smaller = _sample(problem)
    if smaller is not None and search.variables:
        coarse = Search(smaller, unit, penalty)
        start = coarse.descend(start, STEPS_ON_SAMPLE)
        search.prices = coarse.prices
    best = search.descend(start, STEPS if smaller is not None else STEPS_ON_SAMPLE)
    search.settle(best)
    return search.prices, unit


def _sample(problem: Problem) -> Problem | None:
    """Households drawn by a hash of their number, with their part of every limit."""
    rooms = [
        float(np.median(limit.most[limit.most < NO_LIMIT]) / max(1.0, limit.amount.mean()))
        for limit in problem.limits
        if len(problem) and (limit.most < NO_LIMIT).any()
    ]
    room = SAMPLE_ROOM / max(1.0, min(rooms, default=1.0))
    share = max(SAMPLE_OPTIONS / max(1, len(problem)), room)
    parts = int(1 / share) if share < 1 else 1
    if parts <= 1:
        return None
    drawn = np.flatnonzero((problem.household * MIX % 2**32) % parts == 0)
    sample = problem.part(drawn)
    limits = tuple(
        replace(
            limit,
            most=np.where(limit.most < NO_LIMIT, limit.most // parts, NO_LIMIT),
            least=limit.least // parts,
        )
        for limit in sample.limits
    )
    return replace(sample, limits=limits)


def lies_whole(problem: Problem, limit: Limit) -> bool:
    """Every customer's options lie in one group, and there is no minimum."""
    if limit.has_least:
        return False
    customer = problem.customer
    first = np.full(int(customer.max(initial=-1)) + 1, NO_GROUP, np.int64)
    first[customer] = limit.group
    return bool((first[customer] == limit.group).all())


class Search:
    """The bound as a function of a few prices, with those of branches and the like found anew."""

    def __init__(self, problem: Problem, unit: int, penalty: int) -> None:
        self.problem, self.unit, self.penalty = problem, unit, penalty
        self.prices: Prices = tuple(np.zeros(len(item.most), np.int64) for item in problem.limits)
        limits = enumerate(problem.limits)
        # A price of one group, such as a budget's, would get stuck against those of branches.
        self.whole = [
            place for place, item in limits if len(item.most) > 1 and lies_whole(problem, item)
        ]
        self.variables = [
            Variable(place, group, sign)
            for place, item in enumerate(problem.limits)
            if place not in self.whole
            for group in range(len(item.most))
            for sign in (1, -1)
            if (item.most[group] < NO_LIMIT if sign > 0 else item.least[group] > 0)
        ]
        self.typical = np.array([self._typical(variable) for variable in self.variables])
        self.highest = np.array([self._highest(variable) for variable in self.variables])
        self.width: int | None = None

    def _typical(self, variable: Variable) -> float:
        limit = self.problem.limits[variable.limit]
        inside = limit.amount[limit.group == variable.group]
        return max(1.0, float(inside.mean())) if len(inside) else 1.0

    def _highest(self, variable: Variable) -> float:
        limit = self.problem.limits[variable.limit]
        if variable.sign < 0:
            return float(self.penalty)
        uses = (limit.group == variable.group) & (limit.amount > 0)
        worth = self.problem.value[uses] / limit.amount[uses]
        return float(worth.max(initial=0)) + self.penalty

    def descend(self, start: Floats, steps: int) -> Floats:
        """The prices with the least bound that about so many steps find."""
        if not self.variables:
            return start
        scale = self.typical
        descent = Descent(
            lambda point: self._scaled(point, scale), start * scale, self.highest * scale
        )
        descent.smoothly(steps)
        descent.by_planes(steps)
        found: Floats = descent.best / scale
        return found

    def _scaled(self, point: Floats, scale: Floats) -> tuple[float, Floats]:
        bound, slope = self.bound_at(point / scale)
        return bound, slope / scale

    def settle(self, few: Floats) -> None:
        """Sweep until the prices of branches fit the choices that they themselves bring about."""
        for _ in range(SWEEPS):
            self.bound_at(few)

    def bound_at(self, few: Floats) -> tuple[float, Floats]:
        """The bound in cents at these prices of the few, and its slope."""
        self._set(few)
        kept, reduced = self._sweep()
        chosen = kept[reduced > 0]
        gain = int(reduced[reduced > 0].sum())
        bound = (gain + sale(self.problem, self.prices)) / self.unit
        used = [limit.used(chosen) for limit in self.problem.limits]
        return bound, np.array([self._slope(variable, used) for variable in self.variables])

    def _slope(self, variable: Variable, used: list[Ints]) -> float:
        limit, took = self.problem.limits[variable.limit], used[variable.limit][variable.group]
        if variable.sign > 0:
            return float(limit.most[variable.group] - took)
        return float(took - limit.least[variable.group])

    def _set(self, few: Floats) -> None:
        """The few prices as whole parts of a cent."""
        changed = {variable.limit for variable in self.variables}
        for place in changed:
            self.prices[place][:] = 0
        for variable, price in zip(self.variables, few, strict=True):
            self.prices[variable.limit][variable.group] += variable.sign * round(price * self.unit)

    def _sweep(self) -> tuple[Ints, Ints]:
        """New prices of branches and the like, with what is chosen at them or nearly so."""
        for _ in range(WIDENINGS):
            floor = self._floor()
            reduced = reduced_values(self.problem, self.prices, self.unit)
            kept = best_choice(self.problem, reduced, floor)
            reduced = reduced[kept]
            is_wide = True
            for place in self.whole:
                new, is_found = self._order_statistic(place, kept, reduced, floor)
                limit = self.problem.limits[place]
                change: Ints = np.append(new - self.prices[place], 0)
                reduced -= change[limit.group[kept]] * limit.amount[kept]
                self.prices[place][:] = new
                is_wide &= is_found
            if is_wide:
                break
        return kept, reduced

    def _floor(self) -> int:
        """How far below nothing an option may be worth that a lower price would let in."""
        dear = [self.prices[place] for place in self.whole if self.prices[place].any()]
        if not dear:
            return 1
        positive = np.concatenate([price[price > 0] for price in dear])
        return 1 - int(np.median(positive)) // 4

    def _order_statistic(
        self, place: int, kept: Ints, reduced: Ints, floor: int
    ) -> tuple[Ints, bool]:
        """For each group what the first option is worth, per unit, that finds no room."""
        limit, old = self.problem.limits[place], self.prices[place]
        group, amount = limit.group[kept], limit.amount[kept]
        uses = (group != NO_GROUP) & (amount > 0)
        group, amount = group[uses], amount[uses]
        worth = reduced[uses] // amount + old[group]
        order = np.lexsort((-worth, group))
        group, amount, worth = group[order], amount[order], worth[order]
        is_over = _running(group, amount) > limit.most[group]
        groups, first = np.unique(group[is_over], return_index=True)
        new = np.zeros(len(old), np.int64)
        new[groups] = np.maximum(worth[is_over][first], 0)
        missing = old > 0
        missing[groups] = False
        # An option below the floor may be the one: go down as far as is known and look again.
        new[missing] = np.maximum(old[missing] + floor, 0)
        return new, not (missing & (new > 0)).any()


def _running(group: Ints, amount: Ints) -> Ints:
    """Sums so far within each group; groups lie together."""
    total = np.cumsum(amount)
    is_first = np.ones(len(group), np.bool_)
    is_first[1:] = group[1:] != group[:-1]
    before = (total - amount)[is_first]
    return total - np.repeat(before, np.diff(np.append(np.flatnonzero(is_first), len(group))))
