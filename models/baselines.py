"""What a model has to beat: how popular a product is in the segment, and a logistic regression."""

from __future__ import annotations

import numpy as np

from models.calibrate import probabilities
from models.matrix import Integers, Matrix, Outcomes, Vector
from models.training_set import TEST, Sample, TrainingSet, total

PRIOR_CUSTOMERS = 200.0  # with so many customers a segment counts as much as the whole product
PENALTY = 100.0
START_PART, ROWS, MOST_STEPS = 8, 4096, 30
# Newton squares the distance with every step: after one below NEAR nothing is left to find.
NEAR, NOTHING, SAME = 1e-3, 1e-12, 1e-9


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
    sampled = _logarithms(data.features[sample.rows])
    centre, spread = _centre_and_spread(sampled)
    has_bought = np.asarray(data.outcomes[sample.rows, place] == 1)
    weights = fit_logistic(_standardised(sampled, centre, spread), has_bought)
    unseen = _standardised(_logarithms(data.features[rows]), centre, spread)
    return probabilities(unseen @ weights + sample.log_odds_shift)


def fit_logistic(features: Vector, has_bought: Outcomes) -> Vector:
    """Weights that minimise ``PENALTY`` / 2 × their squares + the log losses, the intercept last.

    By Newton's method, in a few passes over the rows; the first ones go over a part of them only.

    Args:
        features: Standardised; the last is 1.
        has_bought: Outcomes, of both kinds.
    """
    weights = np.zeros(features.shape[1])
    weights[-1] = np.log(has_bought.mean() / (1 - has_bought.mean()))
    for part in (START_PART, 1):
        some, bought = features[::part], has_bought[::part]
        if bought.any() and not bought.all():
            weights = _newton(some, bought, weights, PENALTY / part)
    return weights


def _newton(features: Vector, has_bought: Outcomes, start: Vector, penalty: float) -> Vector:
    penalties = np.full(len(start), penalty)
    penalties[-1] = 0  # the base rate is not drawn anywhere
    weights, loss = start, _loss(features, has_bought, start, penalties)
    for _ in range(MOST_STEPS):
        step = _step(features, has_bought, weights, penalties)
        # A full step may lead too far where chances are near 0 or 1.
        while (reached := _loss(features, has_bought, weights - step, penalties)) > loss:
            step = step / 2
            if np.abs(step).max() < NOTHING:
                return weights
        weights, loss = weights - step, reached
        if np.abs(step).max() < NEAR:
            break
    return weights


def _step(features: Vector, has_bought: Outcomes, weights: Vector, penalties: Vector) -> Vector:
    gradient, curvature = penalties * weights, np.diag(penalties)
    for begin in range(0, len(features), ROWS):
        rows = features[begin : begin + ROWS]
        chance = probabilities(rows @ weights)
        gradient += rows.T @ (chance - has_bought[begin : begin + ROWS])
        rows = rows * np.sqrt(chance * (1 - chance))[:, None]
        curvature += rows.T @ rows  # with itself: half the work of any other product
    return np.asarray(np.linalg.solve(curvature, gradient))


def _loss(features: Vector, has_bought: Outcomes, weights: Vector, penalties: Vector) -> float:
    log_odds = features @ weights
    losses = np.logaddexp(0, log_odds) - has_bought * log_odds
    return float(losses.sum() + penalties @ weights**2 / 2)


def _logarithms(features: Matrix) -> Vector:
    """Of each feature, followed by a 1 for the intercept."""
    numbers = np.ones((features.shape[0], features.shape[1] + 1))
    found = numbers[:, :-1]
    found[:] = features
    found[~np.isfinite(found)] = np.nan
    np.copysign(np.log1p(np.abs(found)), found, out=found)
    return numbers


def _centre_and_spread(numbers: Vector) -> tuple[Vector, Vector]:
    """Of what is known of a column; 0 and 1 for the last, and where nothing is known or varies."""
    known = ~np.isnan(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = np.sum(numbers, axis=0, where=known) / counts
    centre[-1] = 0
    squares = np.sum((numbers - centre) ** 2, axis=0, where=known)
    spread = np.sqrt(squares / counts)
    return centre, np.where(spread > SAME, spread, 1.0)


def _standardised(numbers: Vector, centre: Vector, spread: Vector) -> Vector:
    numbers -= centre
    numbers /= spread
    numbers[np.isnan(numbers)] = 0
    return numbers
