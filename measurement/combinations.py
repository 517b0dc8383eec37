"""Which products are held together more than chance would have it.

How many clients hold exactly which products is counted once; the clients of every larger or smaller
set follow from that exactly. A set of products is told as *sure* if every way to split it in two is
held together more than independent parts would be (Webb, Self-Sufficient Itemsets, ACM TKDD 4,
2010), among all clients and among those alike: of the same segment, and with as many other
products. Whoever is well off makes every pair look like a combination; the second comparison takes
away much of that, not all, since the number of other products says no more than about how well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, comb

import numpy as np
import numpy.typing as npt

from measurement.association import (
    Estimate,
    Table,
    adjusted,
    exact_p_value,
    lift,
    stratified_p_value,
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
PAIR = 2


@dataclass(frozen=True)
class HeldSets:
    """How many clients hold exactly which products.

    Attributes:
        products: All that are looked at.
        holds: A row per exact set (and segment), a column per product.
        clients: By row.
        segment: By row, as a number.
    """

    products: tuple[str, ...]
    holds: Bools
    clients: Ints
    segment: Ints

    @property
    def total(self) -> int:
        """All clients, with those who hold nothing."""
        return int(self.clients.sum())

    @property
    def holders(self) -> Ints:
        """Of each product."""
        return np.asarray(self.clients @ self.holds, dtype=np.int64)


@dataclass(frozen=True)
class Bounds:
    """What is told, and how sure it must be.

    Attributes:
        min_support: Smallest share of all clients.
        min_clients: Sets of fewer clients are not told, whatever their share.
        max_size: Products in a set.
        max_false_share: Of sets told as sure, so many may be chance.
    """

    min_support: float
    min_clients: int
    max_size: int
    max_false_share: float

    def least(self, total: int) -> int:
        """How many clients a set must have."""
        # a share such as 0.07 of 100 clients is 7 of them, whatever its binary digits are
        return max(self.min_clients, ceil(round(self.min_support * total, 6)), 1)


@dataclass(frozen=True)
class Combination:
    """Products that enough clients hold together.

    Attributes:
        products: In the order of the configuration.
        clients: Who hold all of them.
        support: Their share of all clients.
        given: One part of the split in two that is least associated; of a pair, its first product.
        then: The other part.
        lift: Clients ÷ those that independent parts would have.
        alike: The same against clients of the same segment with as many other products.
        leverage: Support less that of independent parts.
        p_value: That no split has a greater lift than 1; the larger one of both comparisons.
        q_value: Smallest share of chance findings at which this would be told (Benjamini and
            Hochberg), for all sets of its size that could have been told.
        is_sure: It is told at the share that was asked for.
    """

    products: tuple[str, ...]
    clients: int
    support: float
    given: tuple[str, ...]
    then: tuple[str, ...]
    lift: Estimate
    alike: Estimate
    leverage: float
    p_value: float
    q_value: float
    is_sure: bool


@dataclass(frozen=True)
class Rule:
    """Of those who hold ``given``, how many hold ``then``.

    Attributes:
        clients: Who hold all of it.
        confidence: Their share of those who hold ``given``.
    """

    given: tuple[str, ...]
    then: str
    clients: int
    confidence: float
    lift: Estimate
    leverage: float


def frequent_sets(held: HeldSets, least: int, max_size: int) -> dict[tuple[int, ...], int]:
    """Every set of products with at least so many clients, by the products' places, and how many.

    Exact: each set is counted among its holders only, and a set without enough clients has no
    larger one with more (Agrawal and Srikant, VLDB 1994).
    """
    places = np.flatnonzero(held.holders >= least)
    holds = held.holds[:, places]
    found: dict[tuple[int, ...], int] = {}

    def extend(members: tuple[int, ...], rows: Ints) -> None:
        begins = members[-1] + 1 if members else 0
        counts = held.clients[rows] @ holds[rows, begins:]
        for offset in np.flatnonzero(counts >= least):
            larger = (*members, begins + int(offset))
            found[tuple(int(places[member]) for member in larger)] = int(counts[offset])
            if len(larger) < max_size:
                extend(larger, rows[holds[rows, larger[-1]]])

    extend((), np.arange(len(held.clients)))
    return found


def combined(held: HeldSets, bounds: Bounds) -> list[Combination]:
    """Every set of two or more products that is told, the most associated among alike first."""
    least = bounds.least(held.total)
    counts = frequent_sets(held, least, bounds.max_size)
    frequent = sum(len(members) == 1 for members in counts)
    found: list[Combination] = []
    for size in range(PAIR, bounds.max_size + 1):
        tried = [_Tried.of(held, members) for members in counts if len(members) == size]
        # Sets with too few clients were looked at as well: they count, as if they showed nothing.
        q_values = adjusted([one.p_value for one in tried], comb(frequent, size))
        found += [
            one.told(held, q_value, bounds) for one, q_value in zip(tried, q_values, strict=True)
        ]
    return sorted(found, key=lambda one: (-one.alike.value, one.products))


def rules(held: HeldSets, found: Sequence[Combination]) -> Iterator[Rule]:
    """Each product of a combination as what follows from the others."""
    place = {product_id: at for at, product_id in enumerate(held.products)}
    for one in found:
        for then in one.products:
            given = tuple(name for name in one.products if name != then)
            table = _table(held, [place[name] for name in given], [place[then]], alike=False)
            first = int(table.first.sum())
            yield Rule(given, then, one.clients, one.clients / first, lift(table), _excess(table))


@dataclass(frozen=True)
class _Tried:
    """A set with the split of it that is least associated."""

    members: tuple[int, ...]
    given: tuple[int, ...]
    plain: Table
    alike: Table
    p_value: float

    @classmethod
    def of(cls, held: HeldSets, members: tuple[int, ...]) -> _Tried:
        tried = [cls._split(held, members, given) for given in _splits(members)]
        weakest = min(tried, key=lambda one: (lift(one.plain).low, one.given))
        p_value = max(one.p_value for one in tried)
        return cls(members, weakest.given, weakest.plain, weakest.alike, p_value)

    @classmethod
    def _split(cls, held: HeldSets, members: tuple[int, ...], given: tuple[int, ...]) -> _Tried:
        then = [member for member in members if member not in given]
        plain = _table(held, given, then, alike=False)
        alike = _table(held, given, then, alike=True)
        p_value = max(exact_p_value(plain), stratified_p_value(alike))
        return cls(members, given, plain, alike, p_value)

    def told(self, held: HeldSets, q_value: float, bounds: Bounds) -> Combination:
        def names(places: Sequence[int]) -> tuple[str, ...]:
            return tuple(held.products[place] for place in places)

        clients = int(self.plain.both.sum())
        return Combination(
            products=names(self.members),
            clients=clients,
            support=clients / held.total,
            given=names(self.given),
            then=names([member for member in self.members if member not in self.given]),
            lift=lift(self.plain),
            alike=lift(self.alike),
            leverage=_excess(self.plain),
            p_value=self.p_value,
            q_value=q_value,
            is_sure=q_value <= bounds.max_false_share,
        )


def _splits(members: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """One part of every split in two; the first member is always in it, so that none is twice."""
    first, *others = members
    for size in range(len(others)):
        for more in combinations(others, size):
            yield (first, *more)


def _table(held: HeldSets, given: Sequence[int], then: Sequence[int], *, alike: bool) -> Table:
    """Who holds both parts of a split, by stratum: all clients are one, or those alike are."""
    first = np.asarray(held.holds[:, list(given)].all(axis=1))
    second = np.asarray(held.holds[:, list(then)].all(axis=1))
    stratum = np.zeros(len(held.clients), dtype=np.int64)
    if alike:
        members = held.holds[:, [*given, *then]].sum(axis=1)
        others = held.holds.sum(axis=1) - members
        stratum = held.segment * (len(held.products) + 1) + others
    return Table.counted(first, second, held.clients, stratum)


def _excess(table: Table) -> float:
    """Leverage: the share of clients beyond what independent parts would have."""
    return float((table.both.sum() - table.expected.sum()) / table.clients.sum())
