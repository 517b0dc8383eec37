"""Customer features as the matrix of 32-bit numbers that models are trained on and score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from conf.errors import did_you_mean
from tables.errors import ContractViolation

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Folds = npt.NDArray[np.int8]
Outcomes = npt.NDArray[np.bool_]


def feature_matrix(
    rows: pa.Table | pa.RecordBatch, names: Sequence[str], order: Literal["C", "F"] = "C"
) -> Matrix:
    """One row per customer, one column per feature in the order of ``names``; null becomes NaN.

    LightGBM's thresholds meet the same 32-bit numbers in training and in scoring, on any engine.

    Args:
        rows: With the features, and maybe other columns.
        names: Of the features.
        order: Whether the numbers of a row (C) or of a feature (F) lie side by side.

    Raises:
        ContractViolation: A feature is missing.
    """
    require_features(rows.schema.names, names)
    matrix = np.empty((rows.num_rows, len(names)), dtype=np.float32, order=order)
    for place, name in enumerate(names):
        matrix[:, place] = _numbers(rows.column(name))
    return matrix


def require_features(present: Sequence[str], needed: Sequence[str]) -> None:
    """Stop unless every feature is there.

    Raises:
        ContractViolation: Names the missing features and what they may have become.
    """
    missing = [name for name in needed if name not in set(present)]
    if not missing:
        return
    raise ContractViolation(
        f"customer_features lacks {', '.join(missing[:5])}{did_you_mean(missing[0], present)}"
        f" ({len(missing)} missing). The model was trained with them: train a new one"
    )


def _numbers(values: pa.Array | pa.ChunkedArray) -> Vector:
    numbers = pc.cast(values, pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
