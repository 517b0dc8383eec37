"""The best choice of every household at given prices: exact, and apart from all other households.

With a price on every shared limit an option is worth its value less what it uses up: its reduced
value. What is left are the caps of product, fatigue class, customer and household. They lie within
one another, and sets that keep such caps are the independent sets of a laminar matroid, a matroid
made of direct sums and truncations only; of a matroid the greedy choice by weight is best (Edmonds,
Matroids and the greedy algorithm, Mathematical Programming 1, 1971). Greedy in a truncation to k
takes the first k of the greedy choice of what is truncated: an option is turned down only by better
ones that were taken before it. So the best of each group are kept level by level, inside out.

What all households together gain at given prices, plus what the limits would sell for, is an upper
bound of every choice that keeps the limits (Lagrangian duality), whatever the prices are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from campaigns.optimiser_problem import NO_LIMIT, Ints, Limit, Part, Problem, place_in_group
from campaigns.parts import Parts

HEADROOM = 2**60
FINEST = 2**20

Prices = tuple[Ints, ...]


@dataclass(frozen=True)
class Sums:
    """What households gain at given prices, and what their choice is worth and uses up."""

    gain: int
    value: int
    used: tuple[Ints, ...]

    def plus(self, other: Sums) -> Sums:
        """Both together; whole numbers, so that the order does not matter."""
        used = tuple(mine + theirs for mine, theirs in zip(self.used, other.used, strict=True))
        return Sums(self.gain + other.gain, self.value + other.value, used)


def fine_unit(options: int, largest: int) -> int:
    """Into how many parts a cent is split for prices: a power of two whose sums do not overflow.

    Args:
        options: How many there are.
        largest: What one of them is worth at most, or costs, in cents.
    """
    room = HEADROOM // (8 * max(1, largest) * max(1, options))
    return min(FINEST, max(1, 1 << max(0, room.bit_length() - 1)))


def reduced_values(problem: Problem, prices: Prices, unit: int) -> Ints:
    """What each option is worth at ``prices``, in parts of a cent."""
    reduced = problem.value * unit
    for limit, price in zip(problem.limits, prices, strict=True):
        if price.any():
            # an option of no group has the last price, which is none
            reduced -= np.append(price, 0)[limit.group] * limit.amount
    return reduced


def best_choice(problem: Problem, reduced: Ints, floor: int) -> Ints:
    """The best choice of every household among options worth ``floor`` or more, best first."""
    kept = np.flatnonzero(reduced >= floor)
    kept = kept[np.argsort(-reduced[kept], kind="stable")]
    for level in problem.levels:
        group = level.group[kept]
        kept = kept[place_in_group(group) < level.most[group]]
    return kept


def answer(prices: Prices, unit: int, part: Part) -> Sums:
    """What the households of one part do at ``prices``."""
    problem = part.problem
    reduced = reduced_values(problem, prices, unit)
    chosen = best_choice(problem, reduced, 1)
    return Sums(
        int(reduced[chosen].sum()),
        int(problem.value[chosen].sum()),
        tuple(limit.used(chosen) for limit in problem.limits),
    )


def answers(parts: Parts[Part], prices: Prices, unit: int) -> Sums:
    """The sums of all parts: the same for any number of them."""
    return reduce(Sums.plus, parts.map(partial(answer, prices, unit)))


def sale(limits: Sequence[Limit], prices: Prices) -> int:
    """What the limits would sell for: what is there at a price, less what a minimum costs."""
    total = 0
    for limit, price in zip(limits, prices, strict=True):
        for place in np.flatnonzero(price).tolist():
            bound = limit.most if price[place] > 0 else limit.least
            if bound[place] >= NO_LIMIT:
                raise ValueError(f"{limit.name} {limit.labels[place]} has a price but no limit")
            total += int(price[place]) * int(bound[place])
    return total


def upper_bound(limits: Sequence[Limit], sums: Sums, prices: Prices, unit: int) -> int:
    """No choice within the limits is worth more, in cents: the dual value, rounded outward.

    Values are whole cents, so that what is below the next cent is not reachable.
    """
    return (sums.gain + sale(limits, prices)) // unit
