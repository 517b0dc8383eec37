"""Which levers a client was offered of late: each has a time in which it is not offered again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from conf.way_settings import Lever

LEVERS_OFFERED = "customer_id string, lever_code string, offered_on date"


def cooling_levers(
    levers_offered: DataFrame, levers: Mapping[str, Lever], as_of: date
) -> DataFrame:
    """One row per customer with some: ``cooling_levers``, an array of lever codes.

    Args:
        levers_offered: Shaped ``LEVERS_OFFERED``, one row per lever on a past list.
        levers: How long each cools off.
        as_of: Days are counted up to it.
    """
    days = F.datediff(F.lit(as_of), "offered_on")
    recent = levers_offered.where(days < _cool_off(levers))
    return recent.groupBy("customer_id").agg(
        F.sort_array(F.collect_set("lever_code")).alias("cooling_levers")
    )


def longest_cool_off(levers: Mapping[str, Lever]) -> int:
    """Days; 0 if no lever has any."""
    return max((lever.once_in_days for lever in levers.values()), default=0)


def _cool_off(levers: Mapping[str, Lever]) -> Column:
    days = F.lit(0)
    for code, lever in levers.items():
        is_it = F.col("lever_code") == code
        days = F.when(is_it, F.lit(lever.once_in_days)).otherwise(days)
    return days
