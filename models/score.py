"""Score every customer for every product in one pass over the features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

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
                yield from scored(batch, champions, as_of, feature_version, uplift)

    return score_batches


def scored(
    batch: pa.RecordBatch,
    models: Iterable[Champion],
    as_of: date,
    feature_version: int,
    uplift: UpliftChampion | None = None,
) -> Iterator[pa.RecordBatch]:
    """One batch per model; models with the same features share one matrix."""
    models, matrices = tuple(models), dict[tuple[str, ...], Matrix]()
    uplifts = _uplifts(uplift, batch, models, matrices) if uplift else {}
    for model in models:
        varying = {
            "customer_id": batch.column("customer_id"),
            "propensity": pa.array(_propensities(model, batch, matrices)),
        }
        if uplifts:
            varying["uplift"] = pa.array(uplifts[model.product_id])
        constants = {
            "as_of": as_of,
            "product_id": model.product_id,
            "model_name": model.name,
            "model_version": model.version,
            "model_kind": model.scorer.kind,
            "feature_version": feature_version,
            "uplift_version": uplift.version if uplift else None,
        }
        yield _rows(varying, constants, batch.num_rows)


def _propensities(
    model: Champion, batch: pa.RecordBatch, matrices: dict[tuple[str, ...], Matrix]
) -> Vector:
    scorer = model.scorer
    if scorer.kind == "segment_rate":
        return scorer.propensities(batch)
    return scorer.propensities_of(_matrix(batch, scorer.features, matrices))


def _uplifts(
    uplift: UpliftChampion,
    batch: pa.RecordBatch,
    models: Sequence[Champion],
    matrices: dict[tuple[str, ...], Matrix],
) -> dict[str, Vector]:
    """One per customer, by product."""
    matrix = _matrix(batch, uplift.scorer.features, matrices)
    return uplift.scorer.uplifts_of(matrix, [model.product_id for model in models])


def _matrix(
    batch: pa.RecordBatch, features: tuple[str, ...], matrices: dict[tuple[str, ...], Matrix]
) -> Matrix:
    if features not in matrices:
        matrices[features] = feature_matrix(batch, features)
    return matrices[features]


def _rows(
    varying: Mapping[str, pa.Array], constants: Mapping[str, object], rows: int
) -> pa.RecordBatch:
    """Shaped as PROPENSITY_SCORES; what is not given is null."""
    schema = arrow_schema(PROPENSITY_SCORES)
    columns = [
        varying[field.name].cast(field.type)
        if field.name in varying
        else pa.repeat(pa.scalar(constants.get(field.name), field.type), rows)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
