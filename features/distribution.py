"""How the values of a feature are spread over classes, this month and in what it is held beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.drift import TENTHS, Vector, class_bounds, class_counts, round_bounds, stability_index
from features.feature import Feature
from features.figures import in_words, percent, rounded

WITHOUT_VALUE, OTHER_NAMES = "null", "other"
NO, YES = "no", "yes"
BOUND_OF_NO = np.array([0.0])
DIGITS_OF_BOUNDS = 3


@dataclass(frozen=True)
class Values:
    """A feature's values: numbers in order, or how often each name occurs; nulls left out."""

    customers: int
    numbers: Vector = field(default_factory=lambda: np.empty(0))
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """Customers whose value is not null."""
        return self.numbers.size + sum(self.names.values())

    @property
    def is_constant(self) -> bool:
        """All customers have the same value, or none has one."""
        ends = set(self.numbers[[0, -1]].tolist()) if self.numbers.size else set()
        nulls = self.known < self.customers
        return len(ends) + len(self.names) + nulls == 1


@dataclass(frozen=True)
class ValueClass:
    """Some values and how many customers have one of them; no label that rests on too few."""

    label: str | None
    now: int
    then: int


Classes = tuple[ValueClass, ...]


def values_of(column: pa.ChunkedArray) -> Values:
    """The values in a feature's column; the order of its rows changes nothing.

    Numbers that are not finite are nulls.
    """
    known = column.drop_null()
    if column.type == pa.string():
        counted = pc.value_counts(known).to_pylist()
        return Values(len(column), names={row["values"]: row["counts"] for row in counted})
    numbers = np.asarray(pc.cast(known, pa.float64()).to_numpy())
    return Values(len(column), np.sort(numbers[np.isfinite(numbers)]))


def classes_of(feature: Feature, now: Values, then: Values | None, min_shown: int) -> Classes:
    """Deciles of the values of ``then``, or round numbers without them; the last is for nulls.

    Args:
        feature: Whose values they are.
        now: This month's.
        then: Those they are held beside, if any.
        min_shown: Values that fewer customers have are not named.
    """
    if feature.type == "string":
        named = _classes_of_names(now.names, then.names if then else {}, min_shown)
    else:
        named = _classes_of_numbers(feature, now, then, min_shown)
    nulls_then = then.customers - then.known if then else 0
    return (*named, ValueClass(WITHOUT_VALUE, now.customers - now.known, nulls_then))


def drift(classes: Classes, min_customers: int) -> float | None:
    """The PSI over the classes; None with too few customers on either side."""
    now = np.array([one.now for one in classes])
    then = np.array([one.then for one in classes])
    if min(now.sum(), then.sum()) < min_customers:
        return None
    return stability_index(now, then)


def largest_change(classes: Classes) -> str:
    """The class whose share of customers changed most, in words; may be nothing."""
    now, then = sum(one.now for one in classes), sum(one.then for one in classes)
    if not now or not then:
        return ""
    # of two that mirror each other, yes or else what grew says it better; rounded, so that they tie
    most = max(
        classes,
        key=lambda one: (
            round(abs(change := one.now / now - one.then / then), 9),
            one.label == YES,
            change,
        ),
    )
    before, after = percent(most.then / then), percent(most.now / now)
    return "" if before == after else f"{most.label} {before} → {after}"


def _classes_of_numbers(
    feature: Feature, now: Values, then: Values | None, min_shown: int
) -> Iterator[ValueClass]:
    bounds = _bounds(feature, now, then, min_shown)
    labels = _labels_shown(feature, bounds, then or now, min_shown)
    old = class_counts(then.numbers, bounds) if then else np.zeros(len(labels), np.int64)
    counts = (class_counts(now.numbers, bounds), old)
    for label, new, before in zip(labels, *counts, strict=True):
        yield ValueClass(label, int(new), int(before))


def _bounds(feature: Feature, now: Values, then: Values | None, min_shown: int) -> Vector:
    if feature.type == "boolean":
        return BOUND_OF_NO
    return class_bounds(then.numbers) if then else round_bounds(now.numbers, min_shown)


def _labels_shown(
    feature: Feature, bounds: Vector, values: Values, min_shown: int
) -> Sequence[str | None]:
    if feature.type == "boolean":
        return NO, YES
    labels = _labels(bounds)
    # the lowest decile of fewer values would rest on fewer than may be shown
    return labels if values.numbers.size >= TENTHS * min_shown else [None] * len(labels)


def _classes_of_names(
    now: Mapping[str, int], then: Mapping[str, int], min_shown: int
) -> Iterator[ValueClass]:
    """One class per name that enough customers have, one for all others."""
    rare_now = rare_then = 0
    for name in sorted({*now, *then}):
        new, old = now.get(name, 0), then.get(name, 0)
        if max(new, old) >= min_shown:
            yield ValueClass(name, new, old)
        else:
            rare_now, rare_then = rare_now + new, rare_then + old
    yield ValueClass(OTHER_NAMES, rare_now, rare_then)


def _labels(bounds: Vector) -> list[str]:
    edges = [-np.inf, *bounds.tolist(), np.inf]
    return [_label(low, high, bounds) for low, high in pairwise(edges)]


def _label(low: float, high: float, bounds: Vector) -> str:
    """What lies above ``low``, up to ``high``."""
    if np.isinf(high):
        return f"over {_bound(low)}" if np.isfinite(low) else "any"
    if np.nextafter(high, -np.inf) == low:
        return _bound(high)
    # the next class is that of one value, which this one stays below
    is_below = np.nextafter(high, np.inf) in bounds
    end = f"under {_bound(np.nextafter(high, np.inf))}" if is_below else _bound(high)
    if np.isinf(low):
        return end if is_below else f"up to {end}"
    return f"{_bound(low)} to {end}"


def _bound(value: float) -> str:
    return in_words(rounded(value, DIGITS_OF_BOUNDS))
