"""How far scores and features have moved from those a model was trained on, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np

from features.drift import SHARE_OF_EMPTY_CLASS, class_bounds, class_counts, stability_index
from measurement.association import DEVIATIONS, Estimate, Floats


@dataclass(frozen=True)
class ScoreShift:
    """One product's scores of a month beside the same model's scores of its test cohort.

    Attributes:
        product_id: What could be bought.
        month: As-of date of the scores.
        version: Of the model.
        clients: Who could buy it this month.
        clients_then: In the test cohort of its training.
        psi: Population stability index.
        mean: Mean propensity of this month.
        mean_then: Of the test cohort.
    """

    product_id: str
    month: date
    version: int
    clients: int
    clients_then: int
    psi: Estimate
    mean: float
    mean_then: float


@dataclass(frozen=True)
class FeatureShift:
    """A feature of a month beside what models were trained on.

    Attributes:
        name: Of the feature.
        month: As-of date.
        psi: Population stability index.
        change: What moved, in words; may be nothing.
        unseen_share: Of clients whose value is of a class that training saw in nobody: a name it
            did not know, or no value where there always was one.
        trained_as_of: Of the training that it is held beside.
    """

    name: str
    month: date
    psi: Estimate
    change: str
    unseen_share: float
    trained_as_of: date


def psi_estimate(
    psi: float, shares: Sequence[float], then: Sequence[float], n: int, m: int
) -> Estimate:
    """A PSI with its 95 % interval: what two samples show by chance alone is taken off its ends.

    The variance is that of the two multinomials (delta method); of alike populations the PSI is
    about (classes - 1) x (1 / n + 1 / m) (Yurdakul and Naranjo, J. Risk Model Validation 14, 2020).

    Args:
        psi: As found.
        shares: Of clients in each class.
        then: Of what they are held beside.
        n: Clients.
        m: Clients of then.
    """
    p, q = (
        np.maximum(np.asarray(one, dtype=np.float64), SHARE_OF_EMPTY_CLASS)
        for one in (shares, then)
    )
    change = np.log(p / q)
    variance = _variance(p, change + 1 - q / p) / n + _variance(q, 1 - p / q - change) / m
    by_chance = (int((p + q > 2 * SHARE_OF_EMPTY_CLASS).sum()) - 1) * (1 / n + 1 / m)
    half = DEVIATIONS * sqrt(max(0.0, variance))
    return Estimate(psi, max(0.0, psi - by_chance - half), max(psi, psi - by_chance + half))


def _variance(shares: Floats, slopes: Floats) -> float:
    mean = float(shares @ slopes) / float(shares.sum())
    return float(shares @ (slopes - mean) ** 2)


def score_shift(
    product_id: str, month: date, version: int, scores: Floats, then: Floats
) -> ScoreShift:
    """Hold scores beside those of the test cohort, in tenths of the latter.

    Args:
        product_id: What could be bought.
        month: As-of date of the scores.
        version: Of the model.
        scores: Of those who could buy it; at least one.
        then: Of those of the test cohort; at least one.
    """
    bounds = class_bounds(np.sort(then))
    now, before = (class_counts(np.sort(one), bounds) for one in (scores, then))
    psi = psi_estimate(
        stability_index(now, before),
        (now / len(scores)).tolist(),
        (before / len(then)).tolist(),
        len(scores),
        len(then),
    )
    means = (float(np.sort(one).mean()) for one in (scores, then))
    return ScoreShift(product_id, month, version, len(scores), len(then), psi, *means)
