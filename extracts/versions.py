"""Row versions on two clocks: what the bank said, and since when it can have been known.

A version is stored when a row says something new, with the time from which it was known. That is
the source's ``recorded_at``, except where the source can't mean it: a row that changed between two
deliveries while its ``recorded_at`` stayed the same was not known with its new content before the
earlier delivery. Nothing is back-dated (DESIGN §2).
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, functions as F

from extracts.conform import PLACE, content_of
from tables.base import Table

# Where a row of ``whole_versions`` comes from; the order settles ties within a delivery.
STATE, NEW, SET_ASIDE = "1 state", "2 new", "3 set aside"


def whole_versions(
    rows: DataFrame, set_aside: DataFrame | None, state: DataFrame, table: Table
) -> DataFrame:
    """New versions of a table that every delivery brings whole.

    Args:
        rows: Accepted rows of all pending deliveries.
        set_aside: Rows in quarantine: their key is there, but what they say is not believed.
        state: Present rows of the store, placed as in a delivery before the pending ones.
        table: The table.

    Returns:
        The table's columns, ``delivery`` and ``is_deleted``. A key that is gone from a delivery
        gets a deleted version, known one microsecond before that delivery: it was deleted at some
        time since the one before, and only the latest is certain.
    """
    seen = _from(rows, NEW).unionByName(_from(state, STATE))
    if set_aside is not None:
        seen = _believed(seen.unionByName(_from(set_aside, SET_ASIDE)), table)
    in_time = Window.partitionBy(*table.key).orderBy("delivery", "recorded_at", "origin")
    content = F.struct("is_deleted", *_said(table))
    is_news = ~F.lag(content).over(in_time).eqNullSafe(content)
    return (
        _events(seen, table)
        .select("*", is_news.alias("is_news"))
        .where(F.col("is_news") & (F.col("is_deleted") | (F.col("origin") == NEW)))
        .select(*table.column_names, "delivery", "is_deleted")
    )


def increment_versions(rows: DataFrame, history: DataFrame, table: Table) -> DataFrame:
    """New versions of a table whose deliveries bring only what is new or corrected.

    Args:
        rows: Accepted rows of all pending deliveries, each key seen more than once or in the store.
        history: The stored versions of these keys.
        table: The table.

    Returns:
        As ``whole_versions``, never deleted. A row that repeats what is known is left out.
    """
    content = content_of(table).alias("content")
    present = history.select(*table.column_names, "delivery", content, F.lit(None).alias("since"))
    delivered = rows.select(
        *table.column_names, "delivery", content, F.col("previous_delivery").alias("since")
    )
    seen = present.select("*", F.lit(False).alias("is_new")).unionByName(
        delivered.select("*", F.lit(True).alias("is_new"))
    )
    versions = _last_at_each_time(_known_times(_first_sights(seen, table), table), table)
    in_time = Window.partitionBy(*table.key).orderBy("recorded_at")
    is_repeated = F.lag("content").over(in_time).eqNullSafe(F.col("content"))
    return (
        versions.select("*", is_repeated.alias("is_repeated"))
        .where(F.col("is_new") & ~F.col("is_repeated"))
        .select(*table.column_names, "delivery", F.lit(False).alias("is_deleted"))
    )


def contested_keys(rows: DataFrame, history: DataFrame, table: Table) -> DataFrame:
    """Hashes of keys that came more than once or are stored already: few, so the rest goes fast."""
    new = rows.select(key_hash(table))
    repeated = new.groupBy("key_hash").count().where(F.col("count") > 1).select("key_hash")
    stored = history.select(key_hash(table)).join(new, on="key_hash", how="left_semi")
    return repeated.unionByName(stored).distinct()


def key_hash(table: Table) -> Column:
    """64 bits of the key. Two keys with one hash only get looked at more closely."""
    return F.xxhash64(*table.key).alias("key_hash")


def placed_state(state: DataFrame, next_delivery: Column) -> DataFrame:
    """Present rows of the store, placed in a delivery before the pending ones."""
    place = {name: F.lit(None) for name in PLACE} | {
        "delivery": F.col("delivery"),
        "next_delivery": next_delivery,
    }
    columns = [column.alias(name) for name, column in place.items()]
    return state.select(*columns, *[name for name in state.columns if name not in PLACE])


def _from(rows: DataFrame, origin: str) -> DataFrame:
    return rows.select("*", F.lit(origin).alias("origin"))


def _said(table: Table) -> list[str]:
    return [name for name in table.column_names if name != "recorded_at"]


def _believed(seen: DataFrame, table: Table) -> DataFrame:
    """Give rows that were set aside the content that was believed before; drop those without."""
    until_now = (
        Window.partitionBy(*table.key)
        .orderBy("delivery", "recorded_at", "origin")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    others = [name for name in table.column_names if name not in table.key]
    is_sound = F.col("origin") != SET_ASIDE
    believed = F.last(F.when(is_sound, F.struct(*others)), ignorenulls=True).over(until_now)
    return (
        seen.select(*PLACE, *table.key, "origin", believed.alias("believed"))
        .where(F.col("believed").isNotNull())
        .select(*PLACE, *table.key, "origin", "believed.*")
    )


def _events(seen: DataFrame, table: Table) -> DataFrame:
    """Every row, and a deletion where the key's next row is not in the next delivery."""
    in_time = Window.partitionBy(*table.key).orderBy("delivery", "recorded_at", "origin")
    following = F.lead("delivery").over(in_time)
    is_last_of_delivery = ~following.eqNullSafe(F.col("delivery"))
    is_missing_next = F.col("next_delivery").isNotNull() & ~following.eqNullSafe(
        F.col("next_delivery")
    )
    is_gone = is_last_of_delivery & is_missing_next
    no, yes, is_sound = F.lit(False), F.lit(True), F.col("origin") != SET_ASIDE
    # A row that was set aside says nothing but that its key is there, so null: no event.
    kinds = (
        F.when(is_sound & is_gone, F.array(no, yes))
        .when(is_sound, F.array(no))
        .when(is_gone, F.array(yes))
    )
    events = seen.select("*", F.explode(kinds).alias("is_deleted"))
    is_deleted = F.col("is_deleted")
    return events.select(
        *_said(table),
        F.when(is_deleted, _just_before("next_delivery"))
        .otherwise(_known_at())
        .alias("recorded_at"),
        F.when(is_deleted, F.col("next_delivery")).otherwise(F.col("delivery")).alias("delivery"),
        "is_deleted",
        "origin",
    )


def _known_at() -> Column:
    """A row that says something new was not known so before the delivery that did not say it."""
    since = F.col("previous_delivery").cast("timestamp")
    return F.greatest(F.col("recorded_at"), F.coalesce(since, F.col("recorded_at")))


def _just_before(day: str) -> Column:
    return F.timestamp_micros(F.unix_micros(F.col(day).cast("timestamp")) - 1)


def _first_sights(seen: DataFrame, table: Table) -> DataFrame:
    """The first row of those that say the same of the same time."""
    same = Window.partitionBy(*table.key, "recorded_at", "content").orderBy("is_new", "delivery")
    return seen.select("*", F.row_number().over(same).alias("sight")).where(F.col("sight") == 1)


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
