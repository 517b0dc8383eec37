"""Which features a model goes by: exact SHAP values of some test customers, averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.matrix import Matrix, Vector
from models.scorer import Scorer

MOST_CUSTOMERS = 400  # of whom an average of SHAP values is steady to some 5 %
CLEAR = 0.3  # correlation from which on a feature works in one direction


@dataclass(frozen=True)
class FeatureWeight:
    """How much a feature counts.

    Attributes:
        name: The feature.
        share: Of all features' mean absolute SHAP values.
        direction: What a higher value does to the propensity.
    """

    name: str
    share: float
    direction: str


def top_features(scorer: Scorer, matrix: Matrix, top: int) -> tuple[FeatureWeight, ...]:
    """The features that move propensities most, the most important first.

    What a pooled model is told about the product is the same for every customer and is left out.

    Args:
        scorer: A booster's.
        matrix: Its features of some customers.
        top: At most so many.
    """
    told = scorer.with_attributes(matrix)
    values = np.asarray(scorer.booster().predict(told, pred_contrib=True, num_threads=1))
    own = values[:, : len(scorer.features)]
    means = np.abs(own).mean(axis=0)
    best = np.argsort(-means, kind="stable")[:top]
    return tuple(
        FeatureWeight(
            scorer.features[place],
            float(means[place] / means.sum()),
            _direction(matrix[:, place].astype(np.float64), own[:, place]),
        )
        for place in best
        if means[place] > 0
    )


def _direction(values: Vector, contributions: Vector) -> str:
    """By rank, so that a few large amounts do not decide; customers without a value are left out.

    Spearman's correlation.
    """
    known = np.isfinite(values)
    of_values, of_contributions = _ranks(values[known]), _ranks(contributions[known])
    if min(len(set(of_values)), len(set(of_contributions))) <= 1:
        return "one value only"
    correlation = float(np.corrcoef(of_values, of_contributions)[0, 1])
    if abs(correlation) < CLEAR:
        return "both ways"
    return "more likely" if correlation > 0 else "less likely"


def _ranks(values: Vector) -> Vector:
    """Ranks, ties sharing their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return np.asarray((ends - (count - 1) / 2)[place], dtype=np.float64)
