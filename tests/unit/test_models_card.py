"""What a model card says: plain sentences about baselines, tenths, features and limits."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from models.card import (
    CohortFacts,
    baseline_sentences,
    cohort_rows,
    decile_rows,
    group_rows,
    limits,
    metric_rows,
)
from models.card_features import top_features
from models.card_plots import plot_scales
from models.evaluate import UNKNOWN, Bin, Estimate
from models.fairness import GroupFacts
from models.scorer import Scorer
from models.train import Candidate

METRICS = {
    "auc": Estimate(0.8, 0.75, 0.85),
    "average_precision": Estimate(0.1, 0.05, 0.2),
    "lift_01": Estimate(4.0, 2.0, 6.0),
    "lift_05": Estimate(3.0, 2.0, 4.0),
    "lift_10": Estimate(2.0, 1.5, 2.5),
    "log_loss": Estimate(0.2, 0.1, 0.3),
    "brier": Estimate(0.02, 0.01, 0.03),
    "ece": Estimate(0.01, 0.0, 0.02),
    "ece_by_chance": Estimate(0.01, 0.0, 0.02),
    "segment_rate_auc": Estimate(0.6, float("nan"), float("nan")),
    "log_loss_gain_over_segment_rate": Estimate(0.01, 0.005, 0.015),
    "log_loss_gain_over_logistic_regression": Estimate(0.001, -0.002, 0.004),
}
BINS = (Bin(50, 10, 0.18), Bin(50, 2, 0.03), Bin(100, 0, 0.01))
TEST = CohortFacts("test", "2024-01-01", BINS, METRICS["auc"])


def candidate(kind: str = "booster", positives: int = 500, **metrics: Estimate) -> Candidate:
    scorer = Scorer("card", kind)  # type: ignore[arg-type]
    return Candidate(scorer, METRICS | metrics, {"train_positives": positives})


def sentences(one: Candidate) -> list[str]:
    return [told["sentence"] for told in baseline_sentences(one)]


def test_it_says_plainly_which_baseline_is_beaten_and_which_is_not() -> None:
    segment, regression = sentences(candidate())
    assert segment == (
        "It beats the segment's rate: log loss gain +0.01000 [+0.00500, +0.01500] on the same"
        " customers."
    )
    assert regression.startswith("It does not beat the logistic regression beyond chance: ")
    assert [one["beats"] for one in baseline_sentences(candidate())] == [True, False]


def test_a_model_that_is_worse_is_called_worse() -> None:
    worse = candidate(log_loss_gain_over_segment_rate=Estimate(-0.01, -0.02, -0.001))
    assert sentences(worse)[0].startswith("It is worse than the segment's rate")


def test_what_cannot_be_compared_is_not_called_beaten() -> None:
    unknown = candidate(log_loss_gain_over_logistic_regression=UNKNOWN)
    assert sentences(unknown)[1] == "It could not be held beside the logistic regression."
    assert sentences(candidate("segment_rate"))[0].startswith("It is the segment's rate itself")


def test_figures_stand_beside_those_of_the_baselines() -> None:
    auc = metric_rows(METRICS)[0]
    assert auc == {"name": "ROC AUC", "model": "0.800 [0.750, 0.850]", "baselines": ["0.600", "–"]}


def test_tenths_count_customers_buyers_and_lift() -> None:
    rows = decile_rows(BINS)
    assert [row["buyers_so_far"] for row in rows] == [10 / 12, 1.0, 1.0]
    assert rows[0]["lift"][0] == pytest.approx((10 / 50) / (12 / 200))
    assert [row["lift_so_far"] for row in rows] == pytest.approx([10 / 3, 2.0, 1.0])
    assert rows[2]["observed"][0] == 0 and rows[2]["observed"][2] > 0.03


def test_axes_hold_every_whisker_and_their_marks_do_not_crowd() -> None:
    rows = decile_rows(BINS)
    scales = plot_scales(rows)
    assert scales is not None
    assert scales["lift"]["most"] > max(row["lift"][2] for row in rows)
    assert scales["reliability"]["most"] > max(row["observed"][2] for row in rows)
    at = np.sqrt(np.array(scales["reliability"]["ticks"]) / scales["reliability"]["most"])
    assert at[0] == 0 and at[-1] <= 1 and np.diff(at).min() >= 0.12
    assert plot_scales(decile_rows((Bin(50, 0, 0.1),))) is None
    assert plot_scales(()) is None


def test_a_cohort_says_how_many_bought_for_each_predicted_purchase() -> None:
    assert TEST.predicted == pytest.approx(11.5)
    assert TEST.observed_to_predicted.value == pytest.approx(12 / 11.5)
    assert cohort_rows([TEST])[0]["observed_to_predicted"].startswith("1.04 [0.6")


def test_groups_are_marked_only_where_the_gate_judges() -> None:
    sure = Estimate(1.6, 1.3, 1.9)
    women = GroupFacts("age_band", "0–24", 90, UNKNOWN, 0.1, UNKNOWN, sure, sure, UNKNOWN)
    assert [row["is_unequal"] for row in group_rows([women], 1.25)] == [True]
    assert [row["is_unequal"] for row in group_rows([women], None)] == [False]
    assert json.dumps(group_rows([women], 1.25), allow_nan=False)


def test_limits_tell_what_the_figures_cannot_carry() -> None:
    few = " ".join(limits(candidate(positives=30), TEST, 10, is_synthetic=True))
    assert "no uplift" in few
    assert "12 buyers only, so that the AUC is known to ±0.05" in few
    assert "trained on 30 buyers only" in few
    assert "synthetic demo bank" in few
    many = replace(TEST, bins=(Bin(5000, 115, 0.023),))
    assert len(limits(candidate(), many, 10, is_synthetic=False)) == 1


@pytest.mark.parametrize(
    ("bins", "told"),
    [
        ((Bin(50, 0, 0.1),), "Nobody of the test cohort bought it"),
        ((Bin(50, 5, 0.1),), "5 buyers only: the AUC says nothing"),
        ((Bin(5000, 900, 0.1),), "more bought than predicted: 1.80"),
        ((Bin(5000, 100, 0.1),), "fewer bought than predicted: 0.20"),
    ],
)
def test_a_test_cohort_that_is_small_or_drifted_is_told(bins: tuple[Bin, ...], told: str) -> None:
    assert told in " ".join(limits(candidate(), replace(TEST, bins=bins), 10, is_synthetic=False))


def test_fallbacks_and_bad_calibration_are_limits() -> None:
    shown = " ".join(limits(candidate("pooled"), TEST, 10, is_synthetic=False))
    assert "shared by all products" in shown
    bad = candidate(ece=Estimate(0.05, 0.04, 0.06))
    assert "ECE of 0.0500" in " ".join(limits(bad, TEST, 10, is_synthetic=False))


def test_the_features_that_drive_purchases_come_first_with_their_direction() -> None:
    import lightgbm

    random = np.random.default_rng(1)
    matrix = random.normal(size=(2000, 3)).astype(np.float32)
    log_odds = 2 * matrix[:, 1] - matrix[:, 2]
    bought = random.random(2000) < 1 / (1 + np.exp(-log_odds))
    data = lightgbm.Dataset(matrix, bought, feature_name=["noise", "income", "debt"])
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    text = lightgbm.train(parameters, data, 20).model_to_string()
    matrix[:5, 1] = np.nan
    found = top_features(
        Scorer("card", "booster", ("noise", "income", "debt"), {}, text), matrix, 2
    )
    assert [(one.name, one.direction) for one in found] == [
        ("income", "more likely"), ("debt", "less likely"),
    ]  # fmt: skip
    assert found[0].share > found[1].share > 0 and found[0].share + found[1].share < 1
