"""The same measures in Polars, streaming: `features_polars.py HOME AS_OF OUT`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import and_, or_
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl
from features_inputs import WRITTEN_THRICE, Task, task

from features.measures import How, Measure
from features.sources import SEGMENTS
from tables.categories import OWN_TRANSFERS
from tables.sources import SOURCES
from tables.windows import months_before

AGGREGATES: Mapping[How, Callable[[pl.Expr], pl.Expr]] = {
    "value": lambda value: value,
    "count": pl.Expr.count,
    "sum": pl.Expr.sum,
    "sum_of_squares": lambda value: value.sum().cast(pl.Decimal(38, 0)),
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "months": pl.Expr.bitwise_or,
}


def main() -> None:
    """One lazy plan, one pass per source, run by the streaming engine."""
    home, as_of, out = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), sys.argv[3]
    wanted = task(home, as_of)
    tables = {name: _latest(name, wanted) for name, files in wanted.files.items() if files}
    rows = _rows(tables, as_of)
    frames = []
    for source in WRITTEN_THRICE:
        columns = [_column(measure).alias(name) for measure, name in wanted.of(source).items()]
        if source.is_per_customer:
            frames.append(rows[source.name].select("customer_id", *columns))
        else:
            frames.append(rows[source.name].group_by("customer_id").agg(columns))
    joined = reduce(lambda a, b: a.join(b, on="customer_id", how="left"), frames)
    joined.sink_parquet(out, engine="streaming")


def _latest(name: str, wanted: Task) -> pl.LazyFrame:
    """The latest version of each key; of increments every row, as no row was revised."""
    table = next(table for table in SOURCES if table.name == name)
    scan = pl.scan_parquet(list(wanted.files[name]), hive_partitioning=False)
    if table.kind == "increment":
        return scan
    newest = scan.group_by(table.key).agg(pl.col("recorded_at").max())
    latest = scan.join(newest, on=[*table.key, "recorded_at"], how="semi")
    return latest.filter(~pl.col("is_deleted"))


def _column(measure: Measure) -> pl.Expr:
    conditions = [_is_in(column, values) for column, values in measure.rows.allowed]
    if measure.within is not None:
        conditions.append(pl.col(measure.clock) <= measure.within)
    value = pl.col(measure.of)
    if measure.how == "sum_of_squares":
        value = value.cast(pl.Int128) * value
    elif measure.how == "months":
        value = pl.lit(2, pl.Int32).pow(value - 1).cast(pl.Int32)
    if conditions:
        value = pl.when(reduce(and_, conditions)).then(value)
    return AGGREGATES[measure.how](value)


def _is_in(column: str, values: tuple[str | bool, ...]) -> pl.Expr:
    if isinstance(values[0], bool):
        return pl.col(column) if values[0] else ~pl.col(column)
    return pl.col(column) == values[0] if len(values) == 1 else pl.col(column).is_in(values)


def _rows(tables: Mapping[str, pl.LazyFrame], as_of: date) -> Mapping[str, pl.LazyFrame]:
    """One lazy frame per source, by its name."""
    year = months_before(as_of, 12)

    def months_ago(day: str) -> pl.Expr:
        months = pl.col(day).dt.year() * 12 + pl.col(day).dt.month().cast(pl.Int32)
        return as_of.year * 12 + as_of.month - months

    def days_ago(day: str) -> pl.Expr:
        return (pl.lit(as_of) - pl.col(day)).dt.total_days().cast(pl.Int32)

    def completed(day: str) -> pl.Expr:
        return months_ago(day) - (pl.col(day).dt.day() > 1).cast(pl.Int32)

    def cents(amount: str) -> pl.Expr:
        in_cents = (pl.col(amount) * 100).cast(pl.Int64)
        converted = ((pl.col(amount) * pl.col("rate_to_base")).round(2) * 100).cast(pl.Int64)
        return pl.when(pl.col("currency") == "EUR").then(in_cents).otherwise(converted)

    def not_before(day: str) -> pl.Expr:
        return pl.col(day).is_null() | (pl.col(day) >= as_of)

    rates = tables["fx_rates"].filter((pl.col("month") < as_of) & (pl.col("currency") != "EUR"))
    by_month = rates.select("currency", "rate_to_base", pl.col("month").alias("booked_month"))
    latest = rates.group_by("currency").agg(pl.col("rate_to_base").sort_by("month").last())
    ends = {"balance": as_of} | {f"balance_{n}m": months_before(as_of, n) for n in (1, 3, 6)}
    known = tables["transactions"].filter(
        (pl.col("booked_on") < as_of) & pl.col("balance_after").is_not_null()
    )
    last_days = known.group_by("account_id").agg(
        pl.when(pl.col("booked_on") < end).then(pl.col("booked_on")).max().alias(f"{name}_on")
        for name, end in ends.items()
    )
    is_last = {name: pl.col("booked_on") == pl.col(f"{name}_on") for name in ends}
    balances = (
        known.select("account_id", "booked_on", "balance_after", "recorded_at", "transaction_id")
        .join(last_days, on="account_id")
        .filter(reduce(or_, is_last.values()))
        .sort("recorded_at", "transaction_id")
        .group_by("account_id")
        .agg(
            pl.when(is_then).then(pl.col("balance_after")).drop_nulls().last().alias(name)
            for name, is_then in is_last.items()
        )
    )
    booked = tables["transactions"].filter(pl.col("booked_on").is_between(year, as_of, "left"))
    with_rate = booked.with_columns(pl.col("booked_on").dt.truncate("1mo").alias("booked_month"))
    customers = tables["customers"].filter(
        (pl.col("joined_on") < as_of) & not_before("left_on") & not_before("deceased_on")
    )
    alone = pl.col("household_id").is_null()
    return {
        "customers": customers.select(
            "customer_id",
            "segment",
            pl.col("segment")
            .replace_strict({name: rank for rank, name in enumerate(SEGMENTS, 1)}, default=None)
            .alias("segment_rank"),
            pl.when(alone).then(1).otherwise(pl.len().over("household_id")).alias("household_size"),
            completed("joined_on").alias("months_since_joined"),
            pl.col("payroll_employer_id").is_not_null().alias("has_payroll_employer"),
            pl.col("advisor_id").is_not_null().alias("has_advisor"),
        ),
        "bookings": with_rate.join(by_month, on=["currency", "booked_month"], how="left").select(
            "customer_id",
            "category",
            "channel",
            days_ago("booked_on").alias("days_ago"),
            months_ago("booked_on").alias("months_ago"),
            cents("amount").abs().alias("cents"),
            cents("balance_after").alias("balance_cents"),
            (pl.col("amount") > 0).alias("is_credit"),
            (pl.col("amount") < 0).alias("is_debit"),
            (pl.col("balance_after") < 0).alias("is_overdrawn"),
            (pl.col("currency") != "EUR").alias("is_foreign"),
            pl.col("category")
            .is_in([str(category) for category in OWN_TRANSFERS])
            .fill_null(value=False)
            .alias("is_own_transfer"),
        ),
        "open accounts": tables["accounts"]
        .filter((pl.col("opened_on") < as_of) & not_before("closed_on"))
        .join(balances, on="account_id", how="left")
        .join(latest, on="currency", how="left")
        .select("customer_id", *(cents(name).alias(f"{name}_cents") for name in ends)),
        "holdings": tables["holdings"]
        .filter(pl.col("opened_on") < as_of)
        .select(
            "customer_id",
            "product_id",
            not_before("closed_on").alias("is_open"),
            days_ago("opened_on").alias("days_ago"),
            months_ago("opened_on").alias("months_ago"),
            completed("opened_on").alias("months_held"),
            pl.when(pl.col("closed_on") < as_of)
            .then(months_ago("closed_on"))
            .alias("closed_months_ago"),
            pl.when(not_before("closed_on") & (pl.col("matures_on") >= as_of))
            .then(-days_ago("matures_on"))
            .alias("days_to_maturity"),
        ),
        "contacts": tables["contacts"]
        .filter(pl.col("contacted_on").is_between(year, as_of, "left"))
        .select(
            "customer_id",
            "product_id",
            pl.when(pl.coalesce("disposition_on", "contacted_on") < as_of)
            .then(pl.col("disposition"))
            .alias("disposition"),
            days_ago("contacted_on").alias("days_ago"),
            months_ago("contacted_on").alias("months_ago"),
        ),
        "consents": tables["consents"]
        .filter(pl.col("changed_at").dt.date() < as_of)
        .group_by("customer_id", "purpose", "channel")
        .agg(pl.col("is_granted").sort_by("changed_at").last()),
        "flags": tables["flags"]
        .filter(pl.col("valid_from") < as_of)
        .select(
            "customer_id",
            "flag",
            days_ago("valid_from").alias("days_ago"),
            months_ago("valid_from").alias("months_ago"),
        ),
    }


if __name__ == "__main__":
    main()
