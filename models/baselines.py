"""What a model has to beat: how popular a product is in the segment, and a logistic regression."""

from __future__ import annotations

import numpy as np

from models.calibrate import probabilities
from models.matrix import Integers, Matrix, Vector
from models.training_set import TEST, Sample, TrainingSet, total

PRIOR_CUSTOMERS = 200.0  # with so many customers a segment counts as much as the whole product
PENALTY = 100.0
MOST_STEPS = 500


def segment_rates(data: TrainingSet, place: int, segments: int) -> Vector:
    """Share of buyers per segment before the test cohort, drawn towards the product's rate.

    A product that nobody has bought is drawn towards half a purchase, and one that nobody could buy
    towards the rate over all products: a propensity is never exactly 0. Sampled customers count by
    their weight, so that the rates are those of all.

    Args:
        data: The training set.
        place: Place of the product.
        segments: Number of named segments; the rate after them is for customers of none.
    """
    known = data.part < TEST
    outcomes, weight, segment = data.outcomes[known], data.weight[known], data.segment[known]
    bought, could_buy = outcomes[:, place] == 1, outcomes[:, place] >= 0
    purchases, chances = (outcomes == 1).sum(axis=1), (outcomes >= 0).sum(axis=1)
    anything = (total(weight * purchases) + 0.5) / (total(weight * chances) + 1)
    product = (total(weight[bought]) + anything) / (total(weight[could_buy]) + 1)
    buyers = np.bincount(segment, weight * bought, segments + 1)
    customers = np.bincount(segment, weight * could_buy, segments + 1)
    return np.asarray((buyers + PRIOR_CUSTOMERS * product) / (customers + PRIOR_CUSTOMERS))


def logistic_regression(data: TrainingSet, place: int, sample: Sample, rows: Integers) -> Vector:
    """Propensities of ``rows`` by a regression on all features, trained on the booster's sample.

    Amounts and counts are skewed: each enters as its signed logarithm, standardised; an unknown
    value, or an infinite one, as the mean.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler, known = StandardScaler(copy=False), _logarithms(data.features[sample.rows])
    known[:, np.isnan(known).all(axis=0)] = 0  # never known: no mean could be found
    known = scaler.fit_transform(known)
    has_bought = data.outcomes[sample.rows, place] == 1
    # In 32 bits, which rank as well, and by L-BFGS: a quarter of the time of Newton's method.
    regression = LogisticRegression(C=1 / PENALTY, solver="lbfgs", max_iter=MOST_STEPS)
    fitted = regression.fit(np.nan_to_num(known, copy=False), has_bought)
    unseen = np.nan_to_num(scaler.transform(_logarithms(data.features[rows])), copy=False)
    log_odds = fitted.decision_function(unseen).astype(np.float64)
    return probabilities(log_odds + sample.log_odds_shift)


def _logarithms(features: Matrix) -> Matrix:
    """A copy, with signs kept; what is infinite is unknown."""
    numbers = np.array(features, dtype=np.float32)
    numbers[~np.isfinite(numbers)] = np.nan
    return np.copysign(np.log1p(np.abs(numbers)), numbers)
