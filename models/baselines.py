"""What a model has to beat: how popular a product is in the segment, and a logistic regression."""

from __future__ import annotations

import numpy as np

from models.calibrate import probabilities
from models.matrix import Integers, Matrix, Outcomes, Vector
from models.training_set import TEST, Sample, TrainingSet, total

PRIOR_CUSTOMERS = 200.0  # with so many customers a segment counts as much as the whole product
PENALTY = 100.0
STOP = {"maxiter": 500, "gtol": 1e-4}
BLOCK = 1024  # rows that a processor's cache holds


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
    known = _logarithms(data.features, sample.rows)
    spread = _spread(known)
    has_bought = data.outcomes[sample.rows, place] == 1
    weights, constant = _regression(_standardised(known, spread), has_bought)
    unseen = _standardised(_logarithms(data.features, rows), spread)
    log_odds = (unseen @ weights).astype(np.float64) + constant
    return probabilities(log_odds + sample.log_odds_shift)


def _logarithms(features: Matrix, rows: Integers) -> Matrix:
    """Of these rows, with signs kept; what is infinite is unknown. A feature's lie side by side."""
    found = np.empty((len(rows), features.shape[1]), dtype=np.float32, order="F")
    for start in range(0, len(rows), BLOCK):
        block = features[rows[start : start + BLOCK]]
        block[~np.isfinite(block)] = np.nan
        found[start : start + BLOCK] = np.copysign(np.log1p(np.abs(block)), block)
    return found


def _spread(columns: Matrix) -> list[tuple[float, float]]:
    """Mean and standard deviation of what is known of each feature; 0 and 1 if nothing is."""
    known = (column[~np.isnan(column)].astype(np.float64) for column in columns.T)
    return [(one.mean(), one.std() or 1.0) if len(one) else (0.0, 1.0) for one in known]


def _standardised(columns: Matrix, spread: list[tuple[float, float]]) -> Matrix:
    """The same matrix, changed in place."""
    for column, (mean, deviation) in zip(columns.T, spread, strict=True):
        np.divide(np.subtract(column, mean, out=column), deviation, out=column)
        np.nan_to_num(column, copy=False)
    return columns


def _regression(columns: Matrix, has_bought: Outcomes) -> tuple[Matrix, float]:
    """Weights and constant of least log loss, with a penalty on the squares of the weights.

    What scikit-learn's ``LogisticRegression`` minimises, by the same L-BFGS. Its own layout, by
    rows, takes two and a half times as long, and a baseline is asked for every product.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    customers = len(has_bought)
    bought = has_bought.astype(np.float32)
    side = np.where(has_bought, np.float32(-1), np.float32(1))

    def loss(parameters: Vector) -> tuple[float, Vector]:
        weights, constant = parameters[:-1], np.float32(parameters[-1])
        log_odds = columns @ weights.astype(np.float32) + constant
        losses = np.logaddexp(0, side * log_odds).sum(dtype=np.float64)
        surplus = expit(log_odds) - bought
        slope = (columns.T @ surplus).astype(np.float64) + PENALTY * weights
        total_loss = losses + PENALTY / 2 * (weights @ weights)
        slopes = np.append(slope, surplus.sum(dtype=np.float64))
        return total_loss / customers, slopes / customers

    start = np.zeros(columns.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=STOP).x
    return found[:-1].astype(np.float32), float(found[-1])
