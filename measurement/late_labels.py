"""Purchases that became known only after their outcome window: how many are still to come?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import inf

import numpy as np

from measurement.association import Estimate, Ints
from measurement.group_rates import share


@dataclass(frozen=True)
class LateLabels:
    """Purchases in the outcome window of one month's scores, by when they became known.

    Attributes:
        product_id: What was bought; all: anything.
        cohort: As-of date of the scores.
        ends: First day after the outcome window.
        lag_days: Days since then at the as-of date of the measurement.
        purchases: Known by now.
        late: Of them not known when the window ended.
        late_share: Late ÷ known, with its interval.
        factor: Purchases ÷ those that windows as old as this one know, as older windows tell; 1:
            none is missing. Not known of the oldest.
        is_provisional: The share still missing is over the bound.
    """

    product_id: str
    cohort: date
    ends: date
    lag_days: int
    purchases: int
    late: int
    late_share: Estimate
    factor: Estimate
    is_provisional: bool


@dataclass(frozen=True)
class WindowPurchases:
    """Purchases in one outcome window.

    Attributes:
        cohort: As-of date of the scores.
        ends: First day after the window.
        days_late: Of each how many days after the window's end it became known; negative: before.
    """

    cohort: date
    ends: date
    days_late: Ints


def late_labels(
    product_id: str, windows: Sequence[WindowPurchases], as_of: date, late_share: float
) -> tuple[LateLabels, ...]:
    """What each window knew late, and how many purchases the young ones still miss.

    Args:
        product_id: What was bought; all: anything.
        windows: Whose ends are not after ``as_of``, oldest first.
        as_of: What was known before it counts.
        late_share: A window that misses more is told as provisional.
    """
    found = []
    for place, window in enumerate(windows):
        lag = (as_of - window.ends).days
        missing = _missing(lag, windows[:place])
        purchases, late = len(window.days_late), int((window.days_late >= 0).sum())
        found.append(
            LateLabels(
                product_id,
                window.cohort,
                window.ends,
                lag,
                purchases,
                late,
                share(late, purchases),
                Estimate(*(1 / (1 - part) if part != 1 else inf for part in missing)),
                missing.value > late_share,
            )
        )
    return tuple(found)


def _missing(lag: int, older: Sequence[WindowPurchases]) -> Estimate:
    """Share of purchases that a window does not know so many days after its end."""
    days = np.concatenate([np.empty(0), *(one.days_late for one in older)])
    # What becomes known on the day of the measurement was not known before it.
    return share(float((days >= lag).sum()), float(len(days)))
