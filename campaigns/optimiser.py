"""Which options win within every limit, and how far from the best that may be.

Few options are chosen exactly. With more, shared limits get prices, each household chooses what is
best for it at these, what is left over is repaired, and what is still in doubt is chosen exactly;
the same prices prove a bound that no choice can exceed. The prices are told to people too: what one
more unit of a limit would earn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from campaigns.optimiser_core import choose_core
from campaigns.optimiser_exact import Clash, clash, exact_choice, exact_prices
from campaigns.optimiser_inner import (
    Prices,
    answers,
    fine_unit,
    in_turn,
    reduced_values,
    upper_bound,
)
from campaigns.optimiser_problem import Ints, Limit, Part, Problem, joined
from campaigns.optimiser_repair import completed, repaired
from campaigns.optimiser_sift import SIFTED_ABOVE, sift
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
        shards: In how many parts households are looked at; changes no result.
    """
    if len(problem) >= exact_below:
        return optimise_parts(problem.shards(shards if len(problem) >= SIFTED_ABOVE else 1))
    standing = completed(Standing(problem, exact_choice(problem)))
    unit = fine_unit(len(problem), _penalty(problem))
    plan = _plan(standing, standing.value, exact_prices(problem, unit), unit)
    return replace(plan, clash=_why(problem.shards(1))) if plan.shortages else plan


def optimise_parts(parts: Sequence[Part]) -> Plan:
    """Choose among options that need not be in memory together.

    Args:
        parts: All options, each household in one part. They are looked at two at a time, over and
            over; what may be chosen, a tenth or so, is kept.

    Returns:
        The plan; ``chosen`` are places among all options.
    """
    penalty = max(in_turn(lambda part: _penalty(part.problem), parts))
    found = sift(parts, penalty)
    problem = found.part.problem
    reduced = reduced_values(problem, found.prices, found.unit)
    standing = repaired(problem, reduced)
    choose_core(standing, reduced)
    sums = answers(parts, found.prices, found.unit)
    bound = upper_bound(problem.limits, sums, found.prices, found.unit)
    bound += penalty * standing.shortage()
    plan = _plan(standing, bound, found.prices, found.unit)
    why = _why(parts) if plan.shortages else None
    return replace(plan, chosen=found.part.place[plan.chosen], clash=why)


def _penalty(problem: Problem) -> int:
    """Cents that a unit short of a minimum counts: more than options are worth."""
    return 2 * int(np.abs(problem.value).max(initial=0)) + 1


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
    return Plan(
        chosen=standing.options,
        value=standing.value,
        bound=bound,
        prices=prices,
        unit=unit,
        used=tuple(standing.used),
        shortages=shortages,
    )


def _why(parts: Sequence[Part]) -> Clash | None:
    """Why minima are not met, unless too many options count towards them to tell."""
    counting = joined(in_turn(lambda part: part.only(_counting(part.problem)), parts)).problem
    return clash(counting) if len(counting) < EXPLAINED_BELOW else None


def _counting(problem: Problem) -> Ints:
    """Options that count towards a minimum."""
    counts = np.zeros(len(problem), np.bool_)
    for limit in problem.limits:
        counts |= np.append(limit.least > 0, False)[limit.group]
    return np.flatnonzero(counts)


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
