"""Randomness by hash: fair, repeatable, the same for a customer wherever the customer stands."""

from __future__ import annotations

import numpy as np
import pytest

from demo.bookings import Bookings
from demo.columns import coded, money, texts
from demo.draws import Draws, normal_bits, share_bits
from demo.economy import CURRENT, SAVINGS, SLOTS
from demo.hazards import Driver, rise

IDS = np.arange(200_000)
DRAWS = Draws(1)


def test_a_draw_depends_on_seed_purpose_month_and_customer_and_on_nothing_else():
    drawn = DRAWS.uniform("buys", 3, IDS)
    assert (DRAWS.uniform("buys", 3, IDS[5:9]) == drawn[5:9]).all()
    others = (
        Draws(2).uniform("buys", 3, IDS),
        DRAWS.uniform("sells", 3, IDS),
        DRAWS.uniform("buys", 4, IDS),
    )
    for other in others:
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.01


def test_draws_have_the_moments_they_should_have():
    uniform = DRAWS.uniform("u", 1, IDS)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.003)
    normal = DRAWS.normal("n", 1, IDS)
    assert (normal.mean(), normal.std()) == pytest.approx((0, 1), abs=0.01)
    counts = DRAWS.poisson("p", 1, IDS, np.full(len(IDS), 1.7))
    assert (counts.mean(), counts.var()) == pytest.approx((1.7, 1.7), abs=0.03)
    assert DRAWS.chance("c", 1, IDS, 0.2).mean() == pytest.approx(0.2, abs=0.004)
    assert set(DRAWS.integer("i", 1, IDS, 5)) == set(range(5))


def test_the_bits_of_one_word_serve_several_draws():
    words = DRAWS.words("w", 1, IDS)
    day, size, place = share_bits(words, 0), normal_bits(words, 16), share_bits(words, 48)
    for one, other in ((day, size), (day, place), (size, place)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.01


def test_bookings_come_in_order_with_running_balances_and_the_last_ones_are_kept():
    book = Bookings()
    book.add("salary", "transfer", np.array([1, 0]), np.array([103, 105]), np.array([20.0, 30.0]))
    book.add(
        "cash", "atm", np.array([0, 1, 0]), np.array([101, 101, 105]), np.array([-1.0, 0.0, -2.5])
    )
    book.add("savings", "internal", np.array([0]), 105, np.array([7.0]), slot=SAVINGS)
    balance = np.zeros((SLOTS, 2), dtype=np.int64)
    balance[CURRENT] = 1_000, 500
    booked = book.close(balance)
    assert booked.who.tolist() == [0, 0, 0, 0, 1]
    assert booked.day.tolist() == [101, 105, 105, 105, 103]
    assert booked.cents.tolist() == [-100, 3_000, -250, 700, 2_000]
    assert booked.balance.tolist() == [900, 3_900, 3_650, 700, 2_500]
    assert balance.tolist() == [[3_650, 2_500], [700, 0], [0, 0]]


def test_identifiers_and_money_are_written_exactly():
    numbers = np.array([7, 123])
    assert texts("A", (numbers, 4), (numbers % 10, 1)).to_pylist() == ["A00077", "A01233"]
    amounts = money(np.array([-1, 123_456_789_012_345, 0]), np.array([False, False, True]))
    assert [str(value) for value in amounts.to_pylist()] == ["-0.01", "1234567890123.45", "None"]
    assert coded(np.array([1, -1, 0]), ["a", "b"]).to_pylist() == ["b", None, "a"]


def test_a_signal_raises_the_hazard_from_nothing_to_its_whole_weight():
    driver = Driver("balance", 2.0, 1_000)
    values = rise(driver, np.array([0.0, 1_000.0, 100_000.0]))
    assert values.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-6)
