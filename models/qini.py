"""Does a ranking find those whom a contact moves? Judged where chance decided who was contacted.

Nobody's own uplift can be seen. But among any group chosen by a ranking, treated and control differ
by chance alone, so that the difference of their response rates is the group's uplift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.evaluate import UNKNOWN, Estimate, bootstrapped, resampled
from models.gate import Verdict
from models.matrix import Integers, Outcomes, Vector

TOP_SHARES = {"uplift_01": 0.01, "uplift_05": 0.05, "uplift_10": 0.10, "uplift_30": 0.30}
FIGURES = ("qini", *TOP_SHARES)
# Standard normal quantiles of a two-sided test at 5 % that finds the effect with 80 % power.
SIGNIFICANCE_AND_POWER = 1.96 + 0.84
NOTICEABLE = 0.5  # an effect of half of what customers do anyway should be found
MIN_GROUP = 20  # with fewer buyers in an arm bootstrap intervals are too narrow to be obeyed


@dataclass(frozen=True)
class Arms:
    """What came of contacts that chance alone decided.

    Attributes:
        customer: Whose contact it was, or would have been: a place from 0 on. Intervals come from
            drawing customers, so that somebody who was chosen twice counts as one piece of luck.
        is_treated: Contacted, or kept back as control.
        has_bought: In the outcome window after it.
        chance: Of each row to be contacted, above 0 and below 1; None if it was the same for all.
    """

    customer: Integers
    is_treated: Outcomes
    has_bought: Outcomes
    chance: Vector | None = None

    @property
    def treated_share(self) -> float:
        """How many were contacted, of all."""
        return float(self.is_treated.mean())

    @cached_property
    def weight(self) -> Vector:
        """How much a row counts, so that both arms stand for the same customers and campaigns.

        A campaign that keeps back few lies mostly in one arm: what is peculiar to it would look
        like uplift. 1 ÷ the chance to be in the arm makes up for that (Horvitz and Thompson, A
        Generalization of Sampling Without Replacement from a Finite Universe, 1952). The mean is 1
        in each arm, so that with one chance for everybody each row counts as 1.
        """
        if self.chance is None:
            return np.ones(len(self.is_treated))
        weight = 1 / np.where(self.is_treated, self.chance, 1 - self.chance)
        for arm in (self.is_treated, ~self.is_treated):
            weight[arm] /= weight[arm].mean() if arm.any() else 1
        return np.asarray(weight)

    def of(self, rows: Outcomes | Integers) -> Arms:
        """Some of the rows."""
        chance = None if self.chance is None else self.chance[rows]
        return Arms(self.customer[rows], self.is_treated[rows], self.has_bought[rows], chance)

    def weightings(self, samples: int, seed: int) -> list[Vector]:
        """How often each row counts, per bootstrap sample of customers."""
        customers = int(self.customer.max()) + 1
        return [drawn[self.customer] for drawn in resampled(customers, samples, seed)]


@dataclass(frozen=True)
class Power:
    """What a randomised history can show at all.

    Attributes:
        treated: Customers contacted.
        control: Customers kept back.
        rarest: Customers in the smallest of four groups: treated or control, buyers or not.
        control_rate: Share of the control that bought, with half a purchase more.
        detectable: Smallest average uplift that would be found four times out of five.
    """

    treated: int
    control: int
    rarest: int
    control_rate: float
    detectable: float

    @property
    def suffices(self) -> bool:
        """There is enough of everything to train and to judge at all."""
        return self.rarest >= MIN_GROUP

    @property
    def is_underpowered(self) -> bool:
        """Even an uplift of half of what the control does would rather be missed."""
        return not self.suffices or self.detectable > NOTICEABLE * self.control_rate

    @property
    def warning(self) -> str:
        """One line for people; empty if there is nothing to warn of."""
        if not self.is_underpowered:
            return ""
        return (
            f"underpowered: of {self.treated:,} treated and {self.control:,} control customers, an"
            f" average uplift below {self.detectable:.2%} would rather be missed, where"
            f" {self.control_rate:.2%} buy without contact. Randomise more contacts, or wait for"
            " more outcomes"
        )


def power(arms: Arms) -> Power:
    """How much the history could show: the usual formula for the difference of two rates.

    Both arms' variance is that of their common rate (Duflo, Glennerster and Kremer, Using
    Randomization in Development Economics Research, 2007, section 4.1). Rows that count unequally
    tell as much as fewer that count alike (Kish, Survey Sampling, 1965, section 11.7).
    """
    treated, control = int(arms.is_treated.sum()), int((~arms.is_treated).sum())
    bought_treated = int((arms.has_bought & arms.is_treated).sum())
    bought_control = int((arms.has_bought & ~arms.is_treated).sum())
    groups = (bought_treated, bought_control, treated - bought_treated, control - bought_control)
    weighted_treated, weighted_control = (
        float(arms.weight[arms.has_bought & arm].sum())
        for arm in (arms.is_treated, ~arms.is_treated)
    )
    control_rate = (weighted_control + 0.5) / (control + 1)
    if not treated or not control:
        return Power(treated, control, 0, control_rate, math.inf)
    rate = (weighted_treated + weighted_control + 1) / (treated + control + 2)
    equal = [_as_many_alike(arms.weight[arm]) for arm in (arms.is_treated, ~arms.is_treated)]
    deviation = math.sqrt(rate * (1 - rate) * sum(1 / rows for rows in equal))
    return Power(treated, control, min(groups), control_rate, SIGNIFICANCE_AND_POWER * deviation)


def _as_many_alike(weight: Vector) -> float:
    """How many rows that count alike tell as much."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def uplift_figures(
    ranking: Vector, arms: Arms, samples: int = 0, seed: int = 0
) -> dict[str, Estimate]:
    """Qini coefficient, and uplift among the best 1, 5, 10 and 30 %.

    The Qini curve says how many more purchases per treated customer come about when only the best
    share is contacted: treated buyers less control buyers scaled to as many customers (Radcliffe,
    Using Control Groups to Target on Predicted Lift, 2007). The coefficient is the area between it
    and the straight line that a random order gives: 0 if the ranking knows nothing.

    Args:
        ranking: The higher, the earlier contacted; rows that are equal are contacted together.
        arms: What happened.
        samples: Bootstrap samples of customers; with none there is no interval.
        seed: Of the bootstrap.
    """
    if not len(ranking):
        return dict.fromkeys(FIGURES, UNKNOWN)
    ranked = _Ranked(ranking, arms)
    point = ranked.figures(np.ones(len(ranking)))
    drawn = [ranked.figures(weights) for weights in arms.weightings(samples, seed)]
    return {
        name: bootstrapped(point[place], np.array([sample[place] for sample in drawn]))
        for place, name in enumerate(FIGURES)
    }


def qini_gain(ranking: Vector, other: Vector, arms: Arms, samples: int, seed: int) -> Estimate:
    """By how much the Qini coefficient is above another ranking's, on the same samples."""
    one, two = _Ranked(ranking, arms), _Ranked(other, arms)
    every = np.ones(len(ranking))
    weightings = arms.weightings(samples, seed)
    gains = np.array([one.figures(each)[0] - two.figures(each)[0] for each in weightings])
    return bootstrapped(float(one.figures(every)[0] - two.figures(every)[0]), gains)


def beats_propensity(qini: Estimate, gain: Estimate, found: Power) -> Verdict:
    """May the value step rank by uplift? Only if that is surely better, interval and all.

    Args:
        qini: Of the uplift model, on customers it was not trained on.
        gain: Its Qini coefficient less that of ranking the same customers by propensity.
        found: What the history can show.
    """
    failures = []
    if not found.suffices:
        failures.append(f"buyers or others of an arm are fewer than {MIN_GROUP} ({found.rarest})")
    if not qini.low > 0:
        failures.append(f"Qini {_text(qini)} may be no better than a random order's")
    if not gain.low > 0:
        failures.append(f"Qini gain {_text(gain)} over ranking by propensity may be none")
    return Verdict(tuple(failures))


def _text(estimate: Estimate) -> str:
    return f"{estimate.value:+.5f} [{estimate.low:+.5f}, {estimate.high:+.5f}]"


class _Ranked:
    """Both arms in falling order of a ranking, prepared for many weightings of the rows."""

    def __init__(self, ranking: Vector, arms: Arms) -> None:
        self._order = np.argsort(-ranking, kind="stable")
        ranked = ranking[self._order]
        self._ties = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        is_treated, has_bought = arms.is_treated[self._order], arms.has_bought[self._order]
        masks = (is_treated, ~is_treated, is_treated & has_bought, ~is_treated & has_bought)
        self._masks = np.array(masks, dtype=np.float64) * arms.weight[self._order]

    def figures(self, weights: Vector) -> Vector:
        """``FIGURES`` where each row counts ``weights`` times."""
        weight = weights[self._order]
        counts = np.add.reduceat(self._masks * weight, self._ties, axis=1).cumsum(axis=1)
        counts = np.hstack([np.zeros((4, 1)), counts])
        treated, control, _, _ = counts
        share = (treated + control) / (treated[-1] + control[-1])
        tops = [[np.interp(top, share, line) for line in counts] for top in TOP_SHARES.values()]
        return np.array([_qini(share, *counts), *(_difference(*top) for top in tops)])


def _qini(
    share: Vector, treated: Vector, control: Vector, bought_treated: Vector, bought_control: Vector
) -> float:
    """Area between the curve and the straight line to its end."""
    if not treated[-1] or not control[-1]:
        return math.nan
    # Before the first control customer there is nothing to compare with.
    scale = np.divide(treated, control, out=np.zeros_like(control), where=control > 0)
    gained = np.where(control > 0, bought_treated - bought_control * scale, 0) / treated[-1]
    return float(np.trapezoid(gained, share) - gained[-1] / 2)


def _difference(
    treated: float, control: float, bought_treated: float, bought_control: float
) -> float:
    if not treated or not control:
        return math.nan
    return bought_treated / treated - bought_control / control
