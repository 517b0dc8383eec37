"""Public benchmarks: what a figure claims to know is all it knows."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from models.evaluate import Estimate

CALLS, CHANGED = 600, 400


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Scripts of `bench/` find each other as they do when they are run."""
    scripts = str(Path(__file__).parents[2] / "bench")
    monkeypatch.setattr(sys, "path", [*sys.path, scripts])  # last: bench/demo.py is not `demo`
    return importlib.import_module("public")


def calls(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    words = {
        "contact": ("cellular", "telephone"),
        "poutcome": ("success", "failure", "nonexistent"),
        "job": ("retired", "student", "admin."),
        "default": ("no", "unknown"),
        "day_of_week": ("mon", "tue", "wed"),
    }
    columns = {name: random.choice(known, CALLS) for name, known in words.items()}
    numbers = {name: random.integers(0, 9, CALLS) for name in ("previous", "campaign", "age")}
    return pd.DataFrame({**columns, **numbers})


def test_traffic_knows_earlier_calls_only(bench: ModuleType) -> None:
    uci = importlib.import_module("public_uci")
    before, later = calls(1), calls(2)
    changed = pd.concat([before[:CHANGED], later[CHANGED:]], ignore_index=True)
    found, again = uci._traffic(before), uci._traffic(changed)
    assert np.array_equal(found[:CHANGED], again[:CHANGED])
    assert not np.array_equal(found[CHANGED:], again[CHANGED:])


def test_rates_know_outcomes_of_calls_that_ended_ten_calls_before(bench: ModuleType) -> None:
    uci = importlib.import_module("public_uci")
    nobody, one = np.zeros(CALLS, dtype=bool), np.arange(CALLS) == CHANGED
    differs = (uci._rates(nobody) != uci._rates(one)).any(axis=1)
    assert np.flatnonzero(differs)[0] == CHANGED + uci.GAP + 1


def test_buyers_in_the_best_share_with_ties_shared(bench: ModuleType) -> None:
    bought = np.array([True, False, True, False])
    assert bench.share_caught(np.array([4.0, 3.0, 2.0, 1.0]), bought, 0.5).value == 0.5
    assert bench.share_caught(np.array([4.0, 2.0, 2.0, 1.0]), bought, 0.5).value == 0.75
    assert bench.share_caught(np.zeros(4), bought, 0.25).value == 0.25


def test_hits_are_those_of_unseen_folds_scaled_to_the_buyers_of_the_challenge(
    bench: ModuleType,
) -> None:
    coil = importlib.import_module("public_coil")
    has_bought = np.arange(500) % 10 == 0
    truth = has_bought.astype(np.float64)
    assert coil._hits(lambda _train, rows: truth[rows], has_bought).value == pytest.approx(238)

    def remembers(train: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.where(np.isin(rows, train), truth[rows], -truth[rows])

    assert coil._hits(remembers, has_bought).value == pytest.approx(0)


def test_a_line_says_whether_the_bar_is_met(bench: ModuleType) -> None:
    figure = Estimate(0.5, 0.4, 0.6)
    assert ">= 0.5: met" in str(bench.Line("key", "data", "what", figure, bar=0.5))
    loss = bench.Line("key", "data", "what", figure, bar=0.4, is_better_below=True)
    assert "<= 0.4: MISSED" in str(loss)
    assert bench.flat_lines([loss]) == {"key": 0.5, "key_low": 0.4, "key_high": 0.6}
