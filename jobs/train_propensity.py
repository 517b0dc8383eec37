"""A challenger per product: snapshots and outcomes → models → MLflow; the better one is used."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.load import config_hash
from features.catalogue import customer_features_table, model_feature_names
from jobs.build_features import build_snapshot
from jobs.challengers import Challengers
from jobs.run import Run
from models.labels import Cohorts, cohorts, label_rows, outcome_codes, outcome_column, with_outcomes
from models.matrix import feature_matrix
from models.pooled import product_attributes, with_base_rates
from models.registry import Registry
from models.train import Plan
from models.training_set import (
    CALIBRATION,
    TEST,
    TRAIN,
    TrainingSet,
    customer_folds,
    row_draws,
    segment_places,
)
from tables.base import Table
from tables.derived import LABELS, TRAINING_SET
from tables.errors import UserError
from tables.sources import CUSTOMERS, HOLDINGS, SOURCES

log = logging.getLogger(__name__)


def train_propensity(run: Run) -> None:
    """Train, test and register a model per product; champions change last of all."""
    chosen = cohorts(run.as_of, run.config.time)
    rows = training_rows(run, chosen)
    run.stage(training_table(tuple(run.config.products)), rows)
    run.stage(LABELS, _labels(run, rows))
    with TemporaryDirectory(dir=run.home / "mlruns", prefix="training-") as folder:
        plan = _plan(run, chosen, rows, Path(folder))
        challengers = Challengers(run, plan, _facts(run, chosen), _part(rows, (chosen.test,)))
        challengers.train()
        challengers.register(Registry(run.home))
    run.note(cohorts=len(chosen.all), training_rows=rows.num_rows, **challengers.summary())


def training_rows(run: Run, chosen: Cohorts) -> pa.Table:
    """Features and outcomes of every cohort, sorted by cohort and customer.

    Raises:
        UserError: Nobody was a customer in any training cohort.
    """
    parts = []
    with run.progress(len(chosen.all), "snapshots") as advance:
        for cohort in chosen.all:
            parts.append(_cohort_rows(run, cohort))
            advance(1)
    rows = pa.concat_tables(parts)
    if not _part(rows, chosen.train).num_rows:
        raise UserError(
            f"train {run.as_of}: no customer is known before {chosen.train[-1]}, the last training"
            " cohort. Deliver an older history, or shorten time.outcome_months"
        )
    return rows


def training_table(products: tuple[str, ...]) -> Table:
    """TRAINING_SET with the columns of the features that models of these products may use."""
    names = set(model_feature_names(products))
    known = customer_features_table(products).columns
    features = tuple(column for column in known if column.name in names)
    return replace(TRAINING_SET, columns=TRAINING_SET.columns + features)


def _cohort_rows(run: Run, cohort: date) -> pa.Table:
    """One snapshot with its outcomes."""
    products = run.config.products
    labelled = with_outcomes(
        build_snapshot(run, cohort),
        customers=run.store.known_before(CUSTOMERS, cohort),
        held=run.store.known_before(HOLDINGS, cohort),
        bought=run.store.known_before(HOLDINGS, run.as_of),
        products=products,
        cohort=cohort,
        time=run.config.time,
    )
    names = model_feature_names(tuple(products))
    outcomes = [outcome_column(product_id) for product_id in products]
    rows = labelled.select("customer_id", "segment", *names, *outcomes).toArrow()
    keys = {"as_of": run.as_of, "cohort": cohort}
    for name, value in keys.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.date32()), rows.num_rows))
    return rows.sort_by("customer_id")


def _labels(run: Run, rows: pa.Table) -> pa.Table:
    return pa.concat_tables(
        label_rows(rows, product_id, run.as_of) for product_id in run.config.products
    )


def _plan(run: Run, chosen: Cohorts, rows: pa.Table, folder: Path) -> Plan:
    """Write the arrays for the training processes, and say what to do with them."""
    products = tuple(run.config.products)
    names = model_feature_names(products)
    segments = sorted({value for value in rows["segment"].to_pylist() if value})
    data = _arrays(run, chosen, rows, names, segments)
    data.save(folder)
    return Plan(
        folder=folder,
        products=products,
        segments=tuple(segments),
        features=names,
        attributes=with_base_rates(product_attributes(run.config.products), data),
        settings=run.config.models,
    )


def _arrays(
    run: Run, chosen: Cohorts, rows: pa.Table, names: tuple[str, ...], segments: list[str]
) -> TrainingSet:
    customer_ids = rows["customer_id"].to_pylist()
    dates = rows["cohort"].to_pylist()
    parts = dict.fromkeys(chosen.train, TRAIN) | {
        chosen.calibration: CALIBRATION,
        chosen.test: TEST,
    }
    seed = run.config.models.seed
    return TrainingSet(
        features=feature_matrix(rows, names),
        outcomes=np.stack([outcome_codes(rows, p) for p in run.config.products], axis=1),
        part=np.array([parts[cohort] for cohort in dates], dtype=np.int8),
        fold=customer_folds(customer_ids, seed),
        draw=row_draws([str(cohort) for cohort in dates], customer_ids, seed),
        segment=segment_places(rows["segment"].to_pylist(), segments),
    )


def _part(rows: pa.Table, dates: tuple[date, ...]) -> pa.Table:
    return rows.filter(pc.is_in(rows["cohort"], value_set=pa.array(dates, pa.date32())))


def _facts(run: Run, chosen: Cohorts) -> dict[str, str]:
    """What MLflow records beside the figures."""
    products = tuple(run.config.products)
    time, settings = run.config.time, run.config.models
    return {
        "run_id": run.run_id,
        "as_of": str(run.as_of),
        "config_hash": config_hash(run.config),
        "train_cohorts": ", ".join(map(str, chosen.train)),
        "calibration_cohort": str(chosen.calibration),
        "test_cohort": str(chosen.test),
        **{f"version_{table.name}": str(run.store.version(table)) for table in SOURCES},
        **{name: str(value) for name, value in time.model_dump().items()},
        **{name: str(value) for name, value in settings.model_dump(exclude={"gate"}).items()},
        "features": ", ".join(model_feature_names(products)),
    }
