"""Prices for many options, searched for on the few that may be chosen at them.

Most options of a bank are never chosen, whatever the prices turn out to be. So a part of the
branches tells what the prices are about, options far from being chosen at these are put aside, and
the prices are searched for on the others. Options that would be chosen at the prices found join in,
until there are none: sifting, as in linear programmes with many columns (Bixby, Gregory, Lustig,
Marsten and Shanno, Very large-scale linear programming, Operations Research 40, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from zlib import crc32

import numpy as np

from campaigns.optimiser_inner import Prices, best_choice, reduced_values
from campaigns.optimiser_outlook import Outlook
from campaigns.optimiser_prices import Search, Sought
from campaigns.optimiser_problem import NO_LIMIT, Bools, Floats, Ints, Limit, Part, joined
from campaigns.parts import InProcess, Parts, itself

SIFTED_ABOVE = 1_200_000
SAMPLE_OPTIONS = 600_000
KEPT = 0.03  # of the options; about one in 200 is chosen
STEPS = 150
ROUNDS = 4
MIX, HASHES = 2654435761, 2**32


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


@dataclass(frozen=True)
class Rule:
    """Which options are kept, said so that parts find it out by themselves.

    Attributes:
        floor: What is worth as much at ``prices`` is kept.
        prices: In parts of a cent.
        joined_at: What households choose at any of these prices is kept too.
    """

    floor: int
    prices: Prices
    joined_at: tuple[Prices, ...] = ()

    def kept(self, unit: int, part: Part) -> Bools:
        """Whether each option of a part is kept."""
        found: Bools = reduced_values(part.problem, self.prices, unit) >= self.floor
        for prices in self.joined_at:
            found[chosen_at(prices, unit, part)] = True
        return found


def chosen_at(prices: Prices, unit: int, part: Part) -> Ints:
    """What the households of a part choose at ``prices``."""
    return best_choice(part.problem, reduced_values(part.problem, prices, unit), 1)


def sift(parts: Parts[Part], outlook: Outlook) -> Sifted:
    """Good prices of all limits, and the options that matter at them.

    Args:
        parts: All options; each household lies in one part.
        outlook: What is known of them.
    """
    sought = Sought.among(outlook)
    if outlook.options >= SIFTED_ABOVE:
        return _searched(parts, sought, *_start(parts, outlook, sought))
    found = Sifted(joined(parts.map(itself)), _none(outlook), sought.unit)
    search = _search(found, sought)
    search.settle(search.descend(np.zeros(len(search.variables)), STEPS))
    return replace(found, prices=search.prices)


def _none(outlook: Outlook) -> Prices:
    return tuple(np.zeros(len(limit.most), np.int64) for limit in outlook.limits)


def _search(among: Sifted, sought: Sought) -> Search:
    """A search among some of all options, from their prices on."""
    return Search(InProcess([among.part]), Outlook.of(among.part), sought, among.prices)


def _start(parts: Parts[Part], outlook: Outlook, sought: Sought) -> tuple[Sifted, Rule, Floats]:
    """What the sample says: its prices, those of branches by all options, and who may be chosen."""
    unit = sought.unit
    sample = _sample(parts, outlook)
    search = _search(Sifted(sample, _none(outlook), unit), sought)
    few = search.descend(np.zeros(len(search.variables)), STEPS)
    worth = reduced_values(sample.problem, search.prices, unit)
    every = Search(parts, outlook, sought, _none(outlook))
    every.settle(few)
    rule = Rule(min(0, int(np.quantile(worth, 1 - KEPT))), every.prices)
    found = joined(parts.map(partial(_kept, rule, unit)))
    return Sifted(found, rule.prices, unit), rule, few


def _kept(rule: Rule, unit: int, part: Part) -> Part:
    return part.only(np.flatnonzero(rule.kept(unit, part)))


def _searched(parts: Parts[Part], sought: Sought, start: Sifted, rule: Rule, few: Floats) -> Sifted:
    """Search among the options that are kept, until no other would be chosen."""
    found = start
    for _ in range(ROUNDS):
        search = _search(found, sought)
        few = search.descend(few, STEPS)
        search.settle(few)
        found = replace(found, prices=search.prices)
        missing = parts.map(partial(_missing, rule, found.prices, found.unit))
        if not sum(len(part.place) for part in missing):
            break
        found = replace(found, part=joined([found.part, *missing]))
        rule = replace(rule, joined_at=(*rule.joined_at, found.prices))
    return found


def _missing(rule: Rule, prices: Prices, unit: int, part: Part) -> Part:
    """What households choose at the prices and is not among the options kept."""
    chosen = np.sort(chosen_at(prices, unit, part))
    return part.only(chosen[~rule.kept(unit, part)[chosen]])


def _sample(parts: Parts[Part], outlook: Outlook) -> Part:
    """The customers of some branches, drawn by a hash of their number, with their share of limits.

    Branches keep what they have; without any, households are drawn.
    """
    limits = outlook.limits
    branch = min(outlook.whole, key=lambda place: len(limits[place].most), default=None)
    if branch is None:
        share = SAMPLE_OPTIONS / outlook.options
        drawn = parts.map(partial(_of_households, share))
    else:
        groups = len(limits[branch].most)
        wanted = max(1, groups * SAMPLE_OPTIONS // outlook.options)
        share = wanted / groups
        drawn = parts.map(partial(_of_groups, branch, _drawn_groups(groups, wanted)))
    found = joined(drawn)
    scaled = (
        limit if place in outlook.whole else _scaled(limit, share)
        for place, limit in enumerate(found.problem.limits)
    )
    return Part(replace(found.problem, limits=tuple(scaled)), found.place)


def _drawn_groups(groups: int, wanted: int) -> Bools:
    """Which groups are drawn; an option of none is not."""
    mixed = np.arange(groups, dtype=np.int64) * MIX % HASHES
    is_drawn = np.zeros(groups + 1, np.bool_)
    is_drawn[np.argsort(mixed, kind="stable")[:wanted]] = True
    return is_drawn


def _of_groups(place: int, is_drawn: Bools, part: Part) -> Part:
    return part.only(np.flatnonzero(is_drawn[part.problem.limits[place].group]))


def _of_households(share: float, part: Part) -> Part:
    """A share of households, drawn by the first place of each: numbers are a part's own."""
    household = part.problem.household
    _, first, number = np.unique(household, return_index=True, return_inverse=True)
    keys = part.place[first].astype(np.bytes_).tolist()
    is_drawn = np.array([crc32(key) < share * HASHES for key in keys], np.bool_)
    return part.only(np.flatnonzero(is_drawn[number]))


def _scaled(limit: Limit, share: float) -> Limit:
    most = np.where(limit.most < NO_LIMIT, (limit.most * share).astype(np.int64), NO_LIMIT)
    return replace(limit, most=most, least=(limit.least * share).astype(np.int64))
