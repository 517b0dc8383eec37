"""Score every customer for every product in one pass over the features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from models.matrix import Matrix, Vector, feature_matrix, require_features
from models.scorer import Champion
from models.uplift_scorer import UpliftChampion
from tables.arrow import arrow_schema
from tables.derived import PROPENSITY_SCORES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def score(
    features: DataFrame,
    champions: Mapping[str, Champion],
    as_of: date,
    feature_version: int,
    uplift: UpliftChampion | None = None,
) -> DataFrame:
    """One propensity per customer and champion, and one uplift if a model of it is in use.

    Args:
        features: One row per active customer, with ``customer_id`` and the champions' features.
        champions: By product; every active product has one.
        as_of: As-of date of the features.
        feature_version: Version of customer_features that is scored.
        uplift: Of all products; none where offers are valued by propensity.

    Returns:
        Rows shaped as PROPENSITY_SCORES.

    Raises:
        ContractViolation: A feature that a champion needs is missing.
    """
    models = [champions[product_id] for product_id in sorted(champions)]
    of_uplift = uplift.scorer.features if uplift else ()
    needed = sorted({*of_uplift, *(name for one in models for name in one.scorer.columns)})
    require_features(features.columns, needed)
    return features.select("customer_id", *needed).mapInArrow(
        batch_scorer(models, as_of, feature_version, uplift), PROPENSITY_SCORES.ddl
    )


def batch_scorer(
    models: Iterable[Champion],
    as_of: date,
    feature_version: int,
    uplift: UpliftChampion | None = None,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function an engine's worker runs; it carries the models' text with it."""
    champions = tuple(models)

    def score_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield scored(batch, champions, as_of, feature_version, uplift)

    return score_batches


def scored(
    batch: pa.RecordBatch,
    models: Sequence[Champion],
    as_of: date,
    feature_version: int,
    uplift: UpliftChampion | None = None,
) -> pa.RecordBatch:
    """Shaped as PROPENSITY_SCORES: customers as they come, each with all models side by side.

    Models with the same features share one matrix.
    """
    matrices: dict[tuple[str, ...], Matrix] = {}
    found = [_propensities(model, batch, matrices) for model in models]
    customer = np.repeat(np.arange(batch.num_rows), len(models))
    model = np.tile(np.arange(len(models)), batch.num_rows)
    rows = len(model)
    columns = {
        "customer_id": batch.column("customer_id").take(pa.array(customer)),
        "propensity": _side_by_side(found),
        **{name: values.take(pa.array(model)) for name, values in _facts(models).items()},
        "as_of": pa.repeat(as_of, rows),
        "feature_version": pa.repeat(feature_version, rows),
        "uplift": _uplifts(uplift, batch, models, matrices) if uplift else pa.nulls(rows),
        "uplift_version": pa.repeat(uplift.version, rows) if uplift else pa.nulls(rows),
    }
    schema = arrow_schema(PROPENSITY_SCORES)
    arrays = [columns[field.name].cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _uplifts(
    uplift: UpliftChampion,
    batch: pa.RecordBatch,
    models: Sequence[Champion],
    matrices: dict[tuple[str, ...], Matrix],
) -> pa.Array:
    matrix = _matrix(batch, uplift.scorer.features, matrices)
    found = uplift.scorer.uplifts_of(matrix, [model.product_id for model in models])
    return _side_by_side([found[model.product_id] for model in models])


def _side_by_side(of_models: Sequence[Vector]) -> pa.Array:
    return pa.array(np.stack(of_models, axis=1).ravel())


def _facts(models: Sequence[Champion]) -> dict[str, pa.Array]:
    """One value per model."""
    return {
        "product_id": pa.array([model.product_id for model in models]),
        "model_name": pa.array([model.name for model in models]),
        "model_version": pa.array([model.version for model in models]),
        "model_kind": pa.array([model.scorer.kind for model in models]),
    }


def _propensities(
    model: Champion, batch: pa.RecordBatch, matrices: dict[tuple[str, ...], Matrix]
) -> Vector:
    scorer = model.scorer
    if scorer.kind == "segment_rate":
        return scorer.propensities(batch)
    return scorer.propensities_of(_matrix(batch, scorer.features, matrices))


def _matrix(
    batch: pa.RecordBatch, features: tuple[str, ...], matrices: dict[tuple[str, ...], Matrix]
) -> Matrix:
    if features not in matrices:
        matrices[features] = feature_matrix(batch, features, order="F")
    return matrices[features]
