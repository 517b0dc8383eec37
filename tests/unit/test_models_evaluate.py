"""Figures: equal to an independent implementation, with intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from models.evaluate import (
    METRICS,
    Estimate,
    auc_estimate,
    deciles,
    evaluate,
    flat,
    from_flat,
    log_loss_gain,
    mean_estimate,
    share_estimate,
    sure_share_estimate,
)
from models.matrix import Outcomes, Vector


def scored(rows: int = 4_000, decimals: int = 2, seed: int = 5) -> tuple[Vector, Outcomes]:
    """Propensities with many ties, and outcomes drawn from them."""
    random = np.random.default_rng(seed)
    propensity = np.round(random.beta(1, 12, rows), decimals)
    return propensity, random.random(rows) < propensity


def test_ranking_and_proper_scores_equal_those_of_scikit_learn_in_spite_of_ties() -> None:
    propensity, has_bought = scored()
    found = {name: estimate.value for name, estimate in evaluate(propensity, has_bought).items()}
    clipped = np.clip(propensity, 1e-9, 1 - 1e-9)
    assert found["auc"] == pytest.approx(roc_auc_score(has_bought, propensity))
    assert found["average_precision"] == pytest.approx(
        average_precision_score(has_bought, propensity)
    )
    assert found["log_loss"] == pytest.approx(log_loss(has_bought, clipped))
    assert found["brier"] == pytest.approx(brier_score_loss(has_bought, propensity))


def test_lift_is_the_rate_in_the_best_share_over_the_rate_of_all() -> None:
    propensity = np.arange(100, 0, -1) / 200
    has_bought = np.zeros(100, dtype=bool)
    has_bought[[0, 3, 50, 99]] = True
    found = evaluate(propensity, has_bought)
    assert found["lift_01"].value == pytest.approx(25.0)  # 1 of 1 against 4 of 100
    assert found["lift_05"].value == pytest.approx(10.0)
    assert found["lift_10"].value == pytest.approx(5.0)


def test_lift_shares_a_tie_at_the_edge_evenly() -> None:
    has_bought = np.zeros(100, dtype=bool)
    has_bought[:4] = True
    assert evaluate(np.full(100, 0.1), has_bought)["lift_10"].value == pytest.approx(1.0)


def test_ece_is_the_mean_distance_in_ten_bins_of_equally_many() -> None:
    propensity = np.repeat(np.arange(1, 11) / 20, 10)
    has_bought = np.tile([True] + [False] * 9, 10)  # a tenth in every bin
    distances = np.abs(np.arange(1, 11) / 20 - 0.1)
    assert evaluate(propensity, has_bought)["ece"].value == pytest.approx(distances.mean())


def test_equal_propensities_are_one_bin_of_the_ece() -> None:
    has_bought = np.array([True, False, False, False] * 25)
    assert evaluate(np.full(100, 0.25), has_bought)["ece"].value == pytest.approx(0.0)


def test_chance_alone_explains_the_ece_of_a_calibrated_model_but_not_that_of_a_wrong_one() -> None:
    propensity, has_bought = scored(1_000)
    right = evaluate(propensity, has_bought, samples=100)
    wrong = evaluate(np.minimum(3 * propensity, 1), has_bought, samples=100)
    assert right["ece"].value <= right["ece_by_chance"].high
    assert wrong["ece"].value > wrong["ece_by_chance"].high


def test_without_buyers_ranking_is_unknown_and_the_proper_scores_are_not() -> None:
    found = evaluate(np.array([0.1, 0.2, 0.3]), np.zeros(3, dtype=bool), samples=5)
    assert not found["auc"].is_known
    assert found["log_loss"].is_known
    assert "auc" not in flat(found)


def test_nothing_is_known_of_nobody() -> None:
    found = evaluate(np.array([]), np.array([], dtype=bool), samples=5)
    assert set(found) == {*METRICS, "ece_by_chance"}
    assert flat(found) == {}


def test_about_95_of_100_intervals_cover_the_truth() -> None:
    propensity, has_bought = scored(60_000, decimals=6)
    truth = roc_auc_score(has_bought, propensity)
    covered = 0
    for place in range(100):
        part = slice(600 * place, 600 * (place + 1))
        auc = evaluate(propensity[part], has_bought[part], samples=100)["auc"]
        covered += auc.low <= truth <= auc.high
    assert 86 <= covered <= 100


def test_the_same_seed_gives_the_same_interval() -> None:
    propensity, has_bought = scored(500)
    first, again, other = (evaluate(propensity, has_bought, 50, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["auc"] != other["auc"]


def test_a_better_model_gains_with_an_interval_above_nothing() -> None:
    propensity, has_bought = scored()
    worse = np.full(len(propensity), propensity.mean())
    assert log_loss_gain(propensity, worse, has_bought, 50, 1).low > 0
    assert log_loss_gain(worse, propensity, has_bought, 50, 1).high < 0
    same = log_loss_gain(propensity, propensity, has_bought, 50, 1)
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_the_mean_of_nobody_is_unknown() -> None:
    assert not mean_estimate(np.array([]), 10, 1).is_known


def test_flat_names_carry_the_ends_of_the_interval() -> None:
    known, open_ended = Estimate(0.7, 0.6, 0.8), Estimate(0.1, math.nan, math.nan)
    assert flat({"auc": known, "ece": open_ended}) == {
        "auc": 0.7, "auc_low": 0.6, "auc_high": 0.8, "ece": 0.1,
    }  # fmt: skip


def test_deciles_hold_everybody_once_best_first_and_never_cut_a_tie() -> None:
    propensity, has_bought = scored()
    bins = deciles(propensity, has_bought)
    assert sum(one.customers for one in bins) == len(propensity)
    assert sum(one.buyers for one in bins) == has_bought.sum()
    means = [one.mean_propensity for one in bins]
    assert means == sorted(means, reverse=True)
    ends = np.cumsum([one.customers for one in bins])[:-1]
    ranked = np.sort(propensity)[::-1]
    assert all(ranked[end - 1] > ranked[end] for end in ends)
    assert len(deciles(np.full(50, 0.1), np.zeros(50, dtype=bool))) == 1
    assert deciles(np.empty(0), np.empty(0, dtype=bool)) == ()


def test_intervals_of_shares_are_those_of_the_books() -> None:
    from scipy.stats import binomtest

    for count, of in ((0, 10), (1, 30), (7, 20), (20, 20)):
        wilson = binomtest(count, of).proportion_ci(0.95, "wilson")
        exact = binomtest(count, of).proportion_ci(0.99, "exact")
        found, sure = share_estimate(count, of), sure_share_estimate(count, of, 0.01)
        assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
        assert (sure.low, sure.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert not share_estimate(0, 0).is_known
    assert not sure_share_estimate(0, 0, 0.05).is_known


def test_an_auc_without_bootstrap_is_the_same_with_nearly_the_same_interval() -> None:
    propensity, has_bought = scored()
    quick = auc_estimate(propensity, has_bought)
    slow = evaluate(propensity, has_bought, samples=400, seed=1)["auc"]
    assert quick.value == pytest.approx(slow.value)
    assert (quick.low, quick.high) == pytest.approx((slow.low, slow.high), abs=0.006)
    assert not auc_estimate(propensity[:3], np.array([True, False, False])).is_known
    perfect = auc_estimate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert perfect.value == 1 and math.isnan(perfect.low)


def test_what_the_registry_keeps_of_an_estimate_can_be_read_back() -> None:
    kept = flat({"auc": Estimate(0.8, 0.7, 0.9), "ece": Estimate(0.1, math.nan, math.nan)})
    assert from_flat(kept, "auc") == Estimate(0.8, 0.7, 0.9)
    assert from_flat(kept, "auc").in_words(2) == "0.80 [0.70, 0.90]"
    assert from_flat(kept, "ece").in_words(2, sign=True) == "+0.10"
    assert from_flat(kept, "brier").in_words(2) == "unknown"
