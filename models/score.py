"""Score every customer for every product in one pass over the features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from models.matrix import Matrix, Vector, feature_matrix, require_features
from models.scorer import Champion
from tables.arrow import arrow_schema
from tables.derived import PROPENSITY_SCORES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def score(
    features: DataFrame, champions: Mapping[str, Champion], as_of: date, feature_version: int
) -> DataFrame:
    """One propensity per customer and champion.

    Args:
        features: One row per active customer, with ``customer_id`` and the champions' features.
        champions: By product; every active product has one.
        as_of: As-of date of the features.
        feature_version: Version of customer_features that is scored.

    Returns:
        Rows shaped as PROPENSITY_SCORES.

    Raises:
        ContractViolation: A feature that a champion needs is missing.
    """
    models = [champions[product_id] for product_id in sorted(champions)]
    needed = sorted({name for model in models for name in model.scorer.columns})
    require_features(features.columns, needed)
    return features.select("customer_id", *needed).mapInArrow(
        batch_scorer(models, as_of, feature_version), PROPENSITY_SCORES.ddl
    )


def batch_scorer(
    models: Iterable[Champion], as_of: date, feature_version: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function an engine's worker runs; it carries the models' text with it."""
    champions = tuple(models)

    def score_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield from scored(batch, champions, as_of, feature_version)

    return score_batches


def scored(
    batch: pa.RecordBatch, models: Iterable[Champion], as_of: date, feature_version: int
) -> Iterator[pa.RecordBatch]:
    """One batch per model; models with the same features share one matrix."""
    matrices: dict[tuple[str, ...], Matrix] = {}
    for model in models:
        propensities = _propensities(model, batch, matrices)
        yield _rows(batch.column("customer_id"), model, propensities, as_of, feature_version)


def _propensities(
    model: Champion, batch: pa.RecordBatch, matrices: dict[tuple[str, ...], Matrix]
) -> Vector:
    scorer = model.scorer
    if scorer.kind == "segment_rate":
        return scorer.propensities(batch)
    if scorer.features not in matrices:
        matrices[scorer.features] = feature_matrix(batch, scorer.features)
    return scorer.propensities_of(matrices[scorer.features])


def _rows(
    customer_ids: pa.Array, model: Champion, propensities: Vector, as_of: date, version: int
) -> pa.RecordBatch:
    """Shaped as PROPENSITY_SCORES."""
    constants = {
        "as_of": as_of,
        "product_id": model.product_id,
        "model_name": model.name,
        "model_version": model.version,
        "model_kind": model.scorer.kind,
        "feature_version": version,
    }
    varying = {"customer_id": customer_ids, "propensity": pa.array(np.asarray(propensities))}
    columns = [
        varying[field.name].cast(field.type)
        if field.name in varying
        else pa.repeat(pa.scalar(constants[field.name], field.type), len(customer_ids))
        for field in arrow_schema(PROPENSITY_SCORES)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema(PROPENSITY_SCORES))
