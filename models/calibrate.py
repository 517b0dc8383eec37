"""Make log-odds honest: choose and fit a calibration on a cohort later than the training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from models.matrix import Folds, Outcomes, Vector

CalibrationKind = Literal["identity", "platt", "isotonic"]

# With fewer buyers a slope, or a curve, follows noise; both were set by trials on the demo bank.
MIN_POSITIVES: dict[CalibrationKind, int] = {"identity": 0, "platt": 20, "isotonic": 200}
BLOCK_PRIOR = 5.0
EPSILON = 1e-9


@dataclass(frozen=True)
class Calibration:
    """A strictly rising map from log-odds to log-odds.

    Attributes:
        kind: ``identity``, ``platt`` (a line) or ``isotonic`` (a smoothed staircase).
        inputs: Platt: slope and intercept. Isotonic: log-odds at the centre of each step.
        outputs: Isotonic: calibrated log-odds there.
    """

    kind: CalibrationKind = "identity"
    inputs: tuple[float, ...] = ()
    outputs: tuple[float, ...] = ()

    def apply(self, log_odds: Vector) -> Vector:
        """Calibrated log-odds."""
        if self.kind == "platt":
            slope, intercept = self.inputs
            return slope * log_odds + intercept
        if self.kind == "isotonic":
            return self._staircase(log_odds)
        return log_odds

    def _staircase(self, log_odds: Vector) -> Vector:
        """Straight between the centres; beyond them odds move as before, so that ranks survive."""
        low, high = self.inputs[0], self.inputs[-1]
        inside = np.interp(log_odds, self.inputs, self.outputs)
        return inside + np.minimum(log_odds - low, 0) + np.maximum(log_odds - high, 0)

    def as_json(self) -> dict[str, Any]:
        """For ``scorer.json``."""
        return {"kind": self.kind, "inputs": list(self.inputs), "outputs": list(self.outputs)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """The inverse of ``as_json``."""
        return cls(content["kind"], tuple(content["inputs"]), tuple(content["outputs"]))


IDENTITY = Calibration()


def calibrate(log_odds: Vector, has_bought: Outcomes, fold: Folds) -> Calibration:
    """The kind with the best log loss on customers it was not fitted on, then fitted on all.

    Args:
        log_odds: Of the calibration cohort, prior correction included.
        has_bought: Its outcomes.
        fold: Follows the customer; each fold is judged by a fit on the others.
    """
    kinds = [kind for kind, needed in MIN_POSITIVES.items() if has_bought.sum() >= needed]
    losses = {kind: _cross_fitted_loss(kind, log_odds, has_bought, fold) for kind in kinds}
    best = min(kinds, key=losses.__getitem__)
    return _fit(best, log_odds, has_bought)


def probabilities(log_odds: Vector) -> Vector:
    """The logistic function, without overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -500, 500)))


def log_losses(probability: Vector, has_bought: Outcomes) -> Vector:
    """Log loss of each row; certainty that proves wrong costs much, but not infinitely."""
    kept = np.clip(np.where(has_bought, probability, 1 - probability), EPSILON, 1)
    return np.asarray(-np.log(kept))


def _cross_fitted_loss(
    kind: CalibrationKind, log_odds: Vector, has_bought: Outcomes, fold: Folds
) -> float:
    total = 0.0
    for left_out in np.unique(fold):
        seen = fold != left_out
        fitted = _fit(kind, log_odds[seen], has_bought[seen])
        judged = probabilities(fitted.apply(log_odds[~seen]))
        total += float(log_losses(judged, has_bought[~seen]).sum())
    return total


def _fit(kind: CalibrationKind, log_odds: Vector, has_bought: Outcomes) -> Calibration:
    if kind == "identity" or has_bought.all() or not has_bought.any():
        return IDENTITY
    return _platt(log_odds, has_bought) if kind == "platt" else _isotonic(log_odds, has_bought)


def _platt(log_odds: Vector, has_bought: Outcomes) -> Calibration:
    """A line in log-odds; one that falls would turn the ranking around and is refused."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=1e6, solver="newton-cholesky")
    fitted = line.fit(log_odds[:, None], has_bought)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibration("platt", (slope, intercept)) if slope > 0 else IDENTITY


def _isotonic(log_odds: Vector, has_bought: Outcomes) -> Calibration:
    """Isotonic regression, each step drawn towards the base rate and set at its centre."""
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression().fit_transform(log_odds, has_bought.astype(np.float64))
    _, step, size = np.unique(steps, return_inverse=True, return_counts=True)
    base_rate = has_bought.mean()
    bought = np.bincount(step, weights=has_bought)
    rate = (bought + BLOCK_PRIOR * base_rate) / (size + BLOCK_PRIOR)
    centre = np.bincount(step, weights=log_odds) / size
    return _rising(centre, np.log(rate / (1 - rate)))


def _rising(centre: Vector, log_odds: Vector) -> Calibration:
    """Keep the steps that really rise: smoothing can turn two neighbours around."""
    highest = np.concatenate([[-np.inf], np.maximum.accumulate(log_odds)[:-1]])
    keep = log_odds > highest
    inputs, outputs = centre[keep], log_odds[keep]
    return Calibration("isotonic", tuple(map(float, inputs)), tuple(map(float, outputs)))
