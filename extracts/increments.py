"""Row versions of tables whose deliveries bring only what is new or corrected."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window, functions as F

from extracts.conform import content_of
from tables.base import Table
from tables.keys import repeated_hashes


def increment_versions(rows: DataFrame, history: DataFrame, table: Table) -> DataFrame:
    """New versions of a table whose deliveries bring only what is new or corrected.

    Args:
        rows: Accepted rows of all pending deliveries, each key seen more than once or in the store.
        history: The stored versions of these keys.
        table: The table as it is delivered, with the source's mark of deletion.

    Returns:
        As ``whole_versions``, deleted where the source says so, and marked as a revision: readers
        look for the other versions of these keys only. A row that repeats what is known is left
        out, and so is one that was recorded before a version of an earlier delivery: it no longer
        held when it came.
    """
    content = content_of(table).alias("content")
    present = history.select(*table.column_names, "delivery", content, F.lit(None).alias("since"))
    delivered = rows.select(
        *table.column_names, "delivery", content, F.col("previous_delivery").alias("since")
    )
    seen = present.select("*", F.lit(False).alias("is_new")).unionByName(
        delivered.select("*", F.lit(True).alias("is_new"))
    )
    sights = _without_overtaken(_first_sights(seen, table), table)
    versions = _last_at_each_time(_known_times(sights, table), table)
    in_time = Window.partitionBy(*table.key).orderBy("recorded_at")
    is_repeated = F.lag("content").over(in_time).eqNullSafe(F.col("content"))
    return (
        versions.select("*", is_repeated.alias("is_repeated"))
        .where(F.col("is_new") & ~F.col("is_repeated"))
        .select(
            *table.column_names,
            "delivery",
            F.lit(True).alias("is_revision"),
        )
    )


def contested_keys(rows: DataFrame, history: DataFrame | None) -> DataFrame:
    """Hashes of keys that came more than once or are stored already: few, so the rest goes fast.

    Args:
        rows: ``key_hash`` of each delivered row.
        history: The same of each stored version; None if nothing is stored.
    """
    repeated = repeated_hashes(rows)
    if history is None:
        return repeated
    stored = history.join(rows, on="key_hash", how="left_semi")
    return repeated.unionByName(stored).distinct()


def _first_sights(seen: DataFrame, table: Table) -> DataFrame:
    """The first row of those that say the same of the same time."""
    same = Window.partitionBy(*table.key, "recorded_at", "content").orderBy("is_new", "delivery")
    return seen.select("*", F.row_number().over(same).alias("sight")).where(F.col("sight") == 1)


def _without_overtaken(sights: DataFrame, table: Table) -> DataFrame:
    """Leave out rows that come later than a version that was recorded after them."""
    before = (
        Window.partitionBy(*table.key)
        .orderBy("delivery", "recorded_at", "content")
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    newest = F.max("recorded_at").over(before)
    is_overtaken = F.coalesce(newest > F.col("recorded_at"), F.lit(False))
    return sights.select("*", is_overtaken.alias("is_overtaken")).where(~F.col("is_overtaken"))


def _known_times(sights: DataFrame, table: Table) -> DataFrame:
    """A second content for one ``recorded_at`` wasn't known before the delivery that lacked it."""
    arrivals = Window.partitionBy(*table.key, "recorded_at").orderBy("is_new", "delivery")
    ranked = sights.select("*", F.row_number().over(arrivals).alias("arrival"))
    since = F.coalesce(F.col("since").cast("timestamp"), F.col("recorded_at"))
    known_at = F.when(F.col("arrival") == 1, F.col("recorded_at")).otherwise(
        F.greatest(F.col("recorded_at"), since)
    )
    return ranked.select(
        *_said(table),
        known_at.alias("recorded_at"),
        "delivery",
        "content",
        "is_new",
        F.col("recorded_at").alias("delivered_recorded_at"),
    )


def _last_at_each_time(versions: DataFrame, table: Table) -> DataFrame:
    """One version per key and known time: of several, the one the source recorded last."""
    same_time = Window.partitionBy(*table.key, "recorded_at").orderBy(
        "is_new", F.desc("delivered_recorded_at"), F.desc("delivery"), "content"
    )
    return versions.select("*", F.row_number().over(same_time).alias("place")).where(
        F.col("place") == 1
    )


def _said(table: Table) -> list[str]:
    return [name for name in table.column_names if name != "recorded_at"]
