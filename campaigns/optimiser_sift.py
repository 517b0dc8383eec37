"""Prices for many options, searched for on the few that may be chosen at them.

Most options of a bank are never chosen, whatever the prices turn out to be. So a part of the
branches tells what the prices are about, options far from being chosen at these are put aside, and
the prices are searched for on the others. Options that would be chosen at the prices found join in,
until there are none: sifting, as in linear programmes with many columns (Bixby, Gregory, Lustig,
Marsten and Shanno, Very large-scale linear programming, Operations Research 40, 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from campaigns.optimiser_descent import Floats
from campaigns.optimiser_inner import Prices, best_choice, fine_unit, in_turn, reduced_values
from campaigns.optimiser_prices import Search
from campaigns.optimiser_problem import NO_LIMIT, Limit, Part, joined

SIFTED_ABOVE = 1_200_000
SAMPLE_OPTIONS = 600_000
KEPT = 0.03  # of the options; about one in 200 is chosen
STEPS = 150
ROUNDS = 4
MIX = 2654435761


@dataclass(frozen=True)
class Sifted:
    """Prices, and all options that may be chosen at them.

    Attributes:
        part: The options.
        prices: In parts of a cent.
        unit: How many parts a cent has.
    """

    part: Part
    prices: Prices
    unit: int


def sift(parts: Sequence[Part], penalty: int) -> Sifted:
    """Good prices of all limits, and the options that matter at them.

    Args:
        parts: All options; each household lies in one part.
        penalty: Cents that a unit short of a minimum counts at most.
    """
    options = sum(in_turn(lambda part: len(part.problem), parts))
    unit = fine_unit(options, penalty)
    if options >= SIFTED_ABOVE:
        return _searched(parts, *_start(parts, options, unit, penalty), penalty)
    every = joined(parts) if len(parts) > 1 else parts[0]
    search = Search([every], unit, penalty)
    search.settle(search.descend(np.zeros(len(search.variables)), STEPS))
    return Sifted(every, search.prices, unit)


def _start(parts: Sequence[Part], options: int, unit: int, penalty: int) -> tuple[Sifted, Floats]:
    """What the sample says: its prices, those of branches by all options, and who may be chosen."""
    whole = Search(parts, unit, penalty)
    sample = _sample(parts, whole.whole, options)
    search = Search([sample], unit, penalty)
    few = search.descend(np.zeros(len(search.variables)), STEPS)
    worth = reduced_values(sample.problem, search.prices, unit)
    floor = min(0, int(np.quantile(worth, 1 - KEPT)))
    whole.settle(few)
    prices = whole.prices

    def kept(part: Part) -> Part:
        return part.only(np.flatnonzero(reduced_values(part.problem, prices, unit) >= floor))

    return Sifted(joined(in_turn(kept, parts)), prices, unit), few


def _searched(parts: Sequence[Part], start: Sifted, few: Floats, penalty: int) -> Sifted:
    """Search among the options that are kept, until no other would be chosen."""
    found = start
    for _ in range(ROUNDS):
        search = Search([found.part], found.unit, penalty, found.prices)
        few = search.descend(few, STEPS)
        search.settle(few)
        found = replace(found, prices=search.prices)
        missing = in_turn(partial(_missing, found), parts)
        if not sum(len(part.place) for part in missing):
            break
        found = replace(found, part=joined([found.part, *missing]))
    return found


def _missing(found: Sifted, part: Part) -> Part:
    """What households choose at the prices and is not among the options kept."""
    reduced = reduced_values(part.problem, found.prices, found.unit)
    chosen = np.sort(best_choice(part.problem, reduced, 1))
    return part.only(chosen[~np.isin(part.place[chosen], found.part.place)])


def _sample(parts: Sequence[Part], whole: Sequence[int], options: int) -> Part:
    """The customers of some branches, drawn by a hash of their number, with their share of limits.

    Branches keep what they have; without any, households are drawn.
    """
    limits = parts[0].problem.limits
    branch = min(whole, key=lambda place: len(limits[place].most), default=None)
    groups = len(limits[branch].most) if branch is not None else options
    wanted = max(1, groups * SAMPLE_OPTIONS // options)
    mixed = np.arange(groups, dtype=np.int64) * MIX % 2**32
    is_drawn = np.zeros(groups + 1, np.bool_)
    is_drawn[np.argsort(mixed, kind="stable")[:wanted]] = True

    def drawn(part: Part) -> Part:
        problem = part.problem
        by = problem.household if branch is None else problem.limits[branch].group
        return part.only(np.flatnonzero(is_drawn[by]))

    found = joined(in_turn(drawn, parts))
    share = wanted / groups
    scaled = (
        limit if place in whole else _scaled(limit, share)
        for place, limit in enumerate(found.problem.limits)
    )
    return Part(replace(found.problem, limits=tuple(scaled)), found.place)


def _scaled(limit: Limit, share: float) -> Limit:
    most = np.where(limit.most < NO_LIMIT, (limit.most * share).astype(np.int64), NO_LIMIT)
    return replace(limit, most=most, least=(limit.least * share).astype(np.int64))
