"""A share in a group beside that of all others: intervals, difference, ratio, and chance.

Clients are taken as drawn from all that a bank like this could have: an interval says what else the
figures could have been, with offers drawn by chance at the same rates.
"""

from __future__ import annotations

from math import inf, nan, sqrt
from statistics import NormalDist

import numpy as np
from scipy.stats import hypergeom

from measurement.association import Bools, Estimate, Ints

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


def clustered_share(is_so: Bools, client: Ints) -> Estimate:
    """A share of rows of which a client may have several, with an interval that allows for that.

    What clients do is alike from one time to the next: as many rows as would be as sure if each
    were another client's take the place of all (design effect; Kish, Survey Sampling, 1965), and
    Wilson's interval is theirs.

    Args:
        is_so: Of each row.
        client: Whose it is, as whole numbers from 0.
    """
    rows = len(is_so)
    if not rows:
        return UNKNOWN
    value = float(is_so.mean())
    of_client = np.bincount(client)
    clients = int((of_client > 0).sum())
    apart = np.bincount(client, weights=is_so) - value * of_client
    alone = value * (1 - value) * rows
    # Where all are alike nothing tells how much a client's rows have in common: all, at worst.
    effect = float(apart @ apart) * clients / max(clients - 1, 1) / alone if alone else 0.0
    effective = rows / max(1.0, effect) if effect else float(clients)
    return share(value * effective, effective)


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
