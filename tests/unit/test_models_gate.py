"""The gate: calibrated, better than chance, better than the champion; all failures are told."""

from __future__ import annotations

import math

import pytest

from models.evaluate import UNKNOWN, Estimate
from models.fairness import GroupFacts
from models.gate import Verdict, better_than_champion, fit_for_use
from tests.model_data import gate_settings

GATE = gate_settings(max_ece=0.02, min_auc=0.6)


def point(value: float, spread: float = 0.0) -> Estimate:
    return Estimate(value, value - spread, value + spread)


def group(low: float, high: float) -> GroupFacts:
    """Women, of whom so many times as many bought as predicted."""
    ratio = Estimate((low + high) / 2, low, high)
    return GroupFacts("gender", "f", 500, UNKNOWN, 0.1, UNKNOWN, UNKNOWN, ratio, UNKNOWN)


def judged(positives: int = 100, *groups: GroupFacts, **metrics: Estimate) -> Verdict:
    good = {
        "ece": point(0.01),
        "ece_by_chance": point(0.005),
        "auc": point(0.8),
        "log_loss_gain_over_segment_rate": point(0.01),
    }
    return fit_for_use(good | metrics, positives, GATE, groups)


def test_a_good_model_passes() -> None:
    assert judged().passed
    assert str(judged()) == "passed"


@pytest.mark.parametrize(
    ("metric", "estimate", "message"),
    [
        ("ece", point(0.021), "ECE 0.0210 is above 0.02"),
        ("auc", point(0.59), "AUC 0.590 is below 0.6"),
    ],
)
def test_each_rule_refuses_with_its_reason(metric: str, estimate: Estimate, message: str) -> None:
    assert judged(**{metric: estimate}).failures == (message,)


def test_every_failed_rule_is_told() -> None:
    assert len(judged(ece=point(0.5), auc=point(0.5)).failures) == 2


def test_an_ece_that_chance_explains_is_not_held_against_a_model() -> None:
    assert judged(ece=point(0.03), ece_by_chance=point(0.02, spread=0.015)).passed
    assert not judged(ece=point(0.04), ece_by_chance=point(0.02, spread=0.015)).passed


def test_with_few_buyers_being_better_than_the_segments_rate_must_be_sure() -> None:
    assert judged(positives=9, auc=point(0.4)).passed
    unsure = point(0.001, spread=0.002)
    assert judged(positives=100, log_loss_gain_over_segment_rate=unsure).passed
    assert judged(positives=9, log_loss_gain_over_segment_rate=unsure).failures == (
        "log loss gain +0.00100 [-0.00100, +0.00300] over the segment's rate may be none",
    )


def test_a_model_worse_than_its_segments_rate_is_refused_however_well_it_ranks() -> None:
    worse = judged(auc=point(0.9), log_loss_gain_over_segment_rate=point(-0.001))
    assert len(worse.failures) == 1


def test_what_is_not_known_does_not_pass() -> None:
    assert not judged(auc=UNKNOWN).passed
    assert not judged(ece=UNKNOWN).passed
    assert not judged(positives=0, log_loss_gain_over_segment_rate=UNKNOWN).passed


@pytest.mark.parametrize(("low", "high"), [(1.30, 1.80), (0.40, 0.70)])
def test_a_model_that_is_surely_wrong_about_a_protected_group_is_refused(
    low: float, high: float
) -> None:
    assert judged(100, group(low, high)).failures == (
        f"gender f buys {(low + high) / 2:.2f} [{low:.2f}, {high:.2f}] times as often as predicted,"
        " beside all customers; 0.80 to 1.25 is allowed",
    )
    both = judged(100, group(low, high), auc=point(0.5))
    assert len(both.failures) == 2


@pytest.mark.parametrize(("low", "high"), [(1.20, 3.0), (0.1, 0.9), (0.9, 1.1)])
def test_what_chance_may_explain_is_not_held_against_a_model(low: float, high: float) -> None:
    assert judged(100, group(low, high)).passed


def test_with_few_buyers_groups_are_not_judged() -> None:
    assert judged(9, group(1.5, 9.0)).passed
    assert not judged(10, group(1.5, 9.0)).passed


def test_a_challenger_must_beat_the_champion_with_its_whole_interval() -> None:
    assert better_than_champion(Estimate(0.01, 0.001, 0.02)).passed
    assert not better_than_champion(Estimate(0.01, -0.001, 0.02)).passed
    assert not better_than_champion(Estimate(math.nan, math.nan, math.nan)).passed
