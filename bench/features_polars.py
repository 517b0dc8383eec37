"""The same features in Polars, streaming: `features_polars.py HOME AS_OF OUT`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import reduce
from operator import and_
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl
from features_inputs import Task, task
from polars_formulas import formula
from polars_rows import row_frames

from features.measures import PRECEDENCE, How, Measure, Rows
from features.sources import ACCOUNTS, MONTHS_APART
from tables.base import Table
from tables.sources import CUSTOMERS, SOURCES
from tables.windows import months_before

AGGREGATES: Mapping[How, Callable[[pl.Expr], pl.Expr]] = {
    "count": pl.Expr.count,
    "sum": pl.Expr.sum,
    "sum_of_squares": pl.Expr.sum,
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "months": pl.Expr.bitwise_or,
}


def main() -> None:
    """One lazy plan, one pass per kind of rows, run by the streaming engine."""
    home, as_of, out = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), sys.argv[3]
    wanted = task(home, as_of)
    rows = row_frames(_tables(wanted), as_of, wanted.products)
    frames = [_measured(rows[name], measures) for name, measures in wanted.by_rows().items()]
    joined = reduce(lambda a, b: a.join(b, on="customer_id", how="left"), frames)
    features = (formula(f, wanted.columns(f)).alias(f.name) for f in wanted.features)
    joined.select("customer_id", *features).sink_parquet(out, engine="streaming")


def _tables(wanted: Task) -> dict[str, pl.LazyFrame]:
    """Each table as it is known, and customers as they were known some months before."""
    files, before = wanted.files, months_before(wanted.as_of, MONTHS_APART)
    tables = [table for table in SOURCES if files[table.name]]
    known = {table.name: _known(table, files[table.name], wanted.as_of) for table in tables}
    known["customers_before"] = _known(CUSTOMERS, files["customers"], before)
    return known


def _known(table: Table, files: Sequence[str], as_of: date) -> pl.LazyFrame:
    """The latest version of each key known before a date; of increments no row was revised."""
    cut = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    scan = pl.scan_parquet(list(files), hive_partitioning=False)
    known = scan.filter(pl.col("recorded_at") < cut)
    if table.kind == "whole":
        newest = known.group_by(table.key).agg(pl.col("recorded_at").max())
        known = known.join(newest, on=[*table.key, "recorded_at"], how="semi")
    return known.filter(~pl.col("is_deleted"))


def _measured(rows: pl.LazyFrame, measures: Mapping[Measure, str]) -> pl.LazyFrame:
    """One row per customer with all measures of the same rows."""
    kept = {
        chosen: f"row{place}"
        for place, chosen in enumerate(dict.fromkeys(measure.rows for measure in measures))
        if chosen.allowed
    }
    columns = [_column(measure, kept).alias(name) for measure, name in measures.items()]
    if any(measure.source.is_per_customer for measure in measures):
        return rows.select("customer_id", *columns)
    # A condition that many measures share is evaluated once per row.
    conditions = [_condition(chosen).alias(name) for chosen, name in kept.items()]
    return rows.with_columns(conditions).group_by("customer_id").agg(columns)


def _condition(rows: Rows) -> pl.Expr:
    return reduce(and_, (_is_in(column, values) for column, values in rows.allowed))


def _column(measure: Measure, kept: Mapping[Rows, str]) -> pl.Expr:
    conditions = [pl.col(kept[measure.rows])] if measure.rows in kept else []
    if measure.within is not None:
        conditions.append(pl.col(measure.clock) <= measure.within)

    def counted(value: pl.Expr) -> pl.Expr:
        return pl.when(reduce(and_, conditions)).then(value) if conditions else value

    value = pl.col(measure.of)
    if measure.how == "value":
        return value
    if measure.how == "of_greatest":
        return counted(value).max_by(counted(pl.col(PRECEDENCE)))
    if measure.how == "sum_of_squares":
        value = value.cast(pl.Int128) * value
    elif measure.how == "months":
        value = pl.lit(2, pl.Int32).pow(value - 1).cast(pl.Int32)
    aggregate = AGGREGATES[measure.how](counted(value))
    if measure.source == ACCOUNTS and measure.how == "sum":
        # The only sums that features want null of nothing.
        return pl.when(value.count() > 0).then(aggregate)
    return aggregate


def _is_in(column: str, values: tuple[str | bool, ...]) -> pl.Expr:
    if isinstance(values[0], bool):
        return pl.col(column) if values[0] else ~pl.col(column)
    return pl.col(column) == values[0] if len(values) == 1 else pl.col(column).is_in(values)


if __name__ == "__main__":
    main()
