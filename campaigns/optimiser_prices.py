"""Prices of the shared limits at which what households choose by themselves nearly keeps them.

The bound is a convex function of the prices. Limits in which a customer lies as a whole (a branch,
an advisor) may be many, but given the other prices the best price of each is an order statistic:
what the first option is worth that finds no room. The price of one branch may shift what a
household chooses in another, hence the sweeps. The few others (products, partners, budget, size)
are searched for by their slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from campaigns.optimiser_descent import Descent, Floats
from campaigns.optimiser_inner import Prices, best_choice, in_turn, reduced_values, sale
from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Ints, Limit, Part, Problem, beside

SWEEPS = 4
WIDENINGS = 12


@dataclass(frozen=True)
class Variable:
    """One price to search for: of what must not be exceeded (+1) or must be reached (-1)."""

    limit: int
    group: int
    sign: int


def lies_whole(problem: Problem, limit: Limit) -> bool:
    """Every customer's options lie in one group, and there is no minimum."""
    if limit.has_least:
        return False
    customer = problem.customer
    first = np.full(int(customer.max(initial=-1)) + 1, NO_GROUP, np.int64)
    first[customer] = limit.group
    return bool((first[customer] == limit.group).all())


class Search:
    """The bound as a function of a few prices, with those of branches and the like found anew.

    Args:
        parts: All options.
        unit: How many parts a cent has.
        penalty: Cents that a unit short of a minimum counts at most; keeps its price finite.
        prices: To start from, of every group of every limit; none if left out.
    """

    def __init__(
        self, parts: Sequence[Part], unit: int, penalty: int, prices: Prices | None = None
    ) -> None:
        self._parts, self._unit, self._penalty = parts, unit, penalty
        self._limits = parts[0].problem.limits
        none = tuple(np.zeros(len(item.most), np.int64) for item in self._limits)
        self.prices: Prices = tuple(map(np.copy, prices or none))
        self.whole = self._whole()
        self.variables = [
            Variable(place, group, sign)
            for place, item in enumerate(self._limits)
            if place not in self.whole
            for group in range(len(item.most))
            for sign in (1, -1)
            if (item.most[group] < NO_LIMIT if sign > 0 else item.least[group] > 0)
        ]

    def _whole(self) -> list[int]:
        """Limits in which customers lie as a whole.

        A price of one group, such as a budget's, would get stuck against those of branches.
        """
        many = [place for place, item in enumerate(self._limits) if len(item.most) > 1]

        def found(part: Part) -> set[int]:
            limits = part.problem.limits
            return {place for place in many if lies_whole(part.problem, limits[place])}

        return sorted(set[int].intersection(*in_turn(found, self._parts)))

    def _typical(self, variable: Variable) -> float:
        """What an option uses up on average."""
        limits = [part.problem.limits[variable.limit] for part in self._parts]
        inside = [limit.amount[limit.group == variable.group] for limit in limits]
        count = sum(map(len, inside))
        return max(1.0, sum(int(some.sum()) for some in inside) / count) if count else 1.0

    def _highest(self, variable: Variable) -> float:
        """At this price nobody would want it."""
        if variable.sign < 0:
            return float(self._penalty)
        highest = 0.0
        for part in self._parts:
            limit = part.problem.limits[variable.limit]
            uses = (limit.group == variable.group) & (limit.amount > 0)
            worth = part.problem.value[uses] / limit.amount[uses]
            highest = max(highest, float(worth.max(initial=0)))
        return highest + self._penalty

    def descend(self, start: Floats, steps: int) -> Floats:
        """The prices with the least bound that about so many steps find."""
        if not self.variables:
            return start
        scale = np.array([self._typical(variable) for variable in self.variables])
        highest = np.array([self._highest(variable) for variable in self.variables])
        descent = Descent(lambda point: self._scaled(point, scale), start * scale, highest * scale)
        found: Floats = descent.descend(steps) / scale
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
        chosen = np.flatnonzero(reduced > 0)
        gain = int(reduced[chosen].sum())
        bound = (gain + sale(self._limits, self.prices)) / self._unit
        used = [limit.used(chosen) for limit in kept.limits]
        return bound, np.array([self._slope(variable, used) for variable in self.variables])

    def _slope(self, variable: Variable, used: list[Ints]) -> float:
        limit, took = self._limits[variable.limit], used[variable.limit][variable.group]
        if variable.sign > 0:
            return float(limit.most[variable.group] - took)
        return float(took - limit.least[variable.group])

    def _set(self, few: Floats) -> None:
        """The few prices as whole parts of a cent."""
        changed = {variable.limit for variable in self.variables}
        for place in changed:
            self.prices[place][:] = 0
        for variable, price in zip(self.variables, few, strict=True):
            self.prices[variable.limit][variable.group] += variable.sign * round(price * self._unit)

    def _sweep(self) -> tuple[Problem, Ints]:
        """New prices of branches and the like, with what is chosen at them or nearly so."""
        for _ in range(WIDENINGS):
            floor = self._floor()
            kept, reduced = self._kept(floor)
            is_wide = True
            for place in self.whole:
                limit = kept.limits[place]
                new, is_found = self._order_statistic(place, limit, reduced, floor)
                change: Ints = np.append(new - self.prices[place], 0)
                reduced -= change[limit.group] * limit.amount
                self.prices[place][:] = new
                is_wide &= is_found
            if is_wide:
                break
        return kept, reduced

    def _kept(self, floor: int) -> tuple[Problem, Ints]:
        """What households choose among options worth ``floor`` or more; caps are kept already."""

        def found(part: Part) -> tuple[Problem, Ints]:
            reduced = reduced_values(part.problem, self.prices, self._unit)
            kept = best_choice(part.problem, reduced, floor)
            return replace(part.problem, levels=()).part(kept), reduced[kept]

        problems, reduced = zip(*in_turn(found, self._parts), strict=True)
        places = [np.arange(len(one)) for one in reduced]
        parts = [Part(one, place) for one, place in zip(problems, places, strict=True)]
        return beside(parts).problem, np.concatenate(reduced)

    def _floor(self) -> int:
        """How far below nothing an option may be worth that a lower price would let in."""
        dear = [self.prices[place] for place in self.whole if self.prices[place].any()]
        if not dear:
            return 1
        positive = np.concatenate([price[price > 0] for price in dear])
        return 1 - int(np.median(positive)) // 4

    def _order_statistic(
        self, place: int, limit: Limit, reduced: Ints, floor: int
    ) -> tuple[Ints, bool]:
        """For each group what the first option is worth, per unit, that finds no room."""
        old, group, amount = self.prices[place], limit.group, limit.amount
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
