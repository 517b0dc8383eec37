"""oneDAL says what LightGBM says, to 1e-6, also for values that lie on a threshold."""

import numpy as np
import pytest

from models.accelerator import MOST_APART, _for_conversion, accelerated, is_equal
from models.calibrate import probabilities

ROWS, FEATURES = 4_000, 12
mb = pytest.importorskip("daal4py.mb", reason="the optional accelerator is not installed")


@pytest.fixture(scope="module")
def booster():
    lightgbm = pytest.importorskip("lightgbm")
    random = np.random.default_rng(7)
    features = np.round(random.lognormal(6, 2, (ROWS, FEATURES)), 2).astype(np.float32)
    features[:, 0] = random.integers(0, 3, ROWS)
    features[:, 1] *= -1
    features[random.random((ROWS, FEATURES)) < 0.2] = np.nan
    features[:, 2] = np.nan_to_num(features[:, 2])
    score = np.nan_to_num(np.log(np.abs(features[:, 3]) + 1)) - 6 + features[:, 0] * 0.5
    bought = random.random(ROWS) < probabilities(np.nan_to_num(score))
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "extra_trees": True}
    return lightgbm.train(parameters, lightgbm.Dataset(features, label=bought), 150)


def on_thresholds(booster):
    """Per threshold the 32-bit numbers next to it, in the column of its feature."""
    trees = booster.trees_to_dataframe().dropna(subset=["split_feature"])
    place = [int(name.removeprefix("Column_")) for name in trees["split_feature"]]
    near = trees["threshold"].clip(-1e38, 1e38).to_numpy().astype(np.float32)
    down, up = np.float32(-np.inf), np.float32(np.inf)
    rows = np.full((3 * len(place), FEATURES), np.nan, dtype=np.float32)
    for turn, values in enumerate((np.nextafter(near, down), near, np.nextafter(near, up))):
        rows[turn * len(place) + np.arange(len(place)), place] = values
    return rows


def test_every_threshold_divides_as_before(booster):
    rows = on_thresholds(booster)
    expected = probabilities(booster.predict(rows, raw_score=True, num_threads=1))
    found = probabilities(accelerated(booster.model_to_string())(rows))
    assert len(rows) > 1_000
    assert is_equal(found, expected)


def test_the_converter_alone_would_not_do(booster):
    """Without our thresholds it sends rows to the other side: the reason for them."""
    rows = on_thresholds(booster)
    expected = booster.predict(rows, num_threads=1)
    plain = mb.convert_model(booster).predict_proba(rows)[:, 1]
    assert np.abs(plain - expected).max() > 10 * MOST_APART


def test_what_is_nothing_or_beyond_all_numbers_goes_the_same_way(booster):
    values = (np.nan, 0.0, -0.0, np.inf, -np.inf, 3e38, -3e38, 1e-38)
    rows = np.array([[value] * FEATURES for value in values], dtype=np.float32)
    expected = probabilities(booster.predict(rows, raw_score=True, num_threads=1))
    assert is_equal(probabilities(accelerated(booster.model_to_string())(rows)), expected)


def test_only_thresholds_objective_and_sizes_are_changed(booster):
    text = booster.model_to_string()
    kept = [line for line in text.split("\n") if not line.startswith("tree_sizes=")]
    now = _for_conversion(text).split("\n")
    changed = {
        before.split("=")[0] for before, after in zip(kept, now, strict=True) if before != after
    }
    assert changed == {"threshold", "objective"}


def test_equal_is_not_nearly_equal():
    assert is_equal(np.array([0.25, 0.5]), np.array([0.25, 0.5 + 9e-7]))
    assert not is_equal(np.array([0.25, 0.5]), np.array([0.25, 0.5 + 2e-6]))
    assert is_equal(np.empty(0), np.empty(0))
