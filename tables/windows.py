"""Half-open windows of event dates before the as-of date."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, functions as F


def in_window(event_on: str, as_of: date, months: int) -> Column:
    """The event lies in the half-open window [as_of - months, as_of)."""
    return (F.col(event_on) >= F.lit(months_before(as_of, months))) & (
        F.col(event_on) < F.lit(as_of)
    )


def months_before(as_of: date, months: int) -> date:
    """The first of the month ``months`` months earlier; a negative number is later.

    Raises:
        ValueError: ``as_of`` is not the first day of a month.
    """
    if as_of.day != 1:
        raise ValueError(f"{as_of} is not the first day of a month")
    index = as_of.year * 12 + as_of.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
