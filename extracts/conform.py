"""Which delivered rows count, and for every row that breaks a rule, the reason."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession, functions as F

from extracts.landed import numbered
from extracts.rules import Check, Rule, breaks_any, checks, table_columns
from tables.base import Table
from tables.keys import key_hash, repeated_hashes

PLACE = ("delivery", "previous_delivery", "next_delivery", "file_name", "row_number")
ROW = ("delivery", "file_name", "row_number")


def read_landed(spark: SparkSession, table: Table, paths: Sequence[str]) -> DataFrame:
    """The numbered rows of some parts."""
    schema = numbered(table).ddl
    if not paths:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(*paths)


def present_rows(landed: DataFrame, table: Table) -> DataFrame:
    """Every row, broken or not; what could not be read is null."""
    return landed.select(*PLACE, *table_columns(table))


def sound_rows(landed: DataFrame, table: Table) -> DataFrame:
    """The rows that break no rule by themselves."""
    return present_rows(landed.where(~breaks_any(checks(table))), table)


def broken_rows(landed: DataFrame, table: Table) -> DataFrame:
    """One row per rule that a row breaks by itself: where it stands, the rule, column and value."""
    found = checks(table)
    reasons = F.array_compact(F.array(*[_reason(check) for check in found]))
    return (
        landed.where(breaks_any(found))
        .select(*ROW, F.explode(reasons).alias("reason"))
        .select(*ROW, "reason.*")
    )


def duplicate_rows(rows: DataFrame, table: Table, is_whole: bool) -> DataFrame:
    """Sound rows whose key came with two contents in one delivery, shaped as ``broken_rows``.

    A row of an increment may come together with its correction: there ``recorded_at`` belongs to
    what must be unique.
    """
    key = ["delivery", *table.key, *([] if is_whole else ["recorded_at"])]
    # 64 bits find the few keys to look at closely, in a fraction of the memory of the keys.
    hashed = rows.select("*", key_hash(key))
    suspects = hashed.join(repeated_hashes(hashed), on="key_hash", how="left_semi")
    contents = suspects.select(*key, content_of(table).alias("content"))
    conflicts = (
        contents.groupBy(*key)
        .agg(F.count_distinct("content").alias("contents"))
        .where(F.col("contents") > 1)
        .drop("contents")
    )
    return suspects.join(conflicts, on=key, how="left_semi").select(
        *ROW, *_constant_reason(Rule.DUPLICATE_KEY, ", ".join(table.key), F.lit(None))
    )


def orphan_rows(rows: DataFrame, column: str, known: DataFrame) -> DataFrame:
    """Sound rows that name a key nobody has delivered yet, shaped as ``broken_rows``.

    Args:
        rows: Sound rows.
        column: The column that names the key.
        known: One row per known ``key`` with the day of the first delivery that brought it.
    """
    named = rows.join(known, on=F.col(column) == F.col("key"), how="left")
    is_known = F.coalesce(F.col("first_delivery") <= F.col("delivery"), F.lit(False))
    return named.where(~is_known).select(
        *ROW, *_constant_reason(Rule.ORPHAN, column, F.col(column))
    )


def quarantine_rows(landed: DataFrame, reasons: DataFrame, table: Table) -> DataFrame:
    """Rows for the quarantine table: each reason with the row as it was delivered."""
    as_json = F.to_json(F.struct(*table.column_names))
    raw = landed.select(*ROW, F.coalesce("raw_row", as_json).alias("raw_row"))
    # a place identifies one row, so that each reason finds exactly one
    return reasons.join(raw, on=list(ROW), how="inner").select(
        "delivery",
        F.lit(table.name).alias("table_name"),
        "file_name",
        "row_number",
        "rule",
        "column_name",
        "value",
        "raw_row",
    )


def content_of(table: Table) -> Column:
    """What a row says, as text: everything but the time at which it was recorded."""
    return F.to_json(F.struct(*[name for name in table.column_names if name != "recorded_at"]))


def _reason(check: Check) -> Column:
    reason = F.struct(
        F.lit(check.rule.value).alias("rule"),
        F.lit(check.column_name).alias("column_name"),
        check.value.alias("value"),
    )
    return F.when(check.fails, reason)


def _constant_reason(rule: Rule, column: str, value: Column) -> list[Column]:
    return [
        F.lit(rule.value).alias("rule"),
        F.lit(column).alias("column_name"),
        value.cast("string").alias("value"),
    ]
