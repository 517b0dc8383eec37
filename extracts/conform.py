"""Numbered rows in the table's types, and for every row that breaks a rule, the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, functions as F

from extracts.landed import POSITION, LandedFile, numbered
from extracts.rules import Check, Rule, breaks_any, checks, typed_columns
from tables.base import Table

PLACE = tuple(column.name for column in POSITION)
ROW = ("delivery", "file_name", "row_number")


@dataclass(frozen=True)
class Landed:
    """All numbered rows of one table, whatever the format of their files.

    Attributes:
        table: The table.
        frames: One per format: whether its values are text, and its rows.
    """

    table: Table
    frames: tuple[tuple[bool, DataFrame], ...]

    def map(self, transform: Callable[[bool, DataFrame], DataFrame]) -> DataFrame:
        """Bring the rows of every format to one shape."""
        return reduce(DataFrame.unionByName, (transform(*frame) for frame in self.frames))


def read_landed(spark: SparkSession, table: Table, files: Sequence[LandedFile]) -> Landed:
    """The numbered rows of the files, which hold at least one row."""
    frames = []
    for is_text in (True, False):
        paths = [str(file.path) for file in files if file.is_text == is_text and file.rows]
        if paths:
            schema = numbered(table, is_text).ddl
            frames.append((is_text, spark.read.schema(schema).parquet(*paths)))
    return Landed(table, tuple(frames))


def typed_rows(landed: Landed) -> DataFrame:
    """Every row in the table's types; what could not be cast is null."""
    return landed.map(
        lambda is_text, rows: rows.select(*PLACE, *typed_columns(landed.table, is_text))
    )


def sound_rows(landed: Landed) -> DataFrame:
    """The rows that break no rule by themselves, in the table's types."""

    def sound(is_text: bool, rows: DataFrame) -> DataFrame:
        is_broken = breaks_any(checks(landed.table, is_text))
        return rows.where(~is_broken).select(*PLACE, *typed_columns(landed.table, is_text))

    return landed.map(sound)


def broken_rows(landed: Landed) -> DataFrame:
    """One row per rule that a row breaks by itself: where it stands, the rule, column and value."""

    def broken(is_text: bool, rows: DataFrame) -> DataFrame:
        found = checks(landed.table, is_text)
        reasons = F.array_compact(F.array(*[_reason(check) for check in found]))
        return (
            rows.where(breaks_any(found))
            .select(*ROW, F.explode(reasons).alias("reason"))
            .select(*ROW, "reason.*")
        )

    return landed.map(broken)


def duplicate_rows(rows: DataFrame, table: Table, is_whole: bool) -> DataFrame:
    """Sound rows whose key came with two contents in one delivery, shaped as ``broken_rows``.

    A row of an increment may come together with its correction: there ``recorded_at`` belongs to
    what must be unique.
    """
    key = ["delivery", *table.key, *([] if is_whole else ["recorded_at"])]
    # 64 bits find the few keys to look at closely, in a fraction of the memory of the keys.
    hashed = rows.select("*", F.xxhash64(*key).alias("key_hash"))
    repeated = hashed.groupBy("key_hash").count().where(F.col("count") > 1).select("key_hash")
    suspects = hashed.join(repeated, on="key_hash", how="left_semi")
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


def quarantine_rows(landed: Landed, reasons: DataFrame) -> DataFrame:
    """Rows for the quarantine table: each reason with the row as it was delivered."""

    def raw(is_text: bool, rows: DataFrame) -> DataFrame:
        return rows.select(*ROW, F.to_json(F.struct(*landed.table.column_names)).alias("raw_row"))

    # a place identifies one row, so that each reason finds exactly one
    return reasons.join(landed.map(raw), on=list(ROW), how="inner").select(
        "delivery",
        F.lit(landed.table.name).alias("table_name"),
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
