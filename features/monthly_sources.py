"""What came and went in each month of a customer."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import BOOKINGS, Cut, Source, SourceTables

LONGEST_MONTH = 31
YEAR = 12


def _month_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per customer and month of the observation window with a booking."""
    # Up to 31 days that follow each other have different remainders: one bit per day of a month.
    day = F.call_function("shiftleft", F.lit(1), F.col("days_ago") % F.lit(LONGEST_MONTH))
    months = (
        BOOKINGS.rows(tables, cut)
        .groupBy("customer_id", "months_ago")
        .agg(
            _moved("is_credit").alias("in_cents"),
            _moved("is_debit").alias("out_cents"),
            F.bit_or(F.when(F.col("is_overdrawn"), day)).alias("overdrawn_days"),
        )
    )
    net = F.col("in_cents") - F.col("out_cents")
    return months.select(
        "customer_id",
        "months_ago",
        "in_cents",
        "out_cents",
        net.alias("net_cents"),
        (net < 0).alias("is_deficit"),
        (F.col("months_ago") == F.lit(YEAR)).alias("is_year_ago"),
        F.bit_count(F.coalesce(F.col("overdrawn_days"), F.lit(0))).alias("overdrawn_days"),
    )


def _moved(direction: str) -> Column:
    """Sum of cents without own transfers."""
    is_moved = F.col(direction) & ~F.col("is_own_transfer")
    return F.coalesce(F.sum(F.when(is_moved, F.col("cents"))), F.lit(0))


MONTHS = Source("months", ("transactions", "fx_rates"), _month_rows)
