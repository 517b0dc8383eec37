"""Row versions on two clocks: what the bank said, and since when it can have been known.

A version is stored when a row says something new, with the time from which it was known. That is
the source's ``recorded_at``, except where the source can't mean it: a row that changed between two
deliveries while its ``recorded_at`` stayed the same was not known with its new content before the
earlier delivery. Nothing is back-dated (DESIGN §2).
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec, functions as F

from extracts.conform import PLACE, content_of
from extracts.landed import POSITION
from tables.base import Table
from tables.keys import key_hash, repeated_hashes


def whole_versions(
    rows: DataFrame, set_aside: DataFrame | None, state: DataFrame, table: Table
) -> DataFrame:
    """New versions of a table that every delivery brings whole.

    Args:
        rows: Accepted rows of all pending deliveries.
        set_aside: Rows in quarantine: their key is there, but what they say is not believed, so
            what was known before stays.
        state: Present rows of the store, placed as in a delivery before the pending ones.
        table: The table.

    Returns:
        The table's columns, ``delivery`` and ``is_deleted``. A key that is gone from a delivery
        gets a deleted version, known one microsecond before that delivery: it was deleted at some
        time since the one before, and only the latest is certain.
    """
    seen = _marked(rows, is_new=True).unionByName(_marked(state, is_new=False))
    if set_aside is not None:
        seen = _without_doubtful(seen, _marked(set_aside, is_new=False), table)
    changes = seen.select(*seen.columns, *_neighbours(table)).select(
        *seen.columns, _is_news().alias("is_news"), _is_gone().alias("is_gone")
    )
    no, yes = F.lit(False), F.lit(True)
    kinds = F.array_compact(F.array(F.when(F.col("is_news"), no), F.when(F.col("is_gone"), yes)))
    events = changes.where(F.col("is_news") | F.col("is_gone")).select(
        "*", F.explode(kinds).alias("is_deleted")
    )
    return _dated(events, table)


def increment_versions(rows: DataFrame, history: DataFrame, table: Table) -> DataFrame:
    """New versions of a table whose deliveries bring only what is new or corrected.

    Args:
        rows: Accepted rows of all pending deliveries, each key seen more than once or in the store.
        history: The stored versions of these keys.
        table: The table.

    Returns:
        As ``whole_versions``, never deleted, and marked as a revision: readers look for the other
        versions of these keys only. A row that repeats what is known is left out, and so is one
        that was recorded before a version of an earlier delivery: it no longer held when it came.
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
            F.lit(False).alias("is_deleted"),
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


def of_keys(rows: DataFrame, hashes: DataFrame, table: Table) -> DataFrame:
    """The rows whose key is among ``hashes``, each of which is there once."""
    hashed = rows.select("*", key_hash(table.key))
    return hashed.join(hashes, on="key_hash", how="left_semi").drop("key_hash")


def without_keys(rows: DataFrame, hashes: DataFrame, table: Table) -> DataFrame:
    """The other rows."""
    hashed = rows.select("*", key_hash(table.key))
    return hashed.join(hashes, on="key_hash", how="left_anti").drop("key_hash")


def placed_state(state: DataFrame, next_delivery: Column, table: Table) -> DataFrame:
    """Present rows of the store, placed in a delivery before the pending ones."""
    types = {column.name: column.type for column in POSITION}
    place = {name: F.lit(None).cast(types[name]) for name in PLACE} | {
        "delivery": F.col("delivery"),
        "next_delivery": next_delivery,
    }
    columns = [column.alias(name) for name, column in place.items()]
    return state.select(*columns, *table.column_names)


def _marked(rows: DataFrame, *, is_new: bool) -> DataFrame:
    return rows.select("*", F.lit(is_new).alias("is_new"))


def _said(table: Table) -> list[str]:
    return [name for name in table.column_names if name != "recorded_at"]


def _in_time(table: Table) -> WindowSpec:
    # Rows that tie in this order are repetitions of one row.
    return Window.partitionBy(*table.key).orderBy("delivery", "recorded_at", "is_new")


def _neighbours(table: Table) -> list[Column]:
    """What the rows of the key before and after say."""
    in_time, content = _in_time(table), _content_hash(table)
    return [
        F.lag(content).over(in_time).eqNullSafe(content).alias("says_the_same"),
        F.lag("delivery").over(in_time).alias("row_before"),
        F.lag("next_delivery").over(in_time).alias("expected"),
        F.lead("delivery").over(in_time).alias("row_after"),
    ]


def _content_hash(table: Table) -> Column:
    """64 bits of what a row says; a change goes unseen once in 10^19 times."""
    said = [column for column in table.columns if column.name != "recorded_at"]
    # A null adds nothing to the hash, so which columns are null is hashed as well.
    nulls = [F.col(column.name).isNull() for column in said if column.is_nullable]
    return F.xxhash64(*[column.name for column in said], *nulls)


def _is_news() -> Column:
    """The row says something new, or its key was gone."""
    is_same_delivery = F.col("row_before").eqNullSafe(F.col("delivery"))
    is_continued = is_same_delivery | F.col("expected").eqNullSafe(F.col("delivery"))
    return F.col("is_new") & ~(F.col("says_the_same") & is_continued)


def _is_gone() -> Column:
    """The key's next row is not in the delivery after."""
    is_last_of_delivery = ~F.col("row_after").eqNullSafe(F.col("delivery"))
    follows = F.col("row_after").eqNullSafe(F.col("next_delivery"))
    return F.col("next_delivery").isNotNull() & is_last_of_delivery & ~follows


def _without_doubtful(seen: DataFrame, doubtful: DataFrame, table: Table) -> DataFrame:
    """Leave out rows that were set aside, as if the row before had stood there unchanged.

    That row's ``next_delivery`` becomes the one after them: their key is not taken for gone.
    """
    both = seen.select("*", F.lit(True).alias("is_sound")).unionByName(
        doubtful.select("*", F.lit(False).alias("is_sound"))
    )
    in_time = Window.partitionBy(*table.key).orderBy(
        "delivery", F.desc("is_sound"), "recorded_at", "is_new"
    )
    expected, before = F.lag("next_delivery").over(in_time), F.lag("delivery").over(in_time)
    is_adjacent = expected.eqNullSafe(F.col("delivery")) | before.eqNullSafe(F.col("delivery"))
    starts = both.select("*", (F.col("is_sound") | ~is_adjacent).cast("int").alias("starts"))
    until_now = in_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    runs = starts.select("*", F.sum("starts").over(until_now).alias("run"))
    run = Window.partitionBy(*table.key, "run")
    following = F.max(F.struct("delivery", "next_delivery")).over(run)["next_delivery"]
    stretched = runs.select("*", following.alias("stretched"))
    return stretched.where("is_sound").select(
        *[
            F.col("stretched").alias(name) if name == "next_delivery" else name
            for name in seen.columns
        ]
    )


def _dated(events: DataFrame, table: Table) -> DataFrame:
    """Give every version the time from which it was known and the delivery that told it."""
    is_deleted = F.col("is_deleted")
    known_at = F.when(is_deleted, _just_before("next_delivery")).otherwise(_known_at())
    told_by = F.when(is_deleted, F.col("next_delivery")).otherwise(F.col("delivery"))
    versions = {"recorded_at": known_at, "delivery": told_by}
    names = [*table.column_names, "delivery", "is_deleted"]
    return events.select(*[versions.get(name, F.col(name)).alias(name) for name in names])


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
