"""Which options win within every limit, and how far from the best that may be.

Few options are chosen exactly. With more, shared limits get prices, each household chooses what is
best for it at these, what is left over is repaired, and what is still in doubt is chosen exactly;
the same prices prove a bound that no choice can exceed. The prices are told to people too: what one
more unit of a limit would earn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from campaigns.optimiser_core import choose_core
from campaigns.optimiser_exact import Clash, clash, exact_choice, exact_prices
from campaigns.optimiser_inner import Prices, answers, fine_unit, reduced_values, upper_bound
from campaigns.optimiser_outlook import Outlook
from campaigns.optimiser_problem import Ints, Limit, Part, Places, Problem, joined
from campaigns.optimiser_repair import completed, repaired
from campaigns.optimiser_sift import SIFTED_ABOVE, sift
from campaigns.optimiser_standing import Standing
from campaigns.parts import InProcess, Parts, itself

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
        made: The chosen options.
        value: What they are worth, in cents.
        bound: What no choice within the limits can exceed, in cents. Where minima cannot be met,
            no choice that lacks as little.
        prices: Of every group of every limit, in parts of a cent.
        unit: How many parts a cent has.
        used: What is used up of every limit.
        shortages: Minima that are not met.
        clash: Why not; None if all are met, or if there are too many options to tell.
    """

    made: Part
    value: int
    bound: int
    prices: Prices
    unit: int
    used: tuple[Ints, ...]
    shortages: tuple[Shortage, ...] = ()
    clash: Clash | None = None

    @property
    def chosen(self) -> Places:
        """The places of the chosen options, in the order that decides ties."""
        return self.made.place

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
    count = shards if len(problem) >= SIFTED_ABOVE else 1
    return optimise_parts(InProcess(problem.shards(count)), exact_below)


def optimise_parts(parts: Parts[Part], exact_below: int = EXACT_BELOW) -> Plan:
    """Choose among options that need not be in memory together.

    Args:
        parts: All options, each household in one part. They are looked at over and over; what may
            be chosen, a tenth or so, is kept.
        exact_below: With fewer options the choice is exact.

    Returns:
        The plan; ``chosen`` are places among all options.
    """
    outlook = Outlook.over(parts)
    planned = _exactly if outlook.options < exact_below else _by_prices
    plan = planned(parts, outlook)
    return replace(plan, clash=_why(parts)) if plan.shortages else plan


def _exactly(parts: Parts[Part], outlook: Outlook) -> Plan:
    every = joined(parts.map(itself))
    standing = completed(Standing(every.problem, exact_choice(every.problem)))
    unit = fine_unit(outlook.options, outlook.penalty)
    return _plan(every, standing, standing.value, exact_prices(every.problem, unit), unit)


def _by_prices(parts: Parts[Part], outlook: Outlook) -> Plan:
    found = sift(parts, outlook)
    problem = found.part.problem
    reduced = reduced_values(problem, found.prices, found.unit)
    standing = repaired(problem, reduced)
    choose_core(standing, reduced)
    sums = answers(parts, found.prices, found.unit)
    bound = upper_bound(problem.limits, sums, found.prices, found.unit)
    bound += outlook.penalty * standing.shortage()
    return _plan(found.part, standing, bound, found.prices, found.unit)


def _plan(part: Part, standing: Standing, bound: int, prices: Prices, unit: int) -> Plan:
    problem, options = standing.problem, standing.options
    shortages = tuple(
        Shortage(limit.name, limit.labels[group], limit.unit, least, least - used)
        for limit, taken in zip(problem.limits, standing.used, strict=True)
        for group, (least, used) in enumerate(
            zip(limit.least.tolist(), taken.tolist(), strict=True)
        )
        if used < least
    )
    return Plan(
        made=Part(problem.part(options), part.place[options]),
        value=standing.value,
        bound=bound,
        prices=prices,
        unit=unit,
        used=tuple(standing.used),
        shortages=shortages,
    )


def _why(parts: Parts[Part]) -> Clash | None:
    """Why minima are not met, unless too many options count towards them to tell."""
    if sum(parts.map(_how_many_count)) >= EXPLAINED_BELOW:
        return None
    return clash(joined(parts.map(_counting)).problem)


def _how_many_count(part: Part) -> int:
    return len(_towards_minima(part.problem))


def _counting(part: Part) -> Part:
    return part.only(_towards_minima(part.problem))


def _towards_minima(problem: Problem) -> Ints:
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
