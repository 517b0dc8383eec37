"""Calibration: the kind is chosen by log loss on unseen customers, and ranks survive."""

from __future__ import annotations

import json

import numpy as np
import pytest

from models.calibrate import (
    IDENTITY,
    Calibration,
    calibrate,
    log_losses,
    probabilities,
)
from models.matrix import Folds, Outcomes, Vector


def cohort(rows: int, distort: str = "none", rate: float = -2.0) -> tuple[Vector, Outcomes, Folds]:
    """Log-odds as a model might give them, with outcomes drawn from the truth."""
    random = np.random.default_rng(11)
    truth = rate + 1.5 * random.normal(size=rows)
    has_bought = random.random(rows) < probabilities(truth)
    given = {
        "none": truth,
        "line": 2.0 * truth + 1.0,
        "bend": np.where(truth > rate, 4 * (truth - rate) + rate, truth),
    }[distort]
    return given, has_bought, random.integers(0, 4, rows).astype(np.int8)


def test_a_calibrated_model_hardly_changes() -> None:
    log_odds, has_bought, fold = cohort(20_000)
    calibrated = calibrate(log_odds, has_bought, fold).apply(log_odds)
    assert np.abs(probabilities(calibrated) - probabilities(log_odds)).mean() < 0.01


def test_platt_straightens_a_line() -> None:
    log_odds, has_bought, fold = cohort(20_000, "line")
    found = calibrate(log_odds, has_bought, fold)
    assert found.kind == "platt"
    assert found.inputs == pytest.approx((0.5, -0.5), abs=0.06)


def test_isotonic_straightens_a_bend() -> None:
    log_odds, has_bought, fold = cohort(20_000, "bend")
    found = calibrate(log_odds, has_bought, fold)
    assert found.kind == "isotonic"
    truth, _, _ = cohort(20_000)
    error = np.abs(probabilities(found.apply(log_odds)) - probabilities(truth))
    assert error.mean() < 0.01


def test_few_buyers_leave_the_model_as_it_is() -> None:
    log_odds, has_bought, fold = cohort(600, "line", rate=-6.0)
    assert has_bought.sum() < 20
    assert calibrate(log_odds, has_bought, fold) == IDENTITY


def test_a_line_that_would_turn_the_ranking_around_is_refused() -> None:
    log_odds, has_bought, fold = cohort(5_000)
    turned = calibrate(-log_odds, has_bought, fold)
    assert turned.kind != "platt"


@pytest.mark.parametrize("distort", ["none", "line", "bend"])
def test_a_calibration_strictly_keeps_the_ranking_even_beyond_what_it_has_seen(
    distort: str,
) -> None:
    log_odds, has_bought, fold = cohort(20_000, distort)
    found = calibrate(log_odds, has_bought, fold)
    ever_higher = np.linspace(-30, 30, 5_000)
    assert (np.diff(found.apply(ever_higher)) > 0).all()


def test_a_calibration_survives_being_written_as_json() -> None:
    found = Calibration("isotonic", (-1.25, 0.1), (-2.0, 1 / 3))
    assert Calibration.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_certainty_that_proves_wrong_costs_much_but_not_infinitely() -> None:
    wrong = log_losses(np.array([0.0, 1.0]), np.array([True, False]))
    assert np.isfinite(wrong).all()
    assert (wrong > 10).all()


def test_extreme_log_odds_do_not_overflow() -> None:
    assert probabilities(np.array([-1e9, 1e9])).tolist() == [pytest.approx(0, abs=1e-200), 1.0]
