"""What a feature looks like this month, beside what models were trained on and last month.

Figures of many customers only: what rests on too few is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from conf.check_settings import FeatureCheckSettings
from features.distribution import Classes, Values, classes_of, drift, largest_change
from features.drift import quantile
from features.feature import Feature
from features.figures import in_words, percent, rounded

# A quantile and how many of its digits are shown: the outer ones are near to single clients.
QUANTILES = {
    "1 %": (0.01, 2),
    "25 %": (0.25, 3),
    "median": (0.5, 3),
    "75 %": (0.75, 3),
    "99 %": (0.99, 2),
}
MEAN, DIGITS_OF_MEAN = "mean", 3
# Which of them to tell where they have moved: the first one that did.
TOLD_FIRST = ("median", MEAN, "75 %", "99 %", "25 %", "1 %")


@dataclass(frozen=True)
class Figures:
    """A feature among some customers.

    Attributes:
        customers: How many there are.
        coverage: Share of them with data: their value is not the one without data.
        is_constant: All have the same value, or none has one.
        typical: Quantiles and mean of the values that are not null; None on too few customers.
    """

    customers: int
    coverage: float
    is_constant: bool
    typical: Mapping[str, float | None]


@dataclass(frozen=True)
class Quality:
    """What a person may want to know of a feature this month.

    Attributes:
        feature: The feature.
        now: This month.
        then: What it is held beside, if anything.
        before: Last month, if it is known.
        classes: Its values; nulls last.
        psi: Drift; None where nothing can be said.
        warnings: What needs a look, in words.
    """

    feature: Feature
    now: Figures
    then: Figures | None
    before: Figures | None
    classes: Classes
    psi: float | None
    warnings: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """``empty``, ``constant`` or ``varied``."""
        if not self.now.coverage:
            return "empty"
        return "constant" if self.now.is_constant else "varied"


def feature_quality(
    feature: Feature,
    now: Values,
    then: Values | None,
    before: Values | None,
    limits: FeatureCheckSettings,
) -> Quality:
    """Hold a feature beside what models were trained on, and beside last month.

    Args:
        feature: The feature.
        now: Its values this month.
        then: Its values in what it is held beside, whose classes count.
        before: Its values last month.
        limits: What is worth a warning, and what may be shown.
    """
    shown = limits.min_customers_shown
    classes = classes_of(feature, now, then, shown)
    quality = Quality(
        feature,
        _figures(feature, now, shown),
        _figures(feature, then, shown) if then else None,
        _figures(feature, before, shown) if before else None,
        tuple(one for one in classes if one.now or one.then),
        drift(classes, limits.min_customers) if then else None,
    )
    return replace(quality, warnings=tuple(_warnings(quality, limits)))


def change_in_words(quality: Quality) -> str:
    """What moved since then, as in ``median 2,100 → 1,640``; may be nothing."""
    now, then = quality.now, quality.then
    if then is None:
        return ""
    if quality.feature.type in ("string", "boolean"):
        return largest_change(quality.classes)
    moved = [
        f"{name} {in_words(old)} → {in_words(new)}"
        for name in TOLD_FIRST
        if (old := then.typical[name]) is not None
        and (new := now.typical[name]) is not None
        and old != new
    ][:1]
    if percent(now.coverage) != percent(then.coverage):
        moved.append(f"with data {percent(then.coverage)} → {percent(now.coverage)}")
    return ", ".join(moved)


def _figures(feature: Feature, values: Values, min_shown: int) -> Figures:
    numbers = values.numbers
    typical = {
        name: rounded(quantile(numbers, share), digits)
        if min(share, 1 - share) * numbers.size >= min_shown
        else None
        for name, (share, digits) in QUANTILES.items()
    }
    # they are in order, so that no order of rows changes what they add up to
    mean = float(np.mean(numbers)) if numbers.size >= min_shown else None
    typical[MEAN] = None if mean is None else rounded(mean, DIGITS_OF_MEAN)
    coverage = _with_data(feature, values) / values.customers if values.customers else 0.0
    return Figures(values.customers, coverage, values.is_constant, typical)


def _with_data(feature: Feature, values: Values) -> int:
    """Customers whose value is not the one without data: null, zero or false."""
    if feature.is_nullable or feature.value.missing.startswith("never"):
        return values.known
    return int(np.count_nonzero(values.numbers))


def _warnings(quality: Quality, limits: FeatureCheckSettings) -> Iterator[str]:
    now, before = quality.now, quality.before
    if quality.psi is not None and quality.psi > limits.max_psi_warning:
        moved = change_in_words(quality)
        yield f"PSI {quality.psi:.2f} is over {limits.max_psi_warning}" + (moved and f": {moved}")
    if before and before.coverage - now.coverage > limits.max_coverage_fall:
        had = percent(before.coverage)
        yield f"{percent(now.coverage)} of customers have data, last month {had}"
    earlier = before or quality.then
    if now.is_constant and earlier and not earlier.is_constant:
        yield "the value is the same for all customers, which was not so before"
