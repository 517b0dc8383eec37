"""A challenger per product: snapshots and outcomes → models → MLflow; the better one is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from conf.load import config_hash
from conf.schema import RunConfig
from features.catalogue import customer_features_table, model_feature_names
from jobs.campaigns.protected_groups import protected_groups
from jobs.models.challengers import Challengers
from jobs.models.training_sample import sampled_customers
from jobs.models.training_snapshots import pair_features, rows_of
from jobs.models.uplift_challenger import challenge_with_uplift
from jobs.run import Run
from models.labels import Cohorts, cohorts, label_rows, outcome_codes, outcome_column, with_outcomes
from models.matrix import feature_matrix
from models.pooled import product_attributes, with_base_rates
from models.registry import Registry
from models.sampling import fold_of
from models.train import Plan
from models.training_set import CALIBRATION, PARTS, TEST, TRAIN, TrainingSet, segment_places
from tables.base import Table
from tables.derived import LABELS, TRAINING_SET
from tables.files import scratch_folder
from tables.sources import CUSTOMERS, HOLDINGS, SOURCES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCRATCH = ".training-"


def train_propensity(run: Run) -> None:
    """Train, test and register a model per product, then one of uplift over all of them."""
    _train_products(run)
    challenge_with_uplift(run)


def _train_products(run: Run) -> None:
    """Champions change last of all."""
    chosen = cohorts(run.as_of, run.config.time)
    rows = training_rows(run, chosen)
    run.stage(training_table(tuple(run.config.products)), rows)
    run.stage(LABELS, _labels(run, rows))
    with TemporaryDirectory(dir=run.home / "mlruns", prefix="training-") as folder:
        plan = training_plan(run.config, rows, Path(folder))
        test_rows = rows_of_part(rows, TEST)
        groups = protected_groups(run, chosen.test, test_rows["customer_id"])
        challengers = Challengers(run, plan, _facts(run, chosen), test_rows, groups)
        challengers.train()
        challengers.register(Registry(run.home))
    run.note(cohorts=len(chosen.all), training_rows=rows.num_rows, **challengers.summary())


def training_rows(run: Run, chosen: Cohorts) -> pa.Table:
    """Features and outcomes of the sampled customers, sorted by cohort and customer.

    Raises:
        UserError: Nobody was a customer in any training cohort.
    """
    parts = []
    with scratch_folder(run.home / "tables", SCRATCH) as scratch:
        sampled = sampled_customers(run, chosen, scratch)
        found = pair_features(run, sampled, scratch)
        with run.progress(len(chosen.all), "snapshots") as advance:
            for cohort, features in found:
                rows = _cohort_rows(run, cohort, features, sampled[cohort])
                parts.append(_with_keys(run, chosen, cohort, rows))
                advance(1)
    return pa.concat_tables(parts)


def training_table(products: tuple[str, ...]) -> Table:
    """TRAINING_SET with the columns of the features that models of these products may use."""
    names = set(model_feature_names(products))
    known = customer_features_table(products).columns
    features = tuple(column for column in known if column.name in names)
    return replace(TRAINING_SET, columns=TRAINING_SET.columns + features)


def _cohort_rows(run: Run, cohort: date, features: DataFrame, sampled: DataFrame) -> pa.Table:
    """The sampled customers of a cohort with their features and outcomes."""
    products = run.config.products
    known = run.store.known_before
    labelled = with_outcomes(
        features,
        customers=known(CUSTOMERS, cohort),
        held=rows_of(sampled, known(HOLDINGS, cohort)),
        bought=rows_of(sampled, known(HOLDINGS, run.as_of)),
        products=products,
        cohort=cohort,
        time=run.config.time,
    )
    names = model_feature_names(tuple(products))
    outcomes = [outcome_column(product_id) for product_id in products]
    fold = fold_of(run.config.models.seed).alias("fold")
    # Each of them was sampled once.
    drawn = sampled.join(labelled, on="customer_id", how="inner")
    rows = drawn.select(*sampled.columns, fold, "segment", *names, *outcomes).toArrow()
    return rows.sort_by("customer_id")


def _with_keys(run: Run, chosen: Cohorts, cohort: date, rows: pa.Table) -> pa.Table:
    keys = {
        "as_of": pa.scalar(run.as_of, pa.date32()),
        "cohort": pa.scalar(cohort, pa.date32()),
        "part": pa.scalar(PARTS[_part_of(chosen, cohort)]),
    }
    for name, value in keys.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows


def _part_of(chosen: Cohorts, cohort: date) -> int:
    return {chosen.calibration: CALIBRATION, chosen.test: TEST}.get(cohort, TRAIN)


def _labels(run: Run, rows: pa.Table) -> pa.Table:
    return pa.concat_tables(
        label_rows(rows, product_id, run.as_of) for product_id in run.config.products
    )


def training_plan(config: RunConfig, rows: pa.Table, folder: Path) -> Plan:
    """Write the arrays for the training processes, and say what to do with them."""
    products = tuple(config.products)
    names = model_feature_names(products)
    segments = sorted(filter(None, pc.unique(rows["segment"]).to_pylist()))
    data = _arrays(config, rows, names, segments)
    data.save(folder)
    return Plan(
        folder=folder,
        products=products,
        segments=tuple(segments),
        features=names,
        attributes=with_base_rates(product_attributes(config.products), data),
        settings=config.models,
    )


def _arrays(
    config: RunConfig, rows: pa.Table, names: tuple[str, ...], segments: list[str]
) -> TrainingSet:
    parts = pc.index_in(rows["part"], value_set=pa.array(PARTS)).to_numpy()
    return TrainingSet(
        features=feature_matrix(rows, names),
        outcomes=np.stack([outcome_codes(rows, p) for p in config.products], axis=1),
        part=parts.astype(np.int8),
        cohort=_places(rows["cohort"]),
        customer=rows["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy(),
        fold=rows["fold"].to_numpy(),
        draw=rows["draw"].to_numpy(),
        is_drawn=rows["is_drawn"].to_numpy(),
        weight=rows["weight"].to_numpy(),
        segment=segment_places(rows["segment"], segments),
    )


def _places(cohorts: pa.ChunkedArray) -> npt.NDArray[np.int16]:
    """Of each row's cohort, the oldest having 0."""
    found = pc.index_in(cohorts, value_set=pc.unique(cohorts).sort())
    return np.asarray(found.to_numpy(), dtype=np.int16)


def rows_of_part(rows: pa.Table, part: int) -> pa.Table:
    """Those of the training, the calibration or the test cohorts."""
    return rows.filter(pc.equal(rows["part"], PARTS[part]))


def _facts(run: Run, chosen: Cohorts) -> dict[str, str]:
    """What MLflow records beside the figures; the dates of cohorts in place of their number."""
    products = tuple(run.config.products)
    time, settings = run.config.time, run.config.models
    return {
        "run_id": run.run_id,
        "as_of": str(run.as_of),
        "config_hash": config_hash(run.config),
        **{name: str(value) for name, value in time.model_dump().items()},
        "train_cohorts": ", ".join(map(str, chosen.train)),
        "calibration_cohort": str(chosen.calibration),
        "test_cohort": str(chosen.test),
        **{f"version_{table.name}": _version(run, table) for table in SOURCES},
        **{name: str(value) for name, value in settings.model_dump(exclude={"gate"}).items()},
        "features": ", ".join(model_feature_names(products)),
    }


def _version(run: Run, table: Table) -> str:
    """Of a source table; none where no row of it has ever been delivered, as of contacts."""
    return str(run.store.version(table)) if run.store.files(table) else "none"
