"""What changed about customers themselves since they were known half a year before."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import CUSTOMERS, MONTHS_APART, Cut, Source, SourceTables
from tables.windows import months_before

MAJORITY = 18


def _earlier_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per customer who was active and known half a year before the cut."""
    then = replace(cut, as_of=months_before(cut.as_of, MONTHS_APART))
    earlier = replace(tables, customers=tables.customers_before)
    now = tables.customers.select(
        "customer_id", F.col("branch_id").alias("branch"), F.col("advisor_id").alias("advisor")
    )
    # Both have one row per customer.
    return (
        CUSTOMERS.rows(earlier, then)
        .join(now, on="customer_id", how="inner")
        .select(
            "customer_id",
            "segment_rank",
            "household_size",
            _differs("branch_id", "branch").alias("has_branch_changed_6m"),
            _differs("advisor_id", "advisor").alias("has_advisor_changed_6m"),
        )
    )


def _differs(before: str, now: str) -> Column:
    """Another than before; from none to one and back is a change, too."""
    return ~F.col(before).eqNullSafe(F.col(now))


def _majority_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per customer; the only rows for which a date of birth is read."""
    last_day = months_before(cut.as_of, 12 * MAJORITY)
    year_before = months_before(cut.as_of, 12 * (MAJORITY + 1))
    born_on = F.col("birth_date")
    has_turned = (born_on > F.lit(year_before)) & (born_on <= F.lit(last_day))
    return tables.customers.select("customer_id", has_turned.alias("has_turned_18_12m"))


EARLIER_CUSTOMERS = Source(
    "customers half a year before",
    ("customers",),
    _earlier_rows,
    is_per_customer=True,
)
BIRTHS = Source("dates of birth", ("customers",), _majority_rows, is_per_customer=True)
