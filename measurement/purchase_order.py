"""Which product is bought after which, and which one clients had first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from conf.schema import EligibilityRules
from measurement.association import Estimate, adjusted, rate_p_value, rate_ratio

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEVER = 10**6  # a month that no calendar reaches
MOST_AT_ONCE = 100_000  # clients; sums in single precision stay exact below 2^24


@dataclass(frozen=True)
class History:
    """Holdings with their months, a number each: 12 x year + month - 1.

    Attributes:
        products: All that are looked at.
        here_from: By client: the month in which the relationship began.
        here_until: By client: the month in which it ended, or NEVER.
        client: By holding, ascending: whose it is, as a place in the two above.
        product: By holding, as a place in ``products``.
        opened: By holding.
        closed: By holding, or NEVER.
    """

    products: tuple[str, ...]
    here_from: Ints
    here_until: Ints
    client: Ints
    product: Ints
    opened: Ints
    closed: Ints

    def parts(self) -> Iterator[History]:
        """The same for some clients at a time: what is counted adds up."""
        for begins in range(0, len(self.here_from), MOST_AT_ONCE):
            ends = min(begins + MOST_AT_ONCE, len(self.here_from))
            rows = slice(*np.searchsorted(self.client, [begins, ends]))
            yield History(
                self.products,
                self.here_from[begins:ends],
                self.here_until[begins:ends],
                self.client[rows] - begins,
                self.product[rows],
                self.opened[rows],
                self.closed[rows],
            )

    def with_any(self, holdings: Bools) -> Bools:
        """Whether a client has any such holding, a row per client and a column per product."""
        found = np.zeros((len(self.here_from), len(self.products)), dtype=np.bool_)
        found[self.client[holdings], self.product[holdings]] = True
        return found

    def held(self, month: int) -> Bools:
        """What clients hold on the first of a month."""
        return self.with_any((self.opened < month) & (self.closed >= month))

    def is_here(self, month: int) -> Bools:
        """Who is a client on the first of a month."""
        return np.asarray((self.here_from < month) & (self.here_until >= month))


@dataclass(frozen=True)
class Window:
    """Whose purchases are looked at.

    Attributes:
        as_of: Month of the as-of date; nothing of it counts.
        months: How many months before it.
        within: A purchase follows another one if it comes so many months later at most.
    """

    as_of: int
    months: int
    within: int


@dataclass(frozen=True)
class Sequel:
    """One product bought after another.

    Attributes:
        first: Bought in one of the months before.
        then: Bought after it.
        clients: Who did, in the window.
        base_rate: Purchases of ``then`` by 1,000 clients a month, weighted like those after
            ``first``.
        lift: Clients ÷ those expected: for each month the rate at which everybody who could buy
            ``then`` did so, times those of them who had bought ``first`` (indirect standardisation;
            Breslow and Day, Statistical Methods in Cancer Research II, 1987).
        q_value: As of a ``Combination``, over all pairs that could have been told.
        is_sure: It is told at the share that was asked for.
    """

    first: str
    then: str
    clients: int
    base_rate: float
    lift: Estimate
    q_value: float
    is_sure: bool


@dataclass(frozen=True)
class Order:
    """By product bought first (rows) and then (columns).

    Attributes:
        observed: Who bought one after the other.
        expected: How many would have at everybody's rate.
        exposed: Months of clients who had bought the first and could buy the other.
    """

    observed: Ints
    expected: Floats
    exposed: Ints


def purchase_order(
    history: History, window: Window, terms: Mapping[str, EligibilityRules]
) -> Order:
    """Purchases in each month of the window, after those of the months before it.

    Months are whole: what is bought in the same month is not told as an order. A client counts for
    a product from the month after the one in which he came, unless he holds it, and only while its
    terms let him: he holds one of what it requires, and nothing that it excludes.
    """
    size = len(history.products)
    observed = np.zeros((size, size), dtype=np.int64)
    exposed, expected = observed.copy(), np.zeros((size, size))
    parts = list(history.parts())
    for month in range(window.as_of - window.months, window.as_of):
        after = np.zeros((size, size), dtype=np.int64)
        bought, at_risk = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        for part in parts:
            could_buy = _could_buy(part, month, terms)
            buys = could_buy & part.with_any(part.opened == month)
            is_recent = (part.opened >= month - window.within) & (part.opened < month)
            recent = part.with_any(is_recent).astype(np.float32).T
            observed += (recent @ buys.astype(np.float32)).astype(np.int64)
            after += (recent @ could_buy.astype(np.float32)).astype(np.int64)
            bought += buys.sum(axis=0)
            at_risk += could_buy.sum(axis=0)
        expected += after * (bought / np.maximum(at_risk, 1))
        exposed += after
    return Order(observed, expected, exposed)


def sequels(
    products: tuple[str, ...], order: Order, min_clients: int, max_false_share: float
) -> list[Sequel]:
    """Every pair that enough clients bought one after the other, the highest lift first.

    Every pair counts as tested in which clients were watched for so many months, told or not.
    """
    apart = ~np.eye(len(products), dtype=np.bool_)
    tested = int((apart & (order.exposed >= min_clients)).sum())
    pairs = np.argwhere(apart & (order.observed >= min_clients)).tolist()
    counts = [(int(order.observed[a, b]), float(order.expected[a, b])) for a, b in pairs]
    q_values = adjusted([rate_p_value(*one) for one in counts], tested)
    found = [
        Sequel(
            products[a],
            products[b],
            clients,
            1000 * expected / float(order.exposed[a, b]),
            rate_ratio(clients, expected),
            q_value,
            q_value <= max_false_share,
        )
        for (a, b), (clients, expected), q_value in zip(pairs, counts, q_values, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.lift.value, one.first, one.then))


def had_first(history: History, as_of: int) -> Ints:
    """Clients who hold two products and had that of the row in an earlier month than the other."""
    size = len(history.products)
    found = np.zeros((size, size), dtype=np.int64)
    for part in history.parts():
        held = (part.opened < as_of) & (part.closed >= as_of)
        held &= part.is_here(as_of)[part.client]
        opened = np.full((len(part.here_from), size), NEVER, dtype=np.int32)
        np.minimum.at(opened, (part.client[held], part.product[held]), part.opened[held])
        for place in range(size):
            is_later = (opened[:, [place]] < opened) & (opened < NEVER)
            found[place] += is_later.sum(axis=0)
    return found


def _could_buy(part: History, month: int, terms: Mapping[str, EligibilityRules]) -> Bools:
    held = part.held(month)
    could = part.is_here(month)[:, None] & ~held
    place = {product_id: at for at, product_id in enumerate(part.products)}
    for product_id, at in place.items():
        if needed := [place[name] for name in terms[product_id].requires_any if name in place]:
            could[:, at] &= held[:, needed].any(axis=1)
        if barred := [place[name] for name in terms[product_id].excludes if name in place]:
            could[:, at] &= ~held[:, barred].any(axis=1)
    return could
