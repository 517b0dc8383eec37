"""Which product comes first: purchases month by month, and the core that others lie around."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conf.schema import EligibilityRules
from measurement import purchase_order as module
from measurement.core_periphery import core_periphery
from measurement.purchase_order import (
    NEVER,
    History,
    Window,
    had_first,
    purchase_order,
    sequels,
)

AS_OF = 2024 * 12
A, B, C = range(3)
FREE = dict.fromkeys("abc", EligibilityRules())
YEAR = Window(AS_OF, months=12, within=6)


def history(*clients, here_from=-60, here_until=NEVER) -> History:
    """Each client's holdings as (product, opened, closed), in months before the as-of date."""
    rows = [
        (number, product, AS_OF + opened, NEVER if closed is None else AS_OF + closed)
        for number, held in enumerate(clients)
        for product, opened, closed in held
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    several = np.full(len(clients), AS_OF + here_from), np.full(len(clients), here_until)
    return History(("a", "b", "c"), *several, *columns)


def test_a_purchase_follows_one_of_the_months_before_it() -> None:
    found = purchase_order(
        history(
            [(A, -9, None), (B, -4, None)],  # five months later
            [(A, -11, None), (B, -4, None)],  # too late to be told as its sequel
            [(A, -4, None), (B, -4, None)],  # in the same month
            [(A, -2, None), (B, 0, None)],  # known, but not before the as-of date
        ),
        YEAR,
        FREE,
    )
    assert found.observed[A, B] == 1
    assert found.observed.sum() == 1


def test_expected_is_everybodys_rate_in_the_same_month() -> None:
    buyer, watcher = [(A, -3, None), (B, -1, None)], [(A, -3, None)]
    others = [[] for _ in range(6)]
    found = purchase_order(history(buyer, watcher, *others), YEAR, FREE)
    # in the last month eight could buy b and one did; two of them had bought a
    assert found.expected[A, B] == pytest.approx(2 / 8)
    assert found.exposed[A, B] == 2 + 2


def test_who_holds_it_was_not_there_or_left_could_not_buy_it() -> None:
    others = [[] for _ in range(6)]
    for held, counted in (
        ([(A, -3, None), (B, -20, None)], 0),
        ([(A, -3, None), (B, -20, -3)], 2),
        ([(A, -3, None), (B, -20, -2)], 1),
    ):
        assert purchase_order(history(held, *others), YEAR, FREE).exposed[A, B] == counted
    left = history([(A, -3, None)], here_until=AS_OF - 2)
    assert purchase_order(left, YEAR, FREE).exposed[A, B] == 1
    new = history([(A, -3, None)], here_from=-2)
    assert purchase_order(new, YEAR, FREE).exposed[A, B] == 1


def test_terms_say_who_could_buy() -> None:
    bank = history([(A, -3, None), (B, -1, None)], [(C, -3, None)], [])
    needs = FREE | {"b": EligibilityRules(requires_any=("a",))}
    found = purchase_order(bank, YEAR, needs)
    # of those who could, all who ever held a, each had just bought it
    assert found.expected[A, B] == found.observed[A, B] == 1
    assert not found.exposed[C, B]
    barred = purchase_order(bank, YEAR, FREE | {"b": EligibilityRules(excludes=("a",))})
    assert not barred.observed[A, B] and not barred.exposed[A, B]


def test_parts_of_clients_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = drawn(1, 500)
    whole, first = purchase_order(bank, YEAR, FREE), had_first(bank, AS_OF)
    monkeypatch.setattr(module, "MOST_AT_ONCE", 7)
    parts = purchase_order(bank, YEAR, FREE)
    assert (parts.observed == whole.observed).all() and (parts.exposed == whole.exposed).all()
    assert (parts.expected == whole.expected).all() and whole.observed.sum() > 50
    assert (had_first(bank, AS_OF) == first).all() and first.sum() > 50


def drawn(seed: int, clients: int, after_a: float = 1.0) -> History:
    """Purchases by chance alone, but for b, which is likelier in the months after a."""
    draws = np.random.default_rng(seed)
    opened = np.full((clients, 3), NEVER)
    for month in range(AS_OF - 24, AS_OF):
        is_after = (opened[:, A] < month) & (opened[:, A] >= month - 6)
        chance = np.array([0.03, 0.03, 0.03]) * np.where(is_after, after_a, 1.0)[:, None] ** [
            0,
            1,
            0,
        ]
        opened[(draws.random((clients, 3)) < chance) & (opened == NEVER)] = month
    client, product = np.nonzero(opened < NEVER)
    ever = np.full(clients, AS_OF - 60), np.full(clients, NEVER)
    closed = np.full(len(client), NEVER)
    return History(("a", "b", "c"), *ever, client, product, opened[client, product], closed)


def test_a_planted_order_is_told_in_its_direction_alone() -> None:
    order = purchase_order(drawn(2, 4_000, after_a=3.0), YEAR, FREE)
    found = [one for one in sequels(("a", "b", "c"), order, 50, 0.05) if one.is_sure]
    assert [(one.first, one.then) for one in found] == [("a", "b")]
    # everybody's rate holds those after a as well, so that a little of the lift is lost
    assert found[0].lift.low > 1.5 and found[0].lift.value < 3


def test_where_purchases_are_independent_hardly_a_bank_has_an_order() -> None:
    banks = [purchase_order(drawn(seed, 1_500), YEAR, FREE) for seed in range(60)]
    told = [sequels(("a", "b", "c"), order, 30, 0.05) for order in banks]
    assert sum(map(len, told)) > 200
    assert sum(any(one.is_sure for one in found) for found in told) <= 7


def test_pairs_that_fewer_clients_bought_than_may_be_told_are_not_there() -> None:
    order = purchase_order(drawn(2, 4_000, after_a=3.0), YEAR, FREE)
    few = int(order.observed[A, B])
    assert ("a", "b") in {(o.first, o.then) for o in sequels(("a", "b", "c"), order, few, 0.05)}
    told = sequels(("a", "b", "c"), order, few + 1, 0.05)
    assert ("a", "b") not in {(one.first, one.then) for one in told}


def test_who_had_it_first_is_asked_of_what_is_held_now() -> None:
    bank = history(
        [(A, -9, None), (B, -4, None)],
        [(A, -9, -2), (A, -3, None), (B, -4, None)],  # the first one has ended
        [(A, -4, None), (B, -4, None)],
        [(A, -9, None), (B, 1, None)],
    )
    assert had_first(bank, AS_OF)[A].tolist() == [0, 1, 0]
    assert had_first(bank, AS_OF)[B].tolist() == [1, 0, 0]
    gone = replace(bank, here_until=np.full(4, AS_OF - 1))
    assert not had_first(gone, AS_OF).any()


def test_the_core_is_what_holders_of_the_others_had_before() -> None:
    names, holders = ("loan", "account", "card", "rare"), np.array([100, 900, 200, 3])
    first = np.array([[0, 5, 4, 0], [95, 0, 190, 3], [6, 8, 0, 0], [0, 0, 0, 0]])
    found = core_periphery(names, holders, first, least=50)
    assert [(one.product, one.is_core) for one in found.positions] == [
        ("account", True),
        ("card", False),
        ("loan", False),
    ]
    assert found.positions[0].coreness == pytest.approx((95 / 100 + 190 / 200) / 2)
    assert found.fit > 0.99


def test_products_that_are_never_first_have_no_core() -> None:
    found = core_periphery(("a", "b"), np.array([90, 90]), np.zeros((2, 2), dtype=np.int64), 50)
    assert not any(one.is_core for one in found.positions)
