"""How far values have moved: the population stability index over classes of a reference.

PSI = Σ (p - q) ln(p / q) over classes, p and q being their shares of customers now and then
(Siddiqi, Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

TENTHS, HUNDREDTHS = 10, 100
DECIMALS_OF_BOUNDS = 12
# What an empty class counts as: a logarithm of zero would make any drift infinite.
SHARE_OF_EMPTY_CLASS = 1e-4


def stability_index(now: Integers, then: Integers) -> float:
    """The PSI of two distributions, given how many customers are in each class.

    Args:
        now: Customers per class; at least one in all.
        then: The same for what it is compared with.
    """
    p = np.maximum(now / now.sum(), SHARE_OF_EMPTY_CLASS)
    q = np.maximum(then / then.sum(), SHARE_OF_EMPTY_CLASS)
    return float(np.sum((p - q) * np.log(p / q)))


def class_bounds(reference: Vector) -> Vector:
    """The highest value of each class but the last: deciles, equal ones merged.

    A value that holds several deciles has a class to itself, or what moves below it would go
    unseen: think of a count that is 0 for most.

    Args:
        reference: Sorted, without nulls.
    """
    if not reference.size:
        return reference
    deciles = [quantile(reference, tenth / TENTHS) for tenth in range(1, TENTHS)]
    bounds, times = np.unique(deciles, return_counts=True)
    return np.union1d(bounds, np.nextafter(bounds[times > 1], -np.inf))


def round_bounds(ordered: Vector, fewest: int) -> Vector:
    """The highest value of each class but the last: round numbers at equal distances.

    For a look at values that are held beside nothing, whose deciles would all be of one height.
    They lie between the outer hundredths; where a class would have too few values, it is one with
    the next.

    Args:
        ordered: Sorted, without nulls.
        fewest: Values that a class must have.
    """
    if not ordered.size:
        return ordered
    low, high = quantile(ordered, 1 / HUNDREDTHS), quantile(ordered, 1 - 1 / HUNDREDTHS)
    if low == high:
        return class_bounds(ordered)
    step = _round_step((high - low) / TENTHS)
    places = np.arange(math.ceil(low / step), math.floor(high / step) + 1)
    bounds = np.round(places * step, DECIMALS_OF_BOUNDS)  # 7 × 0.1 is a little more than 0.7
    kept, counted = [], 0
    for bound, up_to in zip(bounds, np.searchsorted(ordered, bounds, side="right"), strict=True):
        if up_to - counted >= fewest and ordered.size - up_to >= fewest:
            kept.append(float(bound))
            counted = int(up_to)
    return np.array(kept)


def _round_step(wanted: float) -> float:
    """The smallest of 1, 2, 5 and 10 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return min(times * power for times in (1, 2, 5, 10) if times * power >= wanted)


def class_counts(values: Vector, bounds: Vector) -> Integers:
    """How many values lie in each class.

    Args:
        values: Sorted, without nulls.
        bounds: Highest value of each class but the last.
    """
    up_to_bound = np.searchsorted(values, bounds, side="right")
    return np.diff(up_to_bound, prepend=0, append=values.size)


def quantile(ordered: Vector, share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return float(ordered[math.ceil(share * ordered.size) - 1])
