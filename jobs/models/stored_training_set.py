"""The training set that a run of `xsell train` stored, as the run had it: for the workbench.

What the tables do not hold is found again: draws and folds follow from the customer, segments and
protected groups from the customers as they were known then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError
from pyspark.sql import functions as F

from conf.schema import RunConfig
from jobs.run import Run
from jobs.runs.staging import Staging
from jobs.train_propensity import training_table
from models.labels import outcome_column
from models.registry import database
from models.sampling import draw_of, fold_of
from models.training_set import PARTS, TRAIN
from tables.derived import LABELS
from tables.errors import ModelNotFound, UserError
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMERS
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

COHORT_KEY = ("cohort", "customer_id")


def training_record(home: Path, as_of: date) -> RunRecord:
    """The run of `xsell train` that stands for a month.

    Raises:
        UserError: There is none, or its models are gone.
    """
    runs = Runs(home / "tables")
    found = runs.current("train", as_of)
    if found is None:
        days = sorted({str(record.as_of) for record in runs.committed() if record.step == "train"})
        raise UserError(
            f"nothing was trained as of {as_of} in {home} (trained: {', '.join(days) or 'never'})."
            f" Run xsell train --as-of {as_of} first"
        )
    if not database(home).exists():
        raise ModelNotFound(f"No models in {home}. Run xsell train --supersede first")
    return found


def training_run(home: Path, record: RunRecord, spark: SparkSession) -> Run:
    """The committed run again, to read what it read.

    Raises:
        UserError: Its configuration is none of this version.
    """
    try:
        config = RunConfig.model_validate_json(record.config)
    except ValidationError:
        raise UserError(
            f"training run {record.run_id[:12]} was configured for another version of xsell. Run"
            f" xsell train --as-of {record.as_of} --supersede first"
        ) from None
    store = Store(home / "tables", spark, record.pins)
    staging = Staging(home / "tables", record.run_id, record.as_of, 1)
    return Run("train", record.as_of, record.run_id, config, home, spark, store, staging)


def stored_training_rows(run: Run) -> pa.Table:
    """What ``training_rows`` gave the run, sorted by cohort and customer; money as numbers.

    Args:
        run: The committed run, with an engine.

    Raises:
        UserError: The run stored other features than there are now.
    """
    table = training_table(tuple(run.config.products))
    stored = run.store.stored_columns(table, run.as_of).names
    if missing := [column.name for column in table.columns if column.name not in stored]:
        raise UserError(
            f"training run {run.run_id[:12]} stored no {', '.join(missing[:3])}: features have"
            f" changed since. Run xsell train --as-of {run.as_of} --supersede first"
        )
    rows = run.store.arrow(table, run.as_of)
    rows = _with_customers(run, _without_decimals(rows))
    rows = rows.append_column("is_drawn", _is_drawn(rows))
    return _with_outcomes(rows, run.store.arrow(LABELS, run.as_of), tuple(run.config.products))


def _without_decimals(rows: pa.Table) -> pa.Table:
    """As ``feature_matrix`` reads them; pandas would make objects of them."""
    fields = (
        field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
        for field in rows.schema
    )
    return rows.cast(pa.schema(fields))


def keys_of(rows: pa.Table) -> pa.Array:
    """Cohort and customer of each row as one text."""
    cohorts = pc.cast(rows["cohort"], pa.string())
    joined = pc.binary_join_element_wise(cohorts, rows["customer_id"], " ")
    return joined.combine_chunks()


def _with_customers(run: Run, rows: pa.Table) -> pa.Table:
    """Segment, draw and fold of each row."""
    parts = list(_customers(run, rows, pc.unique(rows["cohort"]).to_pylist()))
    found = pa.concat_tables(parts)
    at = pc.index_in(keys_of(rows), value_set=keys_of(found))
    for name in ("segment", "draw", "fold"):
        rows = rows.append_column(name, found[name].take(at))
    return rows


def _customers(run: Run, rows: pa.Table, cohorts: list[date]) -> Iterator[pa.Table]:
    """The customers of each cohort as they were known then."""
    seed = run.config.models.seed
    for cohort in cohorts:
        known = run.store.known_before(CUSTOMERS, cohort).select(
            F.lit(cohort).alias("cohort"),
            "customer_id",
            "segment",
            draw_of(cohort, seed).alias("draw"),
            fold_of(seed).alias("fold"),
        )
        wanted = rows.filter(pc.equal(rows["cohort"], cohort))["customer_id"]
        people = known.toArrow()
        yield people.filter(pc.is_in(people["customer_id"], value_set=wanted.combine_chunks()))


def _is_drawn(rows: pa.Table) -> pa.ChunkedArray:
    """Who would be there whatever was bought: others always, buyers if they were drawn as well."""
    of_training = rows.filter(pc.equal(rows["part"], PARTS[TRAIN]))
    share = 1.0 / (pc.max(of_training["weight"]).as_py() or 1.0)
    is_other = pc.or_(pc.not_equal(rows["part"], PARTS[TRAIN]), pc.greater(rows["weight"], 1.0))
    return pc.or_(is_other, pc.less(rows["draw"], share))


def _with_outcomes(rows: pa.Table, labels: pa.Table, products: tuple[str, ...]) -> pa.Table:
    keys = keys_of(rows)
    for product_id in products:
        own = labels.filter(pc.equal(labels["product_id"], product_id))
        at = pc.index_in(keys, value_set=keys_of(own))
        rows = rows.append_column(outcome_column(product_id), own["has_bought"].take(at))
    return rows
