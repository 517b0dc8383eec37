"""The logistic regression that models have to beat: as good as the best weights there are."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.baselines import PENALTY, logistic_regression
from models.calibrate import log_losses, probabilities
from models.training_set import TEST
from tests.model_data import small_bank

CARD = 0


def test_it_is_as_good_as_the_best_weights_in_64_bits():
    data = small_bank(4000)
    sample, rows = data.sampled_rows(CARD, 20), data.rows(CARD, TEST)
    bought = data.outcomes[rows, CARD] == 1
    logs = np.sign(data.features) * np.log1p(np.abs(data.features.astype(np.float64)))
    known = logs[sample.rows]
    standard = np.nan_to_num((logs - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0))
    exact = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", tol=1e-10)
    exact.fit(standard[sample.rows], data.outcomes[sample.rows, CARD] == 1)
    best = probabilities(exact.decision_function(standard[rows]) + sample.log_odds_shift)
    found = logistic_regression(data, CARD, sample, rows)
    assert found == pytest.approx(best, abs=0.002)
    difference = log_losses(found, bought).mean() - log_losses(best, bought).mean()
    assert abs(difference) < 1e-4


def test_a_feature_that_was_never_known_says_nothing():
    data = small_bank()
    data.features[:, 2] = np.nan
    sample, rows = data.sampled_rows(CARD, 20), data.rows(CARD, TEST)
    expected = logistic_regression(data, CARD, sample, rows)
    data.features[rows, 2] = 5.0
    assert logistic_regression(data, CARD, sample, rows).tolist() == expected.tolist()


def means_of_logarithms(features):
    means = np.nanmean(np.sign(features) * np.log1p(np.abs(features)), axis=0, dtype=np.float64)
    return np.sign(means) * np.expm1(np.abs(means))


def test_what_is_unknown_or_infinite_counts_as_the_mean():
    data = small_bank()
    sample, rows = data.sampled_rows(CARD, 20), data.rows(CARD, TEST)
    expected = logistic_regression(data, CARD, sample, rows)
    assert ((expected > 0) & (expected < 1)).all()
    data.features[rows[0]] = np.inf
    data.features[rows[1]] = np.nan
    data.features[rows[2]] = means_of_logarithms(data.features[sample.rows])
    found = logistic_regression(data, CARD, sample, rows)
    assert found[0] == found[1] == pytest.approx(found[2], rel=1e-6)
    assert found[3:].tolist() == expected[3:].tolist()
