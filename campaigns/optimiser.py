"""Which options win within every limit, and how far from the best that may be.

Few options are chosen exactly. With more, shared limits get prices, each household chooses what is
best for it at these, what is left over is repaired, and what is still in doubt is chosen exactly;
the same prices prove a bound that no choice can exceed. The prices are told to people too: what one
more unit of a limit would earn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from campaigns.optimiser_core import choose_core
from campaigns.optimiser_exact import Clash, clash, exact_choice, exact_prices
from campaigns.optimiser_inner import Prices, answers, fine_unit, reduced_values, upper_bound
from campaigns.optimiser_prices import search_prices
from campaigns.optimiser_problem import Ints, Limit, Problem
from campaigns.optimiser_repair import completed, repaired
from campaigns.optimiser_standing import Standing

EXACT_BELOW = 2_000
EXPLAINED_BELOW = 60_000
SHARDS = 2


@dataclass(frozen=True)
class Shortage:
    """A minimum that is not met."""

    limit: str
    label: str
    unit: str
    least: int
    lacking: int


@dataclass(frozen=True)
class ShadowPrice:
    """What one more unit of a limit would earn, in cents; of a minimum, one unit less of it."""

    limit: str
    label: str
    unit: str
    cents: float
    is_of_minimum: bool


@dataclass(frozen=True)
class Plan:
    """What is chosen, and what is known about it.

    Attributes:
        chosen: The chosen options, in the order that decides ties.
        value: What they are worth, in cents.
        bound: What no choice within the limits can exceed, in cents. Where minima cannot be met,
            no choice that lacks as little.
        prices: Of every group of every limit, in parts of a cent.
        unit: How many parts a cent has.
        used: What is used up of every limit.
        shortages: Minima that are not met.
        clash: Why not; None if all are met, or if there are too many options to tell.
    """

    chosen: Ints
    value: int
    bound: int
    prices: Prices
    unit: int
    used: tuple[Ints, ...]
    shortages: tuple[Shortage, ...] = ()
    clash: Clash | None = None

    @property
    def gap(self) -> float:
        """The share of the bound that is missing at most."""
        return (self.bound - self.value) / abs(self.bound) if self.bound != self.value else 0.0


def optimise(problem: Problem, exact_below: int = EXACT_BELOW, shards: int = SHARDS) -> Plan:
    """Choose the options that are worth most together.

    Args:
        problem: Options, caps and limits.
        exact_below: With fewer options the choice is exact.
        shards: In how many parts households are looked at for the bound; changes no result.
    """
    penalty = 2 * int(np.abs(problem.value).max(initial=0)) + 1
    if len(problem) < exact_below:
        unit = fine_unit(problem)
        prices = exact_prices(problem, unit)
        standing = completed(Standing(problem, exact_choice(problem)))
        return _plan(standing, standing.value, prices, unit)
    prices, unit = search_prices(problem, penalty)
    reduced = reduced_values(problem, prices, unit)
    standing = repaired(problem, reduced)
    choose_core(standing, reduced)
    parts = [problem.part(options) for options in problem.shards(shards)]
    bound = upper_bound(problem, answers(parts, prices, unit), prices, unit)
    return _plan(standing, bound + penalty * standing.shortage(), prices, unit)


def _plan(standing: Standing, bound: int, prices: Prices, unit: int) -> Plan:
    problem = standing.problem
    shortages = tuple(
        Shortage(limit.name, limit.labels[group], limit.unit, least, least - used)
        for limit, taken in zip(problem.limits, standing.used, strict=True)
        for group, (least, used) in enumerate(
            zip(limit.least.tolist(), taken.tolist(), strict=True)
        )
        if used < least
    )
    explained = bool(shortages) and _counting(problem) < EXPLAINED_BELOW
    return Plan(
        chosen=standing.options,
        value=standing.value,
        bound=bound,
        prices=prices,
        unit=unit,
        used=tuple(standing.used),
        shortages=shortages,
        clash=clash(problem) if explained else None,
    )


def _counting(problem: Problem) -> int:
    """Options that count towards a minimum."""
    counts = np.zeros(len(problem), np.bool_)
    for limit in problem.limits:
        counts |= np.append(limit.least > 0, False)[limit.group]
    return int(counts.sum())


def shadow_prices(plan: Plan, limits: tuple[Limit, ...]) -> list[ShadowPrice]:
    """Every limit that has a price, the dearest first."""
    found = [
        ShadowPrice(
            limit.name,
            limit.labels[group],
            limit.unit,
            abs(int(price[group])) / plan.unit,
            bool(price[group] < 0),
        )
        for limit, price in zip(limits, plan.prices, strict=True)
        for group in np.flatnonzero(price).tolist()
    ]
    return sorted(found, key=lambda one: (-one.cents, one.limit, one.label))
