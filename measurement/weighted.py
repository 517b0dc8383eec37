"""Figures of clients of whom each stands for several, with intervals that know it.

Where chance withheld a share of those who were to be offered something, those withheld stand for
all of them: each counts 1 / that share. With equal weights every figure is the plain one.
"""

from __future__ import annotations

from math import exp, log, nan, sqrt

import numpy as np
from scipy.special import gammaincinv

from measurement.association import DEVIATIONS, TAIL, Bools, Estimate, Floats
from measurement.group_rates import share

UNKNOWN = Estimate(nan, nan, nan)


def effective(weights: Floats) -> float:
    """How many clients of equal weight would say as much (Kish, Survey Sampling, 1965)."""
    squares = dot(weights, weights)
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def dot(one: Floats, other: Floats) -> float:
    """Sum of products; not by BLAS, whose last bits depend on the number of cores."""
    return float((one * other).sum())


def event_rate_ratio(events: Floats, chances: Floats, weights: Floats) -> Estimate:
    """Events ÷ those expected, as weighted.

    The interval is that of a gamma distribution (Fay and Feuer, Statistics in Medicine 16, 1997),
    with the mean weight of one more event in place of the largest (Tiwari, Clegg and Zou,
    Statistical Methods in Medical Research 15, 2006). Where those who count for many happened to
    have no event, the variance is the one that the chances tell, or the interval would miss too
    often. Of equal weights it is the exact Poisson one.

    Args:
        events: Weights of those who had one.
        chances: Of each client to have one.
        weights: Of each client.
    """
    weighted = chances * weights
    expected, plain = float(weighted.sum()), float(chances.sum())
    if not expected:
        return UNKNOWN
    squares = dot(weighted, weights)
    found = float(events.sum())
    spread = max(dot(events, events), found * squares / expected)
    low = _gamma(found, spread, TAIL) if found else 0.0
    high = _gamma(found + expected / plain, spread + squares / plain, 1 - TAIL)
    return Estimate(found / expected, low / expected, high / expected)


def _gamma(mean: float, variance: float, tail: float) -> float:
    return variance / mean * float(gammaincinv(mean**2 / variance, tail))


def top_lift(chances: Floats, events: Bools, weights: Floats, top: float) -> Estimate:
    """Share of events among the best ``top`` of the clients ÷ that share.

    The best are given, whether one of them has an event is chance: Wilson's interval of the share
    that they caught. Of clients with equal chances a part counts.

    Args:
        chances: In falling order.
        events: Who had one.
        weights: How many clients each stands for.
        top: Share of the clients.
    """
    happened = weights * events
    total = float(happened.sum())
    if not total:
        return UNKNOWN
    ties = np.flatnonzero(np.r_[True, chances[1:] != chances[:-1]])
    reached = np.cumsum(np.add.reduceat(weights, ties))
    caught = np.cumsum(np.add.reduceat(happened, ties))
    part = np.interp(top * reached[-1], np.r_[0.0, reached], np.r_[0.0, caught]) / total
    clients = effective(weights[events])
    return Estimate(*(end / top for end in share(float(part) * clients, clients)))


def ranking(chances: Floats, events: Bools, weights: Floats) -> Estimate:
    """ROC AUC with DeLong's interval on the scale of log-odds (DeLong et al., Biometrics 1988)."""
    one = _Side.of(chances[events], weights[events])
    other = _Side.of(chances[~events], weights[~events])
    if min(len(one.chances), len(other.chances)) < 2:  # noqa: PLR2004 -- of one there is no spread
        return UNKNOWN
    above, below = other.share_below(one.chances), 1 - one.share_below(other.chances)
    auc = dot(above, one.weights) / one.total
    if not 0 < auc < 1:
        return Estimate(auc, nan, nan)
    error = sqrt(one.variance(above - auc) + other.variance(below - auc))
    middle, half = log(auc / (1 - auc)), DEVIATIONS * error / (auc * (1 - auc))
    low, high = (1 / (1 + exp(-end)) for end in (middle - half, middle + half))
    return Estimate(auc, low, high)


class _Side:
    """Those with an event, or those without, in rising order of their chances."""

    def __init__(self, chances: Floats, weights: Floats) -> None:
        self.chances, self.weights = chances, weights
        self.total = float(weights.sum())
        self._up_to = np.r_[0.0, np.cumsum(weights)]

    @classmethod
    def of(cls, chances: Floats, weights: Floats) -> _Side:
        order = np.argsort(chances, kind="stable")
        return cls(chances[order], weights[order])

    def share_below(self, values: Floats) -> Floats:
        """Per value how much of this side is below it; half of what equals it counts."""
        places = (np.searchsorted(self.chances, values, side=side) for side in ("left", "right"))
        return np.asarray(sum(self._up_to[place] for place in places) / (2 * self.total))

    def variance(self, distances: Floats) -> float:
        spread = self.weights * distances
        return dot(spread, spread) / self.total**2
