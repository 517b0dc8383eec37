"""Row versions on two clocks: what the bank said, and since when it can have been known.

A version is stored when a row says something new, with the time from which it was known. That is
the source's ``recorded_at``, except where the source can't mean it: a row that changed between two
deliveries while its ``recorded_at`` stayed the same was not known with its new content before the
earlier delivery. Nothing is back-dated (DESIGN §2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window, WindowSpec, functions as F

from extracts.conform import PLACE
from extracts.landed import POSITION
from tables.base import Table
from tables.keys import key_hash

MOST_DAYS = 50  # two to the power of it is still an exact double


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


def quick_versions(
    rows: DataFrame,
    set_aside: DataFrame | None,
    state: DataFrame,
    days: Sequence[date],
    table: Table,
    *,
    keep: Callable[[DataFrame], DataFrame],
) -> Iterator[DataFrame]:
    """What ``whole_versions`` gives, in two frames; only keys that changed are put in order.

    Args:
        rows: As for ``whole_versions``.
        set_aside: The same.
        state: The same.
        days: Of the pending deliveries, in order.
        table: The table.
        keep: Stores an intermediate result.
    """
    if len(days) <= MOST_DAYS:
        steady = keep(steady_keys(rows, set_aside, state, days, table))
        yield first_versions(rows, steady, days, table)
        rows, state = without_keys(rows, steady, table), without_keys(state, steady, table)
    yield whole_versions(rows, set_aside, state, table)


def steady_keys(
    rows: DataFrame,
    set_aside: DataFrame | None,
    state: DataFrame,
    days: Sequence[date],
    table: Table,
) -> DataFrame:
    """Keys that, once there, say the same in every delivery: nearly all, and quickly dealt with.

    Args:
        rows: As for ``whole_versions``.
        set_aside: The same.
        state: The same.
        days: Of the pending deliveries, in order; at most ``MOST_DAYS``.
        table: The table.

    Returns:
        ``key_hash`` and ``first``, the number of the delivery that brought it, from 1; 0 if it was
        there before. Each key once.
    """
    place = F.array_position(F.array(*[F.lit(day) for day in days]), F.col("delivery"))
    new = rows.select(key_hash(table.key), place.alias("place"), _content_hash(table).alias("said"))
    old = state.select(
        key_hash(table.key),
        F.lit(0).cast("bigint").alias("place"),
        _content_hash(table).alias("said"),
    )
    seen = new.unionByName(old)
    if set_aside is not None:
        doubtful = set_aside.select(key_hash(table.key)).distinct()
        seen = seen.join(doubtful, on="key_hash", how="left_anti")
    first, last = F.min("place"), len(days)
    # A power of two for each delivery: with one row for each since the first, and in no other way,
    # they add up to this.
    is_gapless = F.sum(F.pow(F.lit(2.0), F.col("place"))) == 2.0 ** (last + 1) - F.pow(
        F.lit(2.0), first
    )
    is_once_in_each = F.count(F.lit(1)) == last + 1 - first
    return (
        seen.groupBy("key_hash")
        .agg(
            first.alias("first"),
            (is_gapless & is_once_in_each & (F.min("said") == F.max("said"))).alias("is_steady"),
        )
        .where("is_steady")
        .select("key_hash", "first")
    )


def first_versions(
    rows: DataFrame, steady: DataFrame, days: Sequence[date], table: Table
) -> DataFrame:
    """The one version of each steady key that was not there before, as ``whole_versions``."""
    place = F.array_position(F.array(*[F.lit(day) for day in days]), F.col("delivery"))
    hashed = rows.select(
        "*", key_hash(table.key), place.alias("first"), F.lit(False).alias("is_deleted")
    )
    # a steady key stands once in `steady`, and has one row in its first delivery
    return _dated(hashed.join(steady, on=["key_hash", "first"], how="left_semi"), table)


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
