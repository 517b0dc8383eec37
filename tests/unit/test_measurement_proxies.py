"""A planted proxy comes first, what has nothing to do with a group tells nothing of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from measurement.proxies import (
    cramers_v,
    drawn_customers,
    proxies,
    ranked_auc,
    upper_bounds,
)

CLIENTS = 2000
NAMES = [f"noise_{number}" for number in range(12)] + ["height_like", "one_half", "other_half"]
CUSTOMERS = [f"C{number:05d}" for number in range(CLIENTS)]
TOLD = {"gender": ["f", "m"], "language": ["de", "en"]}


@pytest.fixture(scope="module")
def bank():
    random = np.random.default_rng(1)
    matrix = random.normal(size=(CLIENTS, len(NAMES))).astype(np.float32)
    is_f = random.random(CLIENTS) < 0.5
    matrix[:, 12] -= 1.2 * is_f  # planted: women have less of it
    # Neither half tells the language, both together do.
    is_de = (matrix[:, 13] > 0) ^ (matrix[:, 14] > 0)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    groups = {"gender": np.where(is_f, "f", "m"), "language": np.where(is_de, "de", "en")}
    return matrix, groups


def test_a_planted_proxy_comes_first_and_noise_tells_nothing(bank) -> None:
    matrix, groups = bank
    found = proxies(matrix, NAMES, groups, TOLD)
    assert [one.feature for one in found[:2]] == ["height_like"] * 2
    by_group = {one.group: one for one in found[:2]}
    assert (by_group["f"].is_higher, by_group["m"].is_higher) == (False, True)
    assert found[0].auc.low > 0.7
    assert found[0].association > 0.3
    others = [one for one in found if one.feature != "height_like"]
    assert max(one.auc.value for one in others) < 0.55
    assert len(found) == len(NAMES) * 4


def test_all_features_together_see_what_none_sees_alone(bank) -> None:
    matrix, groups = bank
    found = upper_bounds(matrix, CUSTOMERS, groups, TOLD, seed=1)
    best = {(one.attribute, one.group): one for one in found}
    assert best["language", "de"].auc.low > 0.8
    assert best["gender", "f"].auc.low > 0.7
    assert best["gender", "f"].customers == (groups["gender"] == "f").sum()
    assert upper_bounds(matrix, CUSTOMERS, groups, TOLD, seed=1) == found


def test_a_group_that_nothing_tells_is_not_told_by_training_on_it(bank) -> None:
    matrix, _ = bank
    labels = np.where(np.random.default_rng(5).random(CLIENTS) < 0.5, "a", "b")
    [found] = upper_bounds(matrix, CUSTOMERS, {"x": labels}, {"x": ["a"]}, seed=1)
    assert found.auc.low < 0.5 < found.auc.high


def test_auc_is_that_of_others_and_its_interval_holds_the_truth() -> None:
    random, held = np.random.default_rng(2), 0
    for _ in range(200):
        is_in = np.arange(400) < 100
        values = random.normal(size=400) + 0.5 * is_in
        found = ranked_auc(rankdata(values), is_in)
        held += found.low <= 0.63817 <= found.high  # Φ(0.5 / √2)
    assert found.value == pytest.approx(roc_auc_score(is_in, values))
    assert 182 <= held <= 198


def test_association_is_none_between_what_is_drawn_apart_and_one_between_what_is_the_same() -> None:
    random = np.random.default_rng(3)
    one, other = random.integers(0, 10, 5000), random.integers(0, 3, 5000)
    assert cramers_v(one, other) < 0.03
    assert cramers_v(other, other) == pytest.approx(1, abs=0.01)
    assert cramers_v(one, np.zeros(5000, dtype=np.int64)) == 0


def test_who_is_drawn_does_not_depend_on_who_else_there_is() -> None:
    drawn = {CUSTOMERS[place] for place in drawn_customers(CUSTOMERS, 500)}
    assert len(drawn) == 500
    fewer = CUSTOMERS[:1000]
    assert {fewer[p] for p in drawn_customers(fewer, 500)} >= drawn & set(fewer)
    assert drawn_customers(CUSTOMERS, CLIENTS).tolist() == list(range(CLIENTS))
