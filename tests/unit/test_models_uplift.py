"""Uplift: found where it was planted, refused where there is none or nobody could tell."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import spearmanr

from models.evaluate import Estimate
from models.matrix import Vector
from models.qini import (
    FIGURES,
    MIN_GROUP,
    Arms,
    Power,
    beats_propensity,
    power,
    qini_gain,
    uplift_figures,
)
from models.training_set import FOLDS
from models.uplift import LEARNERS, RandomisedHistory, TrainedUplift, train_uplift, trained_on
from tests.model_data import model_settings

SETTINGS = model_settings(rounds=40, bootstrap_samples=60)
MOVED, LIKELY = 0, 1  # the feature that the uplift depends on, and that of buying anyway


def planted(
    rows: int = 8000, strength: float = 0.2, treated_share: float = 0.5
) -> tuple[RandomisedHistory, Vector]:
    """A history and everybody's true uplift: one feature moves it, another the propensity."""
    random = np.random.default_rng(11)
    features = random.normal(size=(rows, 5)).astype(np.float32)
    uplift = strength * np.tanh(2 * features[:, MOVED]).astype(np.float64)
    response = 0.3 + 0.1 * np.tanh(2 * features[:, LIKELY])
    is_treated = random.random(rows) < treated_share
    has_bought = random.random(rows) < response + np.where(is_treated, uplift, 0)
    fold = random.integers(0, FOLDS, rows, dtype=np.int8)
    return RandomisedHistory(features, Arms(np.arange(rows), is_treated, has_bought), fold), uplift


@cache
def found_where_planted() -> TrainedUplift:
    return train_uplift(planted()[0], SETTINGS)


def test_planted_uplift_is_found_and_beats_propensity() -> None:
    found, (history, truth) = found_where_planted(), planted()
    assert found.verdict.passed, found.verdict
    assert not found.power.warning
    assert found.model is not None
    assert spearmanr(found.model.uplift(history.features), truth).statistic > 0.85
    assert spearmanr(found.uplift, truth).statistic > 0.8
    best = found.figures["uplift_10"]
    assert best.low <= truth[np.argsort(-found.uplift)[: len(truth) // 10]].mean() <= best.high
    assert found.qini["propensity"].high < found.figures["qini"].low


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("treated_share", [0.5, 0.8])
def test_each_learner_ranks_and_sizes_uplift_whatever_the_share_of_control(
    learner: str, treated_share: float
) -> None:
    history, truth = planted(treated_share=treated_share)
    uplift = trained_on(history, learner, SETTINGS).uplift(history.features)
    assert spearmanr(uplift, truth).statistic > 0.75
    assert uplift.mean() == pytest.approx(truth.mean(), abs=0.03)


def test_without_any_effect_ranking_by_uplift_is_refused() -> None:
    history, _ = planted(strength=0.0)
    found = train_uplift(history, SETTINGS)
    assert not found.verdict.passed
    assert "random order" in str(found.verdict)
    assert not found.power.is_underpowered  # it could have told


def test_what_moves_nobody_but_ranks_as_well_is_not_preferred_to_propensity() -> None:
    """Where uplift is a share of the response, propensity ranks it as well: nothing is gained."""
    history, _ = planted()
    uplift = found_where_planted().uplift
    again = train_uplift(history, SETTINGS, propensity=uplift)
    assert not again.verdict.passed
    assert "over ranking by propensity may be none" in str(again.verdict)


def two_campaigns(rows: int = 8000) -> RandomisedHistory:
    """Without any uplift: one keeps back a tenth and is about what sells, the other one a half."""
    random = np.random.default_rng(5)
    sells = random.random(rows) < 0.5
    chance = np.where(sells, 0.9, 0.5)
    arms = Arms(
        np.arange(rows),
        random.random(rows) < chance,
        random.random(rows) < np.where(sells, 0.30, 0.05),
        chance,
    )
    features = random.normal(size=(rows, 3)).astype(np.float32)
    return RandomisedHistory(features, arms, random.integers(0, FOLDS, rows, dtype=np.int8))


def test_campaigns_that_kept_back_different_shares_do_not_look_like_uplift() -> None:
    arms = two_campaigns().arms
    ranking = np.random.default_rng(6).random(len(arms.customer))
    fair = uplift_figures(ranking, arms, samples=40, seed=1)["uplift_30"]
    assert fair.low < 0 < fair.high
    assert abs(fair.value) < 0.03
    naive = uplift_figures(ranking, replace(arms, chance=None))["uplift_30"]
    assert naive.value > 0.05  # the treated are mostly customers of what sells


@pytest.mark.parametrize("learner", LEARNERS)
def test_no_learner_takes_a_campaign_for_uplift(learner: str) -> None:
    history = two_campaigns()
    uplift = trained_on(history, learner, SETTINGS).uplift(history.features)
    assert abs(uplift.mean()) < 0.02
    naive = replace(history, arms=replace(history.arms, chance=None))
    assert trained_on(naive, learner, SETTINGS).uplift(history.features).mean() > 0.05


def test_both_arms_stand_for_the_same_campaigns_and_rows_for_one_on_average() -> None:
    arms = two_campaigns().arms
    for arm in (arms.is_treated, ~arms.is_treated):
        assert arms.weight[arm].mean() == pytest.approx(1)
        assert arms.weight[arm & (arms.chance == 0.9)].sum() / arm.sum() == pytest.approx(
            0.5, abs=0.02
        )


def test_one_chance_for_everybody_weighs_nobody() -> None:
    history, _ = planted(rows=2000)
    told = replace(history.arms, chance=np.full(2000, 0.5))
    assert told.weight == pytest.approx(np.ones(2000))
    assert power(told) == power(history.arms)


def test_rows_that_count_unequally_can_show_less() -> None:
    arms = two_campaigns().arms
    assert power(arms).detectable > power(replace(arms, chance=None)).detectable
    assert power(arms).control_rate == pytest.approx(0.175, abs=0.02)
    assert power(replace(arms, chance=None)).control_rate < 0.12


def test_a_tiny_history_is_underpowered_and_trains_nothing() -> None:
    history, _ = planted(rows=60)
    found = train_uplift(history, SETTINGS)
    assert found.model is None
    assert not found.verdict.passed
    assert found.power.warning.startswith("underpowered: of ")
    assert not any(found.figures[name].is_known for name in FIGURES)


def test_the_same_history_gives_the_same_bytes() -> None:
    again = train_uplift(planted()[0], SETTINGS)
    assert again.model == found_where_planted().model
    assert again.figures == found_where_planted().figures
    assert again.uplift.tobytes() == found_where_planted().uplift.tobytes()


def test_nobody_is_judged_by_a_model_that_knew_the_outcome() -> None:
    """Were outcomes seen, boosters of many leaves would remember them where nothing is planted."""
    history, _ = planted(rows=1500, strength=0.0)
    greedy = model_settings(rounds=60, num_leaves=60, min_data_in_leaf=2, bootstrap_samples=10)
    found = train_uplift(history, greedy)
    seen = trained_on(history, "t_learner", greedy).uplift(history.features)
    assert uplift_figures(seen, history.arms)["qini"].value > 0.03
    assert abs(found.figures["qini"].value) < 0.015


def test_qini_and_uplift_of_a_ranking_worked_out_by_hand() -> None:
    is_treated = np.array([True, False, True, False])
    has_bought = np.array([True, False, False, True])
    arms = Arms(np.arange(4), is_treated, has_bought)
    found = uplift_figures(np.array([4.0, 3.0, 2.0, 1.0]), arms)
    # After 0 .. 4 customers: 0, nothing to compare with, 1/2, 1/2 (two treated, one control), 0.
    assert found["qini"].value == pytest.approx(0.25)
    assert math.isnan(found["uplift_10"].value)
    halves = uplift_figures(np.array([1.0, 1.0, 0.0, 0.0]), arms)
    assert halves["qini"].value == pytest.approx(0.25)
    assert halves["uplift_30"].value == pytest.approx(1.0)


def test_equal_customers_are_contacted_together_whatever_their_order() -> None:
    history, _ = planted(rows=3000)
    ranking = np.round(history.features[:, MOVED].astype(np.float64), 0)
    turned = np.random.default_rng(2).permutation(3000)
    one = uplift_figures(ranking, history.arms)
    other = uplift_figures(ranking[turned], history.arms.of(turned))
    assert one["qini"].value == pytest.approx(other["qini"].value)
    assert uplift_figures(np.zeros(3000), history.arms)["qini"].value == pytest.approx(0)


def test_customers_who_were_chosen_twice_widen_the_interval() -> None:
    history, truth = planted(rows=2000)
    alone = uplift_figures(truth, history.arms, samples=200, seed=3)["qini"]
    twice = np.r_[np.arange(2000), np.arange(2000)]
    doubled = uplift_figures(truth[twice], history.arms.of(twice), samples=200, seed=3)["qini"]
    mistaken = replace(history.arms.of(twice), customer=np.arange(4000))
    narrow = uplift_figures(truth[twice], mistaken, samples=200, seed=3)["qini"]
    assert _width(doubled) == pytest.approx(_width(alone), rel=0.05)
    assert _width(narrow) < 0.85 * _width(alone)


def test_the_gain_over_another_ranking_is_paired() -> None:
    history, truth = planted(rows=4000)
    none = qini_gain(truth, truth, history.arms, 50, 1)
    assert (none.value, none.low, none.high) == (0, 0, 0)
    assert qini_gain(truth, -truth, history.arms, 50, 1).low > 0


def test_the_detectable_effect_is_found_four_times_out_of_five() -> None:
    random = np.random.default_rng(4)
    arms = Arms(np.arange(4000), np.arange(4000) < 2000, random.random(4000) < 0.1)
    found = power(arms)
    tried = 4000
    treated = random.binomial(2000, 0.1 + found.detectable, tried) / 2000
    control = random.binomial(2000, 0.1, tried) / 2000
    both = (treated + control) / 2
    is_found = treated - control > 1.96 * np.sqrt(both * (1 - both) * 2 / 2000)
    assert is_found.mean() == pytest.approx(0.8, abs=0.04)


def test_without_control_nothing_can_be_told() -> None:
    arms = Arms(np.arange(100), np.ones(100, dtype=bool), np.arange(100) < 50)
    assert power(arms).detectable == math.inf
    assert power(arms).is_underpowered
    assert math.isnan(uplift_figures(np.arange(100.0), arms)["qini"].value)


def test_every_rule_of_the_verdict_is_named() -> None:
    sure, unsure = Estimate(0.02, 0.01, 0.03), Estimate(0.02, -0.01, 0.05)
    enough, few = Power(9, 9, MIN_GROUP, 0.1, 0.01), Power(9, 9, MIN_GROUP - 1, 0.1, 0.01)
    assert beats_propensity(sure, sure, enough).passed
    assert "random order" in str(beats_propensity(unsure, sure, enough))
    assert "propensity may be none" in str(beats_propensity(sure, unsure, enough))
    assert "fewer than 20 (19)" in str(beats_propensity(sure, sure, few))
    assert len(beats_propensity(unsure, unsure, few).failures) == 3


def _width(estimate: Estimate) -> float:
    return estimate.high - estimate.low
