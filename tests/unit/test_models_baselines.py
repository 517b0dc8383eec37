"""The logistic regression that models have to beat: the best weights there are, found quickly."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.baselines import PENALTY, fit_logistic, logistic_regression
from models.calibrate import probabilities
from models.training_set import TEST
from tests.model_data import small_bank

CARD = 0


def cohort(rows, intercept, slope=1.0):
    """Features of which the last is 1, and outcomes that depend on the first two."""
    random = np.random.default_rng(3)
    features = np.hstack([random.normal(size=(rows, 8)), np.ones((rows, 1))])
    chance = probabilities(intercept + slope * (features[:, 0] - features[:, 1]))
    return features, random.random(rows) < chance


@pytest.mark.parametrize(
    ("rows", "intercept", "slope"),
    [(20_000, -1.0, 1.0), (20_000, -6.0, 1.0), (9_000, -14.0, 9.0), (40, 0.0, 1.0)],
    ids=["common", "rare", "nearly separable", "few"],
)
def test_weights_are_the_best_there_are(rows, intercept, slope):
    features, bought = cohort(rows, intercept, slope)
    found = fit_logistic(features, bought)
    exact = LogisticRegression(C=1 / PENALTY, solver="lbfgs", tol=1e-10, max_iter=10_000)
    exact.fit(features[:, :-1], bought)
    assert found == pytest.approx([*exact.coef_[0], exact.intercept_[0]], abs=1e-4)


def test_a_full_step_that_leads_too_far_is_shortened():
    """From a start at which nearly every chance is 0, Newton alone would never come back."""
    random = np.random.default_rng(9)
    features = np.hstack([random.lognormal(0, 2, size=(4_000, 3)), np.ones((4_000, 1))])
    bought = random.random(4_000) < probabilities(8 * np.minimum(features[:, 0], 1) - 9)
    found = fit_logistic(features, bought)
    exact = LogisticRegression(C=1 / PENALTY, solver="lbfgs", tol=1e-10, max_iter=10_000)
    exact.fit(features[:, :-1], bought)
    assert found == pytest.approx([*exact.coef_[0], exact.intercept_[0]], abs=1e-4)


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
