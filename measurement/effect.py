"""One comparison of who was offered something with whom chance withheld it, for many parts at once.

Outcomes are rare and lumpy: of 300 clients withheld three may buy, one of them a mortgage. What a
mean of so few large values may have been is not told by its own deviation: where the large one did
not happen, nothing hints at it, and intervals of Welch or of a bootstrap hold in 80 % of campaigns
instead of 95 % (docs/adr/0015-intervals-of-effects.md). Instead:

- A mean is a rate of sales times the size of a sale. Its size is that of both arms together, each
  sale weighted by itself (sum of squares ÷ sum), so that ``mean ÷ size`` is the rate of as many
  sales of one size as have the same mean and the same deviation (effective count; as Dobson,
  Kuulasmaa, Eberle and Scherer count deaths of unlike weight, Statistics in Medicine 10, 1991). Of
  that rate the interval is Wilson's (JASA 22, 1927), whose deviation is that of the rate at its end
  and not of the rate seen.
- Two means are held against each other by what each end is away from its mean (Newcombe, Statistics
  in Medicine 17, 1998, method 10), weighted sums of them alike (MOVER; Zou and Donner, Statistics
  in Medicine 27, 2008). Of things that are there or not (size 1) that is Newcombe's interval.
- Costs are alike from client to client: their difference has a normal interval (Welch's deviation).
- What was known of the clients before takes away what chance put more of into one arm (CUPED; Deng,
  Xu, Kohavi and Walker, WSDM 2013): the slope is that of both arms together, so that it knows
  nothing of the effect, and it is used only where it takes away a share of the variance worth it.
- The p-value is how sure an interval may be before it reaches zero: it never contradicts one.

Effects are those on the clients who were offered something. Strata are campaigns that withheld
another share: each is compared in itself and weighs as much as it offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from measurement.association import DEVIATIONS, Floats, Ints

POWER = 0.8
WITHIN_REACH = float(DEVIATIONS + norm.ppf(POWER))  # standard errors of a detectable effect
FURTHEST, HALVINGS = 40.0, 36  # deviations: beyond them a p-value is zero in a double


class Moments(NamedTuple):
    """Sums over the clients of one arm, each part × stratum.

    Attributes:
        clients: How many.
        sales: Sum of what comes in lumps, or of who did.
        sales_squared: Sum of its squares.
        costs: Sum of what comes evenly.
        costs_squared: Sum of its squares.
        before: Sum of what was known before.
        before_squared: Sum of its squares.
        before_sales: Sum of its products with the sales.
    """

    clients: Ints
    sales: Ints
    sales_squared: Ints
    costs: Ints
    costs_squared: Ints
    before: Ints
    before_squared: Ints
    before_sales: Ints


@dataclass(frozen=True)
class Comparison:
    """What was found, one entry per part; NaN where there is nothing to compare.

    Attributes:
        treated_mean: Per client who was offered something.
        control_mean: What they would have done without: the control's mean, each stratum weighted
            as it was offered, and made like the treated where what was known before is used.
        low: Lower end of the 95 % interval of the effect.
        high: Upper end.
        p_value: How often chance alone would show as much, either way.
        detectable: Least effect that such arms find four times out of five; NaN where nothing
            varies.
        reduction: Share of the variance that what was known before took away; 0: not used.
    """

    treated_mean: Floats
    control_mean: Floats
    low: Floats
    high: Floats
    p_value: Floats
    detectable: Floats
    reduction: Floats

    @property
    def effect(self) -> Floats:
        """Caused per client who was offered something."""
        return self.treated_mean - self.control_mean


def compare(
    treated: Moments,
    control: Moments,
    least_reduction: float,
    cost_sign: int = -1,
    has_sales: bool = True,
) -> Comparison:
    """Hold the treated against the control.

    Args:
        treated: Of each part and stratum.
        control: The same of those withheld.
        least_reduction: What was known before is used from this share of the variance on.
        cost_sign: -1: of sales less costs; 1: of their sum.
        has_sales: There may be sales at all, also where none was seen.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        arms = _Arms(treated, control, cost_sign, has_sales)
        return arms.compared(least_reduction)


class _Arms:
    """Two arms of many parts; arrays are parts × strata, and parts where strata are added up."""

    def __init__(self, treated: Moments, control: Moments, cost_sign: int, has_sales: bool) -> None:
        self._arms = (treated, control)
        self._is_compared = (treated.clients > 0) & (control.clients > 0)
        offered = np.where(self._is_compared, treated.clients, 0)
        self._weight = offered / offered.sum(axis=1, keepdims=True)
        self._size = self._of_both("sales_squared") / self._of_both("sales")
        self._sign, self._has_sales = cost_sign, has_sales
        self._slope, self._kept = np.zeros(len(offered)), np.ones(len(offered))

    def compared(self, least_reduction: float) -> Comparison:
        """Means, interval, p-value and power."""
        self._slope, self._kept = self._before(least_reduction)
        means = [self._mean(arm) for arm in self._arms]
        before = [self._added(arm.before / arm.clients) for arm in self._arms]
        control_mean = means[1] + self._slope * (before[0] - before[1])
        effect = means[0] - control_mean
        deviations = np.full_like(effect, DEVIATIONS)
        below, above = self._reach(deviations)
        return Comparison(
            means[0],
            control_mean,
            effect - below,
            effect + above,
            self._p_value(effect),
            self._detectable(),
            1 - self._kept,
        )

    def _before(self, least: float) -> tuple[Floats, Floats]:
        """The slope of sales on what was known before, and the share of the variance left."""
        clients, sales, squared, _, _, before, before_squared, product = (
            np.where(self._is_compared, one + other, 0)
            for one, other in zip(self._arms[0], self._arms[1], strict=True)
        )
        several = np.maximum(clients, 1)
        of_before = (before_squared - before / several * before).sum(axis=1)
        of_both = (product - before / several * sales).sum(axis=1)
        of_sales = (squared - sales / several * sales).sum(axis=1)
        slope = np.where(of_before > 0, of_both / of_before, 0.0)
        taken = np.where(of_sales > 0, slope * of_both / of_sales, 0.0)
        is_used = taken >= max(least, np.finfo(float).tiny)
        return np.where(is_used, slope, 0.0), np.where(is_used, 1 - taken, 1.0)

    def _mean(self, arm: Moments) -> Floats:
        return self._added((arm.sales + self._sign * arm.costs) / arm.clients)

    def _added(self, values: Floats) -> Floats:
        """Over strata, each as much as it was offered; NaN where none can be compared."""
        return self._summed(self._weight, values)

    @staticmethod
    def _summed(weight: Floats, values: Floats) -> Floats:
        return np.asarray(np.where(weight > 0, weight * values, weight).sum(axis=1))

    def _of_both(self, name: str) -> Floats:
        both = getattr(self._arms[0], name) + getattr(self._arms[1], name)
        return np.asarray(
            np.where(self._is_compared, both, 0).sum(axis=1, keepdims=True), dtype=float
        )

    def _reach(self, deviations: Floats) -> tuple[Floats, Floats]:
        """From the effect down to its lower end and up to its upper one."""
        treated, control = (self._ends(arm, deviations[:, None]) for arm in self._arms)
        even = deviations**2 * self._cost_variance
        below = self._summed(self._weight**2, treated[0] + control[1])
        above = self._summed(self._weight**2, treated[1] + control[0])
        return np.sqrt(self._kept * below + even), np.sqrt(self._kept * above + even)

    def _ends(self, arm: Moments, deviations: Floats) -> tuple[Floats, Floats]:
        """Squared distances of the ends of Wilson's interval from the mean of the sales."""
        if not self._has_sales:
            return np.zeros_like(self._weight), np.zeros_like(self._weight)
        mean = arm.sales / arm.clients
        size = np.where(self._size > 0, np.maximum(self._size, mean), 1.0)
        rate, spread = mean / size, deviations**2 / arm.clients
        centre = (rate + spread / 2) / (1 + spread)
        half = np.sqrt(rate * (1 - rate) / arm.clients + spread / (4 * arm.clients))
        half *= deviations / (1 + spread)
        return (size * (rate - centre + half)) ** 2, (size * (centre + half - rate)) ** 2

    @cached_property
    def _cost_variance(self) -> Floats:
        """Of the difference of mean costs."""
        of_means = [
            (arm.costs_squared - arm.costs / arm.clients * arm.costs)
            / np.maximum(arm.clients - 1, 1)
            / arm.clients
            for arm in self._arms
        ]
        return self._summed(self._weight**2, of_means[0] + of_means[1])

    def _detectable(self) -> Floats:
        """By the variance that there is without an effect: that of both arms together."""
        clients = self._arms[0].clients + self._arms[1].clients
        mean = (self._arms[0].sales + self._arms[1].sales) / clients
        size = np.where(self._size > 0, np.maximum(self._size, mean), 1.0)
        variance = mean * (size - mean)  # mean of the squares less square of the mean
        of_means = variance / self._arms[0].clients + variance / self._arms[1].clients
        of_sales = self._summed(self._weight**2, of_means)
        variance = self._kept * of_sales * self._has_sales + self._cost_variance
        return np.asarray(np.where(variance > 0, WITHIN_REACH * np.sqrt(variance), np.nan))

    def _p_value(self, effect: Floats) -> Floats:
        """The deviations at which an end of the interval is zero, as a chance on both sides."""
        low, high = np.zeros_like(effect), np.full_like(effect, FURTHEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            below, above = self._reach(middle)
            is_beyond = np.where(effect > 0, below, above) < np.abs(effect)
            low, high = np.where(is_beyond, middle, low), np.where(is_beyond, high, middle)
        return np.asarray(np.where(np.isnan(effect), np.nan, 2 * norm.sf(low)))
