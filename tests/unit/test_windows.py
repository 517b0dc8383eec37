"""Months of a window."""

from __future__ import annotations

from datetime import date

from pyspark.sql import SparkSession, functions as F

from tables.windows import months_ago, months_ago_within, months_before

AS_OF = date(2024, 4, 1)


def test_months_of_a_window_are_those_of_the_calendar(spark: SparkSession) -> None:
    opens_on = months_before(AS_OF, 13)
    days = spark.range(0, (AS_OF - opens_on).days).select(
        F.expr(f"date_add(date'{opens_on}', cast(id as int))").alias("day")
    )
    counted = months_ago("day", AS_OF)
    differing = days.where(months_ago_within("day", AS_OF, 13) != counted)
    assert (differing.count(), days.where(counted == 13).count()) == (0, 31)
