"""What came and went in each month of a customer."""

from __future__ import annotations

from pyspark.sql import Column, functions as F

from features.sources import BOOKINGS, Months, Source

LONGEST_MONTH = 31
YEAR = 12


def _kept_of_a_month() -> dict[str, Column]:
    # Up to 31 days that follow each other have different remainders: one bit per day of a month.
    day = F.call_function("shiftleft", F.lit(1), F.col("days_ago") % F.lit(LONGEST_MONTH))
    return {
        "in_cents": _moved("is_credit"),
        "out_cents": _moved("is_debit"),
        "overdrawn_days": F.bit_or(F.when(F.col("is_overdrawn"), day)),
    }


def _columns() -> dict[str, Column]:
    net = F.col("in_cents") - F.col("out_cents")
    return {
        "net_cents": net,
        "is_deficit": net < 0,
        "is_year_ago": F.col("months_ago") == F.lit(YEAR),
        "overdrawn_days": F.bit_count(F.coalesce(F.col("overdrawn_days"), F.lit(0))),
    }


def _moved(direction: str) -> Column:
    """Sum of cents without own transfers."""
    is_moved = F.col(direction) & ~F.col("is_own_transfer")
    return F.coalesce(F.sum(F.when(is_moved, F.col("cents"))), F.lit(0))


MONTHS = Source(
    "months", BOOKINGS.tables, BOOKINGS.rows, months=Months(BOOKINGS, _kept_of_a_month, _columns)
)
