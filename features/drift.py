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

TENTHS = 10
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


def class_counts(values: Vector, bounds: Vector) -> Integers:
    """How many values lie in each class.

    Args:
        values: Sorted, without nulls.
        bounds: As ``class_bounds`` gives them.
    """
    up_to_bound = np.searchsorted(values, bounds, side="right")
    return np.diff(up_to_bound, prepend=0, append=values.size)


def quantile(ordered: Vector, share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return float(ordered[math.ceil(share * ordered.size) - 1])
