"""Small trees, column by column: LightGBM's own numbers to the last bit, or not at all."""

import re
from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from models import scorer as scoring
from models.scorer import Scorer
from models.shallow_trees import MOST_LEAVES, ROWS, ShallowTrees, shallow_trees

FEATURES = 10


def training_rows(rows=4_000):
    """Money, counts, flags and deviations; some never unknown, one of them tiny."""
    random = np.random.default_rng(5)
    features = np.round(random.lognormal(6, 2, (rows, FEATURES)), 2).astype(np.float32)
    features[:, 0] = random.integers(0, 3, rows)
    features[:, 1] *= -1
    features[:, 3] = random.normal(size=rows) * 1e-34
    features[random.random((rows, FEATURES)) < 0.2] = np.nan
    features[:, 2:4] = np.nan_to_num(features[:, 2:4])
    bought = np.nan_to_num(features[:, 0] + (features[:, 3] > 0) + np.sign(features[:, 1])) > 1.5
    return features, bought ^ (random.random(rows) < 0.1)


def booster(categories="auto", **parameters):
    features, bought = training_rows()
    fixed = {"objective": "binary", "verbosity": -1, "num_threads": 1, "extra_trees": True}
    data = lightgbm.Dataset(features, label=bought, categorical_feature=categories)
    return lightgbm.train({**fixed, "num_leaves": 4, **parameters}, data, 120)


def beside_thresholds(model):
    """Each threshold's neighbours in 32 bits, what is nothing, what is beyond; all else unknown."""
    trees = model.trees_to_dataframe().dropna(subset=["split_feature"])
    features, _ = training_rows()
    rows = [features]
    for name, threshold in zip(trees["split_feature"], trees["threshold"], strict=True):
        near = np.float32(np.clip(threshold, -1e38, 1e38))
        values = [np.nextafter(near, np.float32(end)) for end in (-np.inf, np.inf)]
        values += [near, 0.0, -0.0, 1e-36, -1e-36, 1e-35, -1e-35, np.inf, -np.inf, 3.4e38, -3.4e38]
        some = np.full((len(values), FEATURES), np.nan, dtype=np.float32)
        some[:, int(name.removeprefix("Column_"))] = values
        rows.append(some)
    return np.concatenate(rows)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("leaves", [2, 3, 4, MOST_LEAVES])
def test_log_odds_are_those_of_lightgbm_to_the_last_bit(leaves, order):
    model = booster(num_leaves=leaves)
    rows = np.asarray(beside_thresholds(model), order=order)
    found = shallow_trees(model.model_to_string())
    assert found is not None
    assert found.log_odds(rows).tolist() == model.predict(rows, raw_score=True).tolist()


@pytest.mark.parametrize("threshold", ["0", "4e-36", "-4e-36", "-9.9e-36"])
def test_what_lightgbm_takes_for_nothing_is_nothing(threshold):
    text = re.sub("threshold=[^ \n]+", f"threshold={threshold}", booster().model_to_string())
    model = lightgbm.Booster(model_str=re.sub("tree_sizes=.*\n", "", text))
    rows = beside_thresholds(model)
    expected = model.predict(rows, raw_score=True).tolist()
    assert shallow_trees(model.model_to_string()).log_odds(rows).tolist() == expected


def test_many_rows_are_worked_on_in_pieces():
    model = booster()
    features, _ = training_rows(2 * ROWS + 7)
    found = shallow_trees(model.model_to_string())
    assert found.log_odds(features).tolist() == model.predict(features, raw_score=True).tolist()
    assert found.log_odds(features[:0]).tolist() == []


def test_a_tree_that_found_nothing_to_split_adds_its_one_leaf():
    model = booster(min_data_in_leaf=3_000)
    assert model.dump_model()["tree_info"][0]["num_leaves"] == 1
    features, _ = training_rows(50)
    found = shallow_trees(model.model_to_string())
    expected = model.predict(features, raw_score=True)
    assert found.log_odds(features).tolist() == expected.tolist()
    larger = shallow_trees(booster().model_to_string())
    both = ShallowTrees((*larger.trees, *found.trees))
    assert both.log_odds(features).tolist() == (larger.log_odds(features) + expected).tolist()


@pytest.mark.parametrize(
    "parameters",
    [
        {"num_leaves": MOST_LEAVES + 1},
        {"zero_as_missing": True},
        {"linear_tree": True, "extra_trees": False},
        {"categories": [0]},
        {"objective": "multiclass", "num_class": 2},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    ],
    ids=["large", "zero", "linear", "categories", "classes", "forest"],
)
def test_other_trees_are_left_to_lightgbm(parameters):
    assert shallow_trees(booster(**parameters).model_to_string()) is None


@pytest.mark.parametrize("leaves", [4, 31])
def test_a_scorer_says_the_same_whoever_predicts(leaves, monkeypatch):
    model = booster(num_leaves=leaves)
    features, _ = training_rows(300)
    names = tuple(model.feature_name())
    scorer = Scorer("card", "booster", names, {}, model.model_to_string(), log_odds_shift=-1.25)
    found = scorer.propensities_of(features)
    monkeypatch.setattr(scoring, "shallow_trees", lambda _: None)
    assert found.tolist() == scorer.propensities_of(features).tolist()
    assert (found != replace(scorer, log_odds_shift=0.0).propensities_of(features)).all()
