"""What a feature's values usually are: what sets one customer apart from the others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.drift import Vector, quantile
from features.feature import Feature

HALF = 0.5


@dataclass(frozen=True)
class Typical:
    """A feature among all customers.

    Attributes:
        ordinary: What does not set a customer apart: the median, NaN if that customer's value is
            unknown; no, of what is yes or no.
        usual: Median of those who have something, that is a value above zero; NaN if nobody has.
        share: Of customers who have something.
    """

    ordinary: float
    usual: float
    share: float


def typical_values(features: Iterable[Feature], customers: pa.Table) -> dict[str, Typical]:
    """What is typical of each feature.

    Args:
        features: Numbers or yes-or-no.
        customers: At least one row, with a column per feature; their order changes nothing.
    """
    return {
        feature.name: _typical(feature, _in_order(customers[feature.name])) for feature in features
    }


def _typical(feature: Feature, values: Vector) -> Typical:
    something = values[values > 0]
    return Typical(
        ordinary=0.0 if feature.is_yes_or_no else quantile(values, HALF),
        usual=quantile(something, HALF) if something.size else math.nan,
        share=something.size / values.size,
    )


def _in_order(column: pa.ChunkedArray) -> Vector:
    """Sorted, the unknown first."""
    known = np.sort(np.asarray(pc.cast(column.drop_null(), pa.float64()).to_numpy()))
    return np.concatenate([np.full(len(column) - known.size, math.nan), known])
