"""Which features moved a propensity: exact SHAP values, for the offers that are really made.

They cost about 185 predictions each, so nobody asks for a whole bank's. Saabas' shortcut is 100
times cheaper, but names another first reason in a quarter of the cases.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.matrix import Vector, feature_matrix
from models.scorer import Scorer

CONTRIBUTIONS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("feature", pa.string()),
        ("contribution", pa.float64()),
        ("rank", pa.int32()),
    ]
)
BATCH_ROWS = 4096


def contributions(scorer: Scorer, rows: pa.Table, top: int) -> pa.Table:
    """The features that raised each customer's propensity most.

    Args:
        scorer: The model of one product.
        rows: ``customer_id`` and the features it reads, one row per customer.
        top: At most so many features per customer.

    Returns:
        ``CONTRIBUTIONS``: log-odds against the average customer's, positive ones only, rank 1 the
        largest; equal ones in the order of the features. What a pooled model is told about the
        product is not the customer's doing and is left out. Nothing for a segment rate.
    """
    if scorer.kind == "segment_rate":
        return CONTRIBUTIONS.empty_table()
    starts = range(0, rows.num_rows, BATCH_ROWS)
    parts = [_top(scorer, rows.slice(start, BATCH_ROWS), top) for start in starts]
    return pa.concat_tables([CONTRIBUTIONS.empty_table(), *parts])


def shap_values(scorer: Scorer, rows: pa.Table) -> Vector:
    """Contribution of each feature to the log-odds of each row, then the average log-odds."""
    matrix = scorer.with_attributes(feature_matrix(rows, scorer.features))
    booster = scorer.booster()
    return np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=1))


def _top(scorer: Scorer, rows: pa.Table, top: int) -> pa.Table:
    names = np.array(scorer.features)
    values = shap_values(scorer, rows)[:, : len(names)]
    best = np.argsort(-values, axis=1, kind="stable")[:, :top]
    largest = np.take_along_axis(values, best, axis=1)
    at, rank = np.nonzero(largest > 0)
    columns = [
        rows["customer_id"].combine_chunks().take(pa.array(at)),
        pa.array(names[best[at, rank]], pa.string()),
        pa.array(largest[at, rank]),
        pa.array(rank + 1, pa.int32()),
    ]
    return pa.table(columns, schema=CONTRIBUTIONS)
