"""Monotone constraints: kept by every booster after any calibration, and only on known features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conf.errors import ConfigError
from jobs.settings import checked_config
from models.calibrate import Calibration
from models.matrix import Vector
from models.pooled import pooled_candidate, train_pooled
from models.scorer import Scorer
from models.train import Plan, train_booster
from models.training_set import TEST
from tests.model_data import FEATURES, plan_of, small_bank

SIGNS = {"increasing": 1, "decreasing": -1}
ISOTONIC = Calibration("isotonic", (-4.0, -3.0, -2.0, 0.0), (-3.5, -3.4, -1.0, 0.2))


def own(plan: Plan) -> Scorer:
    return train_booster(plan, "card").scorer


def pooled(plan: Plan) -> Scorer:
    return pooled_candidate(plan, train_pooled(plan), "card").scorer


def swept(scorer: Scorer, name: str) -> Vector:
    """Propensities of test customers, a column per value of the feature, rising over its range."""
    data, place = small_bank(), FEATURES.index(name)
    rows = data.features[data.part == TEST][:200]
    found = []
    for value in np.nanquantile(data.features[:, place], np.linspace(0, 1, 60)):
        rows[:, place] = value
        found.append(scorer.propensities_of(rows))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("train", [own, pooled])
@pytest.mark.parametrize(("name", "direction"), [("balance", "increasing"),
                                                 ("spending", "decreasing"),
                                                 ("noise_1", "increasing")])  # fmt: skip
def test_a_propensity_follows_a_constrained_feature_over_its_whole_range(
    tmp_path: Path, train: Callable[[Plan], Scorer], name: str, direction: str
) -> None:
    free = train(plan_of(small_bank(), tmp_path / "free"))
    bound = train(plan_of(small_bank(), tmp_path / "bound", monotone={name: direction}))
    sign = SIGNS[direction]
    assert (sign * np.diff(swept(free, name))).min() < -0.001
    for calibration in (bound.calibration, Calibration("platt", (0.8, 0.1)), ISOTONIC):
        steps = sign * np.diff(swept(replace(bound, calibration=calibration), name))
        assert steps.min() >= 0 and steps.max() > 0.001


def test_without_constraints_nothing_is_asked_of_lightgbm(tmp_path: Path) -> None:
    assert "[monotone_constraints: ]" in own(plan_of(small_bank(), tmp_path)).model_text


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("overdrawn_days_count_3m=decreasing",
         "is no feature; did you mean overdrawn_day_count_3m?"),
        ("has_turned_18_12m=increasing", "is a feature that no model may use; remove it"),
        ("segment_rank=rising",
         "is rising; it must be 'increasing' or 'decreasing'; did you mean increasing?"),
    ],
)  # fmt: skip
def test_a_constraint_that_would_hold_nothing_is_refused(setting: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_config("local", [f"models.monotone.{setting}"])
    name = setting.partition("=")[0]
    assert caught.value.problems == (
        f"--set models.monotone.{setting}: models.monotone.{name} {problem}",
    )


def test_a_constraint_on_a_feature_of_a_product_is_accepted() -> None:
    assert checked_config("local", ["models.monotone.overdrawn_day_count_3m=decreasing"])
