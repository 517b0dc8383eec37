"""To whom a booking belongs: the owner of its account, as known when the booking was delivered."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window, functions as F

from tables.buckets import BUCKET, customer_bucket


def first_deliveries(key: str, *brought: DataFrame) -> DataFrame:
    """One row per ``key`` with the day of the first delivery that brought it.

    Args:
        key: Name of the key column.
        *brought: Rows with that column and ``delivery``.
    """
    rows = brought[0].select(key, "delivery")
    for more in brought[1:]:
        rows = rows.unionByName(more.select(key, "delivery"))
    return rows.groupBy(F.col(key).alias("key")).agg(F.min("delivery").alias("first_delivery"))


def owner_intervals(versions: DataFrame, buckets: int) -> DataFrame:
    """Per account the half-open intervals of deliveries in which one customer owned it.

    Args:
        versions: Every version of every account, stored ones and new ones.
        buckets: In which transactions are stored.

    Returns:
        ``owned_account_id``, ``customer_id``, its ``bucket``, ``from_delivery``, ``until_delivery``
        (null: up to now). Intervals of an account are disjoint. A deleted account keeps its last
        owner, for bookings that come late.
    """
    in_time = Window.partitionBy("account_id").orderBy("delivery", "recorded_at")
    return versions.where(~F.col("is_deleted")).select(
        F.col("account_id").alias("owned_account_id"),
        "customer_id",
        customer_bucket(buckets).alias(BUCKET),
        F.col("delivery").alias("from_delivery"),
        F.lead("delivery").over(in_time).alias("until_delivery"),
    )


def with_owner(transactions: DataFrame, owners: DataFrame) -> DataFrame:
    """Add the owner and the owner's bucket; every booking has exactly one owner."""
    is_owned = (
        (F.col("account_id") == F.col("owned_account_id"))
        & (F.col("delivery") >= F.col("from_delivery"))
        & (F.col("until_delivery").isNull() | (F.col("delivery") < F.col("until_delivery")))
    )
    # intervals of one account are disjoint, so at most one matches
    owned = transactions.join(owners, on=is_owned, how="inner")
    return owned.select(*transactions.columns, "customer_id", BUCKET)
