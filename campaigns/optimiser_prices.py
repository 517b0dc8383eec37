"""Prices of the shared limits at which what households choose by themselves nearly keeps them.

The bound is a convex function of the prices. Limits in which a customer lies as a whole (a branch,
an advisor) may be many, but given the other prices the best price of each is an order statistic:
what the first option is worth that finds no room. The price of one branch may shift what a
household chooses in another, hence the sweeps. The few others (products, partners, budget, size)
are searched for by their slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from campaigns.optimiser_descent import Descent
from campaigns.optimiser_inner import Prices, best_choice, fine_unit, reduced_values, sale
from campaigns.optimiser_outlook import Outlook
from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Floats, Ints, Limit, Part, limit_beside
from campaigns.parts import Parts

SWEEPS = 4
WIDENINGS = 12


@dataclass(frozen=True)
class Variable:
    """One price to search for: of what must not be exceeded (+1) or must be reached (-1)."""

    limit: int
    group: int
    sign: int


@dataclass(frozen=True)
class Near:
    """Options that are chosen at some prices or nearly so, caps being kept.

    Attributes:
        limits: What they use up of limits.
        reduced: What they are worth at the prices, in parts of a cent.
    """

    limits: tuple[Limit, ...]
    reduced: Ints

    @staticmethod
    def to(prices: Prices, unit: int, floor: int, part: Part) -> Near:
        """What the households of a part choose among options worth ``floor`` or more."""
        reduced = reduced_values(part.problem, prices, unit)
        kept = best_choice(part.problem, reduced, floor)
        return Near(part.problem.part(kept).limits, reduced[kept])

    @staticmethod
    def together(parts: Sequence[Near]) -> Near:
        """Those of all parts."""
        limits = tuple(map(limit_beside, zip(*(part.limits for part in parts), strict=True)))
        return Near(limits, np.concatenate([part.reduced for part in parts]))


@dataclass(frozen=True)
class Sought:
    """Which prices are found in which way. Some of the options are searched as all of them are.

    Attributes:
        whole: Limits in which customers lie as a whole: their prices are order statistics.
        variables: The others, searched for by their slopes.
        unit: How many parts a cent has.
        penalty: Cents that a unit short of a minimum counts at most; keeps its price finite.
    """

    whole: Sequence[int]
    variables: Sequence[Variable]
    unit: int
    penalty: int

    @staticmethod
    def among(outlook: Outlook) -> Sought:
        """Those of all options."""
        variables = [
            Variable(place, group, sign)
            for place, item in enumerate(outlook.limits)
            if place not in outlook.whole
            for group in range(len(item.most))
            for sign in (1, -1)
            if (item.most[group] < NO_LIMIT if sign > 0 else item.least[group] > 0)
        ]
        unit = fine_unit(outlook.options, outlook.penalty)
        return Sought(outlook.whole, variables, unit, outlook.penalty)


class Search:
    """The bound as a function of a few prices, with those of branches and the like found anew.

    Args:
        parts: The options.
        outlook: What is known of them.
        sought: What is searched for.
        prices: To start from, of every group of every limit.
    """

    def __init__(
        self, parts: Parts[Part], outlook: Outlook, sought: Sought, prices: Prices
    ) -> None:
        self._parts, self._outlook, self._limits = parts, outlook, outlook.limits
        self._unit, self._penalty = sought.unit, sought.penalty
        self._whole, self.variables = sought.whole, sought.variables
        self.prices: Prices = tuple(map(np.copy, prices))

    def _typical(self, variable: Variable) -> float:
        return self._outlook.uses[variable.limit].typical(variable.group)

    def _highest(self, variable: Variable) -> float:
        """At this price nobody would want it."""
        dearest = self._outlook.uses[variable.limit].dearest[variable.group]
        return float(self._penalty + (dearest if variable.sign > 0 else 0))

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
        near = self._sweep()
        chosen = np.flatnonzero(near.reduced > 0)
        gain = int(near.reduced[chosen].sum())
        bound = (gain + sale(self._limits, self.prices)) / self._unit
        used = [limit.used(chosen) for limit in near.limits]
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

    def _sweep(self) -> Near:
        """New prices of branches and the like, with what is chosen at them or nearly so."""
        for _ in range(WIDENINGS):
            floor = self._floor()
            near = Near.together(self._parts.map(partial(Near.to, self.prices, self._unit, floor)))
            is_wide = True
            for place in self._whole:
                limit = near.limits[place]
                new, is_found = self._order_statistic(place, limit, near.reduced, floor)
                change: Ints = np.append(new - self.prices[place], 0)
                near.reduced[:] -= change[limit.group] * limit.amount
                self.prices[place][:] = new
                is_wide &= is_found
            if is_wide:
                break
        return near

    def _floor(self) -> int:
        """How far below nothing an option may be worth that a lower price would let in."""
        dear = [self.prices[place] for place in self._whole if self.prices[place].any()]
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
