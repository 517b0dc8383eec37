"""Who is offered what, by protected group: shares, what stops offers before, clients alike.

A cell is a number of clients of a group, such as those who pass every gate. Cells below a size are
not told, and neither is what would give them away (`measurement/small_cells.py`). What the bank
itself did, how many it made an offer, is told of every group that is large enough, none included:
a group that is left out must be seen.

Four figures say whether a group is offered less than all others, from everything that may be behind
it to what the choice alone does:

- ``selection``: share of clients with an offer;
- ``selection_within_age_limits``: offer by offer among those whom no age limit of it stops;
- ``selection_past_gates``: offer by offer among those who pass every gate;
- ``selection_alike``: the same among those of the same decile of propensity, so that need explains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isnan, nan, sqrt

import numpy as np
import numpy.typing as npt

from measurement.association import Bools, Estimate, Floats, Ints, adjusted
from measurement.group_rates import (
    ERROR,
    UNKNOWN,
    chance,
    deviations,
    difference,
    ratio,
    share,
)
from measurement.small_cells import is_small, told_groups
from measurement.standardised import RateRatio, Strata, deciles_within

Labels = npt.NDArray[np.str_]
Groups = Mapping[str, Labels]  # by attribute: the group of each client

EVERYBODY = "everybody"
SELECTION, WITHIN, PAST, ALIKE = (
    "selection",
    "selection_within_age_limits",
    "selection_past_gates",
    "selection_alike",
)
RATIO_FACTS = (SELECTION, WITHIN, PAST, ALIKE)
WITHIN_LIMITS, PAST_GATES, OFFERED = "within_age_limits", "past_gates", "offered"
STOPPED = "stopped_by_"
AGE_LIMITS = "age_limits"
OFFERS_SHARE, PROPENSITY = "share_of_offers", "propensity"
ALL = "all"


@dataclass(frozen=True)
class Decided:
    """What a campaign decided about active clients, one entry per client and offer.

    Attributes:
        clients: How many there are.
        client: Place of the client among them.
        offer: Place of the offer among all offers.
        is_offered: On a list.
        passes: No gate failed.
        stopped: By class of gates: at least one of them failed.
        propensity: NaN where unknown.
    """

    clients: int
    client: Ints
    offer: Ints
    is_offered: Bools
    passes: Bools
    stopped: Mapping[str, Bools]
    propensity: Floats

    @cached_property
    def alike(self) -> Ints:
        """What is the same offer and the same decile of propensity among those past the gates."""
        return deciles_within(self.offer, self.propensity, self.passes)


@dataclass(frozen=True)
class Scope:
    """Offers that are looked at together.

    Attributes:
        kind: all, credit, lever, line, move or product.
        name: Of the lever, line, move or product.
        rows: Which clients × offers belong to it.
        is_offered: Of all rows: counts as offered here; None is any offer. Of a lever: with it.
    """

    kind: str
    name: str
    rows: Bools
    is_offered: Bools | None = None


@dataclass(frozen=True)
class Fact:
    """One figure of one group.

    Attributes:
        attribute: Such as ``gender``.
        group: Its value, or everybody.
        scope_kind: Which offers.
        scope: Which of them.
        name: Of the figure.
        count: Clients (or offers) of the group of whom it is so; None: not told.
        of: Among so many of the group.
        value: The share, or the mean, of the group.
        rest: That of all others.
        gap: The group's less the others', with its 95 % interval.
        ratio: The group's ÷ the others', with its 95 % interval; of clients alike, stratum by
            stratum.
        p_value: That chance alone puts them as far apart.
        q_value: The same for all figures together (Benjamini and Hochberg).
        is_told: Nothing is hidden.
        hidden: The fact itself where it is hidden for the sake of another group alone, so that the
            law is asked about it all the same (`measurement/fairness_rule.py`).
        alike: The ratio offer by offer, where it is one.
        rest_counts: Of the others, as ``count`` and ``of``; of shares only.
    """

    attribute: str
    group: str
    scope_kind: str
    scope: str
    name: str
    count: int | None = None
    of: int | None = None
    value: Estimate = UNKNOWN
    rest: float = nan
    gap: Estimate = UNKNOWN
    ratio: Estimate = UNKNOWN
    p_value: float = nan
    q_value: float = nan
    is_told: bool = True
    hidden: Fact | None = field(default=None, repr=False)
    alike: RateRatio | None = None
    rest_counts: tuple[int, int] = (0, 0)

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is about."""
        return (self.attribute, self.group, self.scope_kind, self.scope, self.name)

    def is_sure(self, max_false_share: float) -> bool:
        """The group differs from the others by more than chance."""
        return self.q_value <= max_false_share

    def ratio_at(self, error: float) -> Estimate:
        """The ratio with an interval that misses so often."""
        if self.alike is not None:
            return self.alike.estimate(error)
        if self.count is None or self.of is None:
            return UNKNOWN
        return ratio(share(self.count, self.of, error), share(*self.rest_counts, error))


def campaign_facts(
    decided: Decided, groups: Groups, scopes: Sequence[Scope], min_cell: int
) -> list[Fact]:
    """Every figure of every group, hidden ones without their numbers.

    Args:
        decided: Of one campaign.
        groups: By attribute the group of each client.
        scopes: Offers that are looked at together.
        min_cell: The smallest number of clients that is told.
    """
    coded = [_Coded.of(attribute, labels) for attribute, labels in groups.items()]
    return [fact for scope in scopes for fact in _OfScope(decided, scope, min_cell).facts(coded)]


def event_facts(
    happened: Mapping[str, Bools], groups: Groups, kind: str, min_cell: int
) -> list[Fact]:
    """Shares of clients of whom something became true, by group.

    Args:
        happened: By name of the figure: of each client.
        groups: By attribute the group of each client.
        kind: What stands for the scope.
        min_cell: The smallest number of clients that is told.
    """
    found: list[Fact] = []
    for attribute, labels in groups.items():
        coded = _Coded.of(attribute, labels)
        known = told_groups(coded.sizes, min_cell)
        for name, is_so in happened.items():
            counts = coded.counted(is_so)
            told = told_groups(counts, min_cell, known)
            base = Fact(attribute, EVERYBODY, kind, kind, name)
            found += _shares(base, coded, counts, told, min_cell)
    return found


def with_q_values(facts: Sequence[Fact]) -> list[Fact]:
    """The facts, with what chance explains if all of them are looked at."""
    places = [place for place, fact in enumerate(facts) if not isnan(fact.p_value)]
    q_values = adjusted([facts[place].p_value for place in places], len(places))
    found = list(facts)
    for place, q_value in zip(places, q_values, strict=True):
        found[place] = replace(found[place], q_value=q_value)
    return found


@dataclass(frozen=True)
class _Coded:
    """An attribute's groups as numbers."""

    attribute: str
    names: tuple[str, ...]
    codes: Ints
    sizes: Ints

    @classmethod
    def of(cls, attribute: str, labels: Labels) -> _Coded:
        names, codes = np.unique(labels, return_inverse=True)
        sizes = np.bincount(codes, minlength=len(names)).astype(np.int64)
        return cls(attribute, tuple(map(str, names)), codes, sizes)

    def counted(self, is_so: Bools) -> Ints:
        """Clients of each group."""
        return np.bincount(self.codes[is_so], minlength=len(self.names)).astype(np.int64)


class _OfScope:
    """The figures of one scope."""

    def __init__(self, decided: Decided, scope: Scope, min_cell: int) -> None:
        self._decided, self._scope, self._least = decided, scope, min_cell
        rows = scope.rows
        self._client = decided.client[rows]
        is_offered = decided.is_offered if scope.is_offered is None else scope.is_offered
        self._is_offered = is_offered[rows]
        self._passes = decided.passes[rows]
        self._is_within = ~decided.stopped[AGE_LIMITS][rows]
        self._offered = self._any(self._is_offered)
        self._cells = {
            WITHIN_LIMITS: self._any(self._is_within),
            PAST_GATES: self._any(self._passes),
            **{
                f"{STOPPED}{name}": ~self._any(~failed[rows])
                for name, failed in decided.stopped.items()
                if name != AGE_LIMITS
            },
        }
        self._strata = {
            WITHIN: self._stratified(self._is_within, decided.offer),
            PAST: self._stratified(self._passes, decided.offer),
            ALIKE: self._stratified(self._passes, decided.alike),
        }

    def facts(self, attributes: Sequence[_Coded]) -> Iterator[Fact]:
        for coded in attributes:
            yield from self._of_attribute(coded)

    def _of_attribute(self, coded: _Coded) -> Iterator[Fact]:
        known = told_groups(coded.sizes, self._least)
        offered = coded.counted(self._offered)

        def base(name: str, group: str = EVERYBODY) -> Fact:
            return Fact(coded.attribute, group, self._scope.kind, self._scope.name, name)

        yield from _shares(base(SELECTION), coded, offered, known, self._least)
        told, large = {}, {}
        for name, is_so in self._cells.items():
            counts = coded.counted(is_so)
            told[name] = told_groups(counts, self._least, known)
            large[name] = ~is_small(counts, self._least)
            yield from _shares(base(name), coded, counts, told[name], self._least)
        for place, group in enumerate(coded.names):
            for name, strata in self._strata.items():
                fact = _alike(base(name, group), strata.ratio(coded.codes == place))
                cell = WITHIN_LIMITS if name == WITHIN else PAST_GATES
                yield fact if told[cell][place] else _hidden(fact, bool(large[cell][place]))
        yield from self._offers(base(OFFERS_SHARE), coded, known)
        yield from self._propensities(base(PROPENSITY), coded, known)

    def _offers(self, base: Fact, coded: _Coded, known: Bools) -> Iterator[Fact]:
        """Of all offers made, how many went to the group."""
        codes = coded.codes[self._client[self._is_offered]]
        made = np.bincount(codes, minlength=len(coded.names)).astype(np.int64)
        for place, group in enumerate(coded.names):
            fact = replace(base, group=group, is_told=bool(known[place]))
            if known[place]:
                count, total = int(made[place]), int(made.sum())
                fact = replace(fact, count=count, of=total, value=share(count, total))
            yield fact

    def _propensities(self, base: Fact, coded: _Coded, known: Bools) -> Iterator[Fact]:
        """Mean over clients of each one's mean over the offers."""
        values = self._decided.propensity[self._scope.rows]
        has = ~np.isnan(values)
        number = np.bincount(self._client[has], minlength=self._decided.clients)
        total = np.bincount(self._client[has], weights=values[has], minlength=self._decided.clients)
        mean = total[number > 0] / number[number > 0]
        codes = coded.codes[number > 0]
        told = known & ~is_small(np.bincount(codes, minlength=len(coded.names)), self._least)
        for place, group in enumerate(coded.names):
            fact = replace(base, group=group, is_told=bool(told[place]))
            if told[place]:
                fact = _means(fact, mean[codes == place], mean[codes != place])
            yield fact

    def _any(self, rows: Bools) -> Bools:
        found = np.zeros(self._decided.clients, dtype=np.bool_)
        found[self._client[rows]] = True
        return found

    def _stratified(self, base: Bools, stratum: Ints) -> Strata:
        rows = stratum[self._scope.rows][base]
        return Strata(self._client[base], rows, self._is_offered[base], self._decided.clients)


def _shares(base: Fact, coded: _Coded, counts: Ints, told: Bools, least: int) -> Iterator[Fact]:
    """A share of each group beside that of all others, and that of everybody."""
    sizes = coded.sizes
    count, size = int(counts.sum()), int(sizes.sum())
    cells = np.array([size] if base.name == SELECTION else [size, count])
    everybody = replace(base, group=EVERYBODY, is_told=not is_small(cells, least).any())
    if everybody.is_told:
        everybody = replace(everybody, count=count, of=size, value=share(count, size))
    yield everybody
    for place, group in enumerate(coded.names):
        rest = (count - int(counts[place]), size - int(sizes[place]))
        fact = replace(base, group=group)
        fact = _beside(fact, int(counts[place]), int(sizes[place]), rest)
        yield fact if told[place] else _hidden(fact, int(sizes[place]) >= least)


def _hidden(fact: Fact, is_large: bool) -> Fact:
    """Without its numbers; those of a group that is large enough stay with it for the rule."""
    bare = Fact(*fact.key, is_told=False)
    return replace(bare, hidden=fact) if is_large and fact.name in RATIO_FACTS else bare


def _alike(fact: Fact, found: RateRatio) -> Fact:
    return replace(
        fact,
        count=found.offers,
        of=found.rows,
        alike=found,
        value=share(found.offers, found.rows),
        ratio=found.estimate(),
        p_value=found.p_value,
    )


def _beside(fact: Fact, count: int, of: int, rest: tuple[int, int]) -> Fact:
    one, other = share(count, of), share(*rest)
    return replace(
        fact,
        count=count,
        of=of,
        value=one,
        rest=other.value,
        gap=difference(one, other),
        ratio=ratio(one, other),
        p_value=chance(count, of, *rest),
        rest_counts=rest,
    )


def _means(fact: Fact, inside: Floats, others: Floats) -> Fact:
    one, spread = _mean(inside)
    other, other_spread = _mean(others)
    half = deviations(ERROR) * sqrt(spread**2 + other_spread**2)
    return replace(
        fact,
        value=_around(one, deviations(ERROR) * spread),
        rest=other,
        gap=_around(one - other, half),
    )


def _mean(values: Floats) -> tuple[float, float]:
    """A mean and the standard deviation of it."""
    if len(values) <= 1:
        return nan, nan
    return float(values.mean()), float(values.std(ddof=1)) / sqrt(len(values))


def _around(value: float, half: float) -> Estimate:
    return Estimate(value, value - half, value + half)
