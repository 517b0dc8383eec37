"""Scores against purchases: hand-made truth, and models that are right or wrong on purpose."""

from __future__ import annotations

from datetime import date
from math import isnan

import numpy as np
import pytest

from measurement.association import rate_ratio
from measurement.late_labels import WindowPurchases, late_labels
from measurement.reliability import MEASURED, TOO_FEW, ScoredProduct, model_month
from measurement.shifts import psi_estimate, score_shift
from measurement.weighted import effective, event_rate_ratio, ranking, top_lift

MARCH = date(2024, 3, 1)


def scored(propensity, bought, weight=None):
    propensity = np.asarray(propensity, dtype=np.float64)
    bought = np.asarray(bought, dtype=np.bool_)
    weights = np.ones(len(propensity)) if weight is None else np.asarray(weight, dtype=np.float64)
    return ScoredProduct("credit_card", MARCH, 1, propensity, bought, weights)


def drawn(clients, seed=1, mean=0.05):
    """Propensities, and purchases that follow them."""
    random = np.random.default_rng(seed)
    propensity = random.beta(1, 1 / mean - 1, clients)
    return propensity, random.random(clients) < propensity


def test_of_equal_weights_the_interval_is_the_exact_one_of_poisson() -> None:
    chances = np.full(200, 0.1)
    for weight in (1.0, 10.0):
        found = event_rate_ratio(np.full(7, weight), chances, np.full(200, weight))
        assert found == pytest.approx(rate_ratio(7, 20.0))
    nobody = event_rate_ratio(np.empty(0), chances, np.ones(200))
    assert nobody == pytest.approx(rate_ratio(0, 20.0))


def test_the_weighted_interval_holds_the_truth_as_often_as_it_says() -> None:
    random, misses = np.random.default_rng(5), 0
    chances, weights = np.full(1000, 0.06), np.where(np.arange(1000) < 60, 10.0, 1.0)
    for _ in range(1000):
        events = weights[random.random(1000) < chances]
        found = event_rate_ratio(events, chances, weights)
        misses += not found.low <= 1 <= found.high
    assert 10 <= misses <= 50


def test_clients_of_one_weight_count_in_full_and_one_heavy_one_for_little() -> None:
    assert effective(np.full(8, 3.0)) == pytest.approx(8)
    assert effective(np.array([10.0, 1, 1, 1])) == pytest.approx(169 / 103)
    assert effective(np.empty(0)) == 0


def test_lift_counts_a_part_of_a_tie_and_clients_for_whom_one_stands() -> None:
    chances = np.array([0.9, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    bought = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0], dtype=np.bool_)
    ones = np.ones(10)
    assert top_lift(chances, bought, ones, 0.1).value == pytest.approx(10 / 3)
    # half of the tie of two: half of its one buyer
    assert top_lift(chances, bought, ones, 0.2).value == pytest.approx((1 + 0.5) / 3 / 0.2)
    # the last buyer stands for seven: of 16 clients the best are 1.6, of 9 buyers 1.3 are there
    heavy = np.array([1, 1, 1, 7, 1, 1, 1, 1, 1, 1.0])
    assert top_lift(chances, bought, heavy, 0.1).value == pytest.approx(1.3 / 9 / 0.1)


def test_the_auc_is_the_weighted_share_of_pairs_in_order() -> None:
    random = np.random.default_rng(3)
    chances = random.integers(0, 6, 60) / 10
    bought, weights = random.random(60) < 0.3, random.integers(1, 5, 60).astype(np.float64)
    pairs = [
        (weights[i] * weights[j], (chances[i] > chances[j]) + (chances[i] == chances[j]) / 2)
        for i in np.flatnonzero(bought)
        for j in np.flatnonzero(~bought)
    ]
    truth = sum(w * is_above for w, is_above in pairs) / sum(w for w, _ in pairs)
    found = ranking(chances, bought, weights)
    assert found.value == pytest.approx(truth)
    assert found.low < truth < found.high
    assert isnan(ranking(chances, np.arange(60) == 3, weights).value)


def test_a_month_says_who_bought_who_was_expected_to_and_who_was_left_out() -> None:
    month = model_month(scored([0.5, 0.5, 0.2, 0.2], [1, 1, 1, 0], [0, 1, 4, 1]), min_buyers=1)
    assert (month.state, month.clients, month.left_out, month.withheld) == (MEASURED, 3, 1, 1)
    assert (month.buyers, month.observed) == (2, 5.0)
    assert month.expected == pytest.approx(0.5 + 0.8 + 0.2)
    assert month.ratio.value == pytest.approx(5 / 1.5)
    # one bin for the one client at 0.5, one for the tie at 0.2 that stands for five
    assert [(one.clients, one.observed.value) for one in month.bins] == [
        (1.0, pytest.approx(1.0)),
        (5.0, pytest.approx(4 / 5)),
    ]
    assert month.ece == pytest.approx((0.5 + abs(4 - 1.0)) / 6)


def test_nothing_is_said_of_too_few_but_buyers_who_stay_away_are_not_few() -> None:
    few = model_month(scored(np.full(100, 0.1), np.arange(100) < 9), min_buyers=20)
    assert few.state == TOO_FEW
    assert isnan(few.ratio.value) and not few.bins
    missing = model_month(scored(np.full(1000, 0.1), np.arange(1000) < 9), min_buyers=20)
    assert missing.state == MEASURED
    assert missing.ratio.high < 1 / 1.25
    assert isnan(missing.auc.value) and isnan(missing.lift.value)


def test_those_whom_chance_withheld_make_up_for_those_who_were_offered_it() -> None:
    """A model right on the whole, and a campaign that chose by what the model does not know."""
    random, clients = np.random.default_rng(11), 60_000
    knows_more = random.random(clients) < 0.2  # who is chosen buys three times as often
    propensity = np.full(clients, 0.06)
    chance = np.where(knows_more, 0.06 * 3 / 1.4, 0.06 / 1.4)
    withheld = knows_more & (random.random(clients) < 0.1)
    offered = knows_more & ~withheld
    bought = random.random(clients) < np.where(offered, 2 * chance, chance)
    weight = np.where(offered, 0.0, np.where(withheld, 10.0, 1.0))

    right = model_month(scored(propensity, bought, weight), min_buyers=20)
    assert right.ratio.low < 1 < right.ratio.high
    assert right.ratio.high - right.ratio.low < 0.25
    # the offer's effect would look as if the model were wrong, and so would leaving out alone
    assert model_month(scored(propensity, bought), min_buyers=20).ratio.low > 1.1
    assert model_month(scored(propensity, bought, np.sign(weight)), min_buyers=20).ratio.high < 0.95


def test_a_right_model_is_within_bounds_and_each_kind_of_wrong_one_is_found() -> None:
    propensity, bought = drawn(20_000)
    right = model_month(scored(propensity, bought), min_buyers=20)
    assert right.ratio.low < 1 < right.ratio.high
    assert right.ece < right.ece_by_chance

    halved = model_month(scored(propensity / 2, bought), min_buyers=20)
    assert halved.ratio.low > 1.25
    assert halved.ece > halved.ece_by_chance
    assert halved.auc == right.auc

    shuffled = np.random.default_rng(2).permutation(propensity)
    wrong = model_month(scored(shuffled, bought), min_buyers=20)
    assert wrong.ratio.value == pytest.approx(right.ratio.value)
    assert wrong.lift.high < 0.7 * right.lift.low
    assert wrong.auc.low < 0.5 < wrong.auc.high
    assert wrong.ece > wrong.ece_by_chance


def test_the_order_of_clients_changes_nothing() -> None:
    propensity, bought = drawn(3000)
    weight = np.where(np.arange(3000) % 7 == 0, 5.0, 1.0)
    turned = scored(propensity[::-1], bought[::-1], weight[::-1])
    one, other = (
        model_month(each, min_buyers=20) for each in (scored(propensity, bought, weight), turned)
    )
    for name in ("ratio", "auc", "lift", "ece"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_scores_of_alike_clients_have_not_moved_and_shifted_ones_have() -> None:
    random = np.random.default_rng(4)
    then, now = random.beta(1, 19, 5000), random.beta(1, 19, 4000)
    alike = score_shift("credit_card", MARCH, 1, now, then)
    assert alike.psi.value < 0.02
    assert alike.psi.low == 0
    moved = score_shift("credit_card", MARCH, 1, now * 3, then)
    assert moved.psi.low > 0.25
    assert moved.mean == pytest.approx(3 * now.mean())


def test_a_psi_of_few_clients_is_not_sure() -> None:
    now, then = [0.3, 0.5, 0.2], [0.1, 0.6, 0.3]
    psi = sum((p - q) * np.log(p / q) for p, q in zip(now, then, strict=True))
    few, many = (psi_estimate(psi, now, then, n, n) for n in (30, 30_000))
    assert few.low == 0
    assert many.low == pytest.approx(psi, abs=0.03)
    assert many.low < psi < many.high


def test_the_interval_of_a_psi_holds_the_truth_as_often_as_it_says() -> None:
    random, misses = np.random.default_rng(6), 0
    p, q = np.array([0.3, 0.4, 0.2, 0.1]), np.array([0.15, 0.4, 0.25, 0.2])
    truth = float(((p - q) * np.log(p / q)).sum())
    for _ in range(1000):
        now, then = random.multinomial(1500, p) / 1500, random.multinomial(2500, q) / 2500
        found = psi_estimate(
            float(((now - then) * np.log(now / then)).sum()), now, then, 1500, 2500
        )
        misses += not found.low <= truth <= found.high
    assert 30 <= misses <= 75


def test_what_older_windows_knew_late_tells_what_a_young_one_still_misses() -> None:
    january = WindowPurchases(date(2024, 1, 1), date(2024, 3, 8), np.array([-5, -1, 3, 40]))
    february = WindowPurchases(date(2024, 2, 1), date(2024, 4, 8), np.array([-30] * 5 + [60]))
    march = WindowPurchases(date(2024, 3, 1), date(2024, 5, 8), np.array([-1, -1, 2]))
    first, second, third = late_labels(
        "all", [january, february, march], date(2024, 5, 18), late_share=0.15
    )
    assert (first.purchases, first.late, first.late_share.value) == (4, 2, 0.5)
    assert isnan(first.factor.value) and not first.is_provisional
    # 40 days after its end, one of the four of January would not be known yet
    assert second.lag_days == 40
    assert second.factor.value == pytest.approx(4 / 3)
    # ten days after: one of January's four, one of February's six
    assert (third.lag_days, third.late) == (10, 1)
    assert third.factor.value == pytest.approx(10 / 8)
    assert third.factor.low < 10 / 8 < third.factor.high
    assert third.is_provisional
    assert not late_labels("all", [january, february, march], date(2024, 5, 18), 0.2)[
        2
    ].is_provisional


def test_without_older_windows_nothing_is_said_of_what_is_missing() -> None:
    window = WindowPurchases(MARCH, date(2024, 5, 8), np.empty(0, dtype=np.int64))
    [only] = late_labels("all", [window], date(2024, 5, 8), late_share=0.02)
    assert [only.late, only.purchases] == [0, 0]
    assert all(isnan(end) for end in (*only.late_share, *only.factor))
