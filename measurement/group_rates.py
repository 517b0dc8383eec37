"""A share in a group beside that of all others: intervals, difference, ratio, and chance.

Clients are taken as drawn from all that a bank like this could have: an interval says what else the
figures could have been, with offers drawn by chance at the same rates.
"""

from __future__ import annotations

from math import inf, nan, sqrt
from statistics import NormalDist

from scipy.stats import hypergeom

from measurement.association import Estimate

ERROR = 0.05  # of an interval of 95 %
UNKNOWN = Estimate(nan, nan, nan)


def deviations(error: float) -> float:
    """Standard deviations on each side of an interval that misses so often."""
    return NormalDist().inv_cdf(1 - error / 2)


def share(count: float, of: float, error: float = ERROR) -> Estimate:
    """A share with Wilson's interval, which holds for few and for none (Wilson, JASA 1927)."""
    if not of:
        return UNKNOWN
    value, reach = count / of, deviations(error)
    spread = reach**2 / of
    centre = (value + spread / 2) / (1 + spread)
    half = reach / (1 + spread) * sqrt(value * (1 - value) / of + spread / (4 * of))
    # What a sum of doubles adds must not make an interval miss its own figure.
    return Estimate(value, min(value, max(0.0, centre - half)), max(value, min(1.0, centre + half)))


def difference(one: Estimate, other: Estimate) -> Estimate:
    """One share less another (Newcombe, Statistics in Medicine 17, 1998, method 10).

    Args:
        one: With its interval.
        other: Of other clients, with an interval that misses as often.
    """
    value = one.value - other.value
    below = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    above = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Estimate(value, value - below, value + above)


def ratio(one: Estimate, other: Estimate) -> Estimate:
    """One share ÷ another, also where none of the one were (MOVER-R; Donner and Zou, 2012).

    Beside the interval of the logarithm (Katz et al., 1978) it needs no exception for zero.

    Args:
        one: With its interval.
        other: Of other clients, with an interval that misses as often.
    """
    if not other.value > 0:
        return UNKNOWN
    low = _end(one.value * other.value, one.low * (2 * one.value - one.low), other, is_low=True)
    high = _end(one.value * other.value, one.high * (2 * one.value - one.high), other, is_low=False)
    return Estimate(one.value / other.value, max(0.0, low), high)


def _end(product: float, square: float, other: Estimate, *, is_low: bool) -> float:
    end = other.high if is_low else other.low
    divisor = end * (2 * other.value - end)
    if abs(divisor) < 1e-15:  # noqa: PLR2004 -- zero, but for the last bits
        return square / (2 * product) if is_low and product else (0.0 if is_low else inf)
    root = sqrt(max(0.0, product**2 - square * divisor))
    return (product - root if is_low else product + root) / divisor


def chance(count: int, of: int, rest: int, rest_of: int) -> float:
    """Shares as far apart by chance alone: Fisher's exact test, both sides (twice the smaller)."""
    if not of or not rest_of:
        return nan
    clients, having = of + rest_of, count + rest
    below = float(hypergeom.cdf(count, clients, having, of))
    above = float(hypergeom.sf(count - 1, clients, having, of))
    return min(1.0, 2 * min(below, above))
