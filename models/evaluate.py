"""How good is a model on customers it has never seen? Every figure with a bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.calibrate import log_losses
from models.matrix import Integers, Outcomes, Vector

TOP_SHARES = {"lift_01": 0.01, "lift_05": 0.05, "lift_10": 0.10}
METRICS = ("auc", "average_precision", *TOP_SHARES, "log_loss", "brier", "ece")
ECE_BY_CHANCE = "ece_by_chance"
ECE_BINS = 10
INTERVAL = (2.5, 97.5)
QUANTILE = 1.959964  # of the normal distribution, for an interval of 95 %
Counts = npt.NDArray[np.uint8]
FEWEST_TO_RANK = 2  # buyers, and others, of whose ranks a spread can be told


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN where the data cannot tell, as without any buyer."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """The data could tell."""
        return not math.isnan(self.value)

    def in_words(self, decimals: int, sign: bool = False) -> str:
        """``0.812 [0.790, 0.833]``, without what is not known."""
        if not self.is_known:
            return "unknown"
        form = f"{'+' if sign else ''}.{decimals}f"
        has_interval = not math.isnan(self.low + self.high)
        ends = f" [{self.low:{form}}, {self.high:{form}}]" if has_interval else ""
        return f"{self.value:{form}}{ends}"


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def evaluate(
    propensity: Vector, has_bought: Outcomes, samples: int = 0, seed: int = 0
) -> dict[str, Estimate]:
    """All ``METRICS`` on one test cohort.

    Args:
        propensity: One per customer.
        has_bought: What happened.
        samples: Bootstrap samples of customers; the interval holds the middle 95 % of them. With
            none there is no interval.
        seed: Of the bootstrap.

    Returns:
        ROC AUC; average precision; lift in the best 1, 5 and 10 %; log loss; Brier score; ECE, the
        mean distance between propensity and rate in ten bins of equally many customers; and the ECE
        that chance alone gives so many customers if every propensity is right.
    """
    if not len(propensity):
        return dict.fromkeys((*METRICS, ECE_BY_CHANCE), UNKNOWN)
    ranked = _Ranked(propensity, has_bought)
    point = ranked.metrics(np.ones(len(propensity)))
    draws = _draws(len(propensity), samples, seed)
    drawn = [ranked.metrics(weights.astype(np.float64)) for weights in draws]
    estimates = {
        name: bootstrapped(point[place], np.array([sample[place] for sample in drawn]))
        for place, name in enumerate(METRICS)
    }
    return estimates | {ECE_BY_CHANCE: ranked.ece_by_chance(samples, seed)}


def mean_estimate(values: Vector, samples: int, seed: int) -> Estimate:
    """A mean over customers, such as one model's log loss less another's (paired)."""
    if not len(values):
        return UNKNOWN
    draws = _draws(len(values), samples, seed)
    means = [float((weights * values).sum()) / len(values) for weights in draws]
    return bootstrapped(float(values.mean()), np.array(means))


def log_loss_gain(
    propensity: Vector, other: Vector, has_bought: Outcomes, samples: int, seed: int
) -> Estimate:
    """By how much the log loss is below that of another model on the same customers."""
    gains = log_losses(other, has_bought) - log_losses(propensity, has_bought)
    return mean_estimate(gains, samples, seed)


def resampled(customers: int, samples: int, seed: int) -> list[Vector]:
    """How often each customer is drawn, per bootstrap sample."""
    return [drawn.astype(np.float64) for drawn in _draws(customers, samples, seed)]


@lru_cache(maxsize=1)
def _draws(customers: int, samples: int, seed: int) -> tuple[Counts, ...]:
    """The same for the next figure of the same customers: to draw costs more than to use."""
    random = np.random.default_rng(seed)
    draws = (random.integers(0, customers, customers) for _ in range(samples))
    # Nobody is drawn 256 times; a byte each lets all samples stay in memory.
    return tuple(np.bincount(drawn, minlength=customers).astype(np.uint8) for drawn in draws)


def bootstrapped(value: float, drawn: Vector) -> Estimate:
    """A figure with the middle 95 % of what bootstrap samples gave where they could tell."""
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or not len(known):
        return Estimate(float(value), math.nan, math.nan)
    low, high = np.percentile(known, INTERVAL)
    return Estimate(float(value), float(low), float(high))


@dataclass(frozen=True)
class Bin:
    """Customers with neighbouring propensities.

    Attributes:
        customers: How many.
        buyers: Of them.
        mean_propensity: What was predicted.
    """

    customers: int
    buyers: int
    mean_propensity: float


def deciles(propensity: Vector, has_bought: Outcomes) -> tuple[Bin, ...]:
    """Ten bins of about equally many customers, best first; fewer where propensities are equal."""
    if not len(propensity):
        return ()
    order = np.argsort(-propensity, kind="stable")
    ranked, bought = propensity[order], has_bought[order].astype(np.int64)
    starts = _starts_of_bins(_starts_of_ties(ranked), len(ranked))
    customers = np.diff(np.r_[starts, len(ranked)])
    buyers = np.add.reduceat(bought, starts)
    means = np.add.reduceat(ranked, starts) / customers
    bins = zip(customers.tolist(), buyers.tolist(), means.tolist(), strict=True)
    return tuple(Bin(*one) for one in bins)


def share_estimate(count: int, of: int) -> Estimate:
    """A share with Wilson's interval, which holds for few and for none (Wilson, JASA 1927)."""
    if not of:
        return UNKNOWN
    share, spread = count / of, QUANTILE**2 / of
    centre = (share + spread / 2) / (1 + spread)
    half = QUANTILE / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def sure_share_estimate(count: int, of: int, error: float) -> Estimate:
    """A share with the exact interval, never missing more often than said (Clopper, Pearson 1934).

    Args:
        count: How many.
        of: Among how many.
        error: How often the interval may miss.
    """
    from scipy.special import betaincinv

    if not of:
        return UNKNOWN
    low = float(betaincinv(count, of - count + 1, error / 2)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 1 - error / 2)) if count < of else 1.0
    return Estimate(count / of, low, high)


def auc_estimate(propensity: Vector, has_bought: Outcomes) -> Estimate:
    """ROC AUC with DeLong's interval, on the scale of log-odds (DeLong et al., Biometrics 1988).

    No bootstrap: it is asked for many groups.
    """
    buyers, others = np.sort(propensity[has_bought]), np.sort(propensity[~has_bought])
    if min(len(buyers), len(others)) < FEWEST_TO_RANK:
        return UNKNOWN
    above = _shares_below(buyers, others)  # per buyer: others ranked below
    below = 1 - _shares_below(others, buyers)  # per other: buyers ranked above
    auc = float(above.mean())
    if not 0 < auc < 1:
        return Estimate(auc, math.nan, math.nan)
    error = math.sqrt(above.var(ddof=1) / len(buyers) + below.var(ddof=1) / len(others))
    log_odds, half = math.log(auc / (1 - auc)), QUANTILE * error / (auc * (1 - auc))
    low, high = (1 / (1 + math.exp(-end)) for end in (log_odds - half, log_odds + half))
    return Estimate(auc, low, high)


def _shares_below(values: Vector, others: Vector) -> Vector:
    """Per value the share of others below it; half of those that equal it count."""
    places = (np.searchsorted(others, values, side=side) for side in ("left", "right"))
    return np.asarray(sum(places) / (2 * len(others)))


def flat(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    """``auc``, ``auc_low``, ``auc_high``, …; what is not known is left out."""
    figures: dict[str, float] = {}
    for name, estimate in metrics.items():
        parts = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
        figures |= {f"{name}{end}": part for end, part in parts.items() if not math.isnan(part)}
    return figures


def from_flat(figures: Mapping[str, float], name: str) -> Estimate:
    """One estimate of what ``flat`` made."""
    value, low, high = (figures.get(f"{name}{end}", math.nan) for end in ("", "_low", "_high"))
    return Estimate(value, low, high)


class _Ranked:
    """Test customers in falling order of propensity, prepared for many weightings of them."""

    def __init__(self, propensity: Vector, has_bought: Outcomes) -> None:
        self._order = np.argsort(-propensity, kind="stable")
        ranked, bought = propensity[self._order], has_bought[self._order]
        self._bought = bought.astype(np.float64)
        self._loss = log_losses(ranked, bought)
        self._brier = np.asarray((ranked - self._bought) ** 2)
        self._ranked = ranked
        self._ties = _starts_of_ties(ranked)
        self._bins = _starts_of_bins(self._ties, len(ranked))

    def metrics(self, weights: Vector) -> Vector:
        """``METRICS`` where each customer counts ``weights`` times."""
        weight = weights[self._order]
        bought = np.add.reduceat(weight * self._bought, self._ties)
        everyone = np.add.reduceat(weight, self._ties)
        ece = self._distance(weight * (self._ranked - self._bought))
        sums = np.array([(weight * self._loss).sum(), (weight * self._brier).sum(), ece])
        return np.concatenate([_ranking_metrics(bought, everyone), sums / weight.sum()])

    def ece_by_chance(self, samples: int, seed: int) -> Estimate:
        """ECE of a calibrated model: outcomes are drawn from the propensities themselves."""
        random, customers = np.random.default_rng(seed), len(self._ranked)
        drawn = (random.random(customers) < self._ranked for _ in range(samples))
        errors = [self._distance(self._ranked - bought) / customers for bought in drawn]
        return bootstrapped(float(np.mean(errors)), np.array(errors)) if errors else UNKNOWN

    def _distance(self, surplus: Vector) -> float:
        """Between propensities and outcomes, summed over bins."""
        return float(np.abs(np.add.reduceat(surplus, self._bins)).sum())


def _ranking_metrics(bought: Vector, everyone: Vector) -> Vector:
    """AUC, average precision and lifts from the buyers and customers of each tie, best first."""
    buyers, customers = bought.sum(), everyone.sum()
    if buyers in (0, customers):
        return np.full(2 + len(TOP_SHARES), math.nan)
    caught, reached = np.cumsum(bought), np.cumsum(everyone)
    above = caught - bought / 2  # half of a tie counts as ranked above the other half
    auc = ((everyone - bought) * above).sum() / (buyers * (customers - buyers))
    average_precision = (bought * caught / np.maximum(reached, 1)).sum() / buyers
    shares = np.array(list(TOP_SHARES.values()))
    lifts = np.interp(shares * customers, np.r_[0, reached], np.r_[0, caught]) / buyers / shares
    return np.concatenate([[auc, average_precision], lifts])


def _starts_of_ties(ranked: Vector) -> Integers:
    return np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])


def _starts_of_bins(ties: Integers, customers: int) -> Integers:
    """Bins of about equally many customers that never cut a tie."""
    wanted = np.arange(ECE_BINS) * customers / ECE_BINS
    return np.unique(ties[np.searchsorted(ties, wanted, side="right") - 1])
