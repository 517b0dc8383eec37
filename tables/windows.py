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


def months_ago(event_on: str, as_of: date) -> Column:
    """Which month before ``as_of`` the event lies in; 1 is the last, at most n is in window n.

    Zero or less on or after ``as_of``; null without a date.
    """
    months = F.lit(as_of.year * 12 + as_of.month) - (F.year(event_on) * 12 + F.month(event_on))
    return months.cast("int")


def months_ago_within(event_on: str, as_of: date, months: int) -> Column:
    """``months_ago`` of events that lie in the last ``months``: what others give means nothing.

    Halving the window takes an engine half of the time that a date's year and month take.
    """

    def found(first: int, last: int) -> Column:
        if first == last:
            return F.lit(first)
        middle = (first + last) // 2
        is_later = F.col(event_on) >= F.lit(months_before(as_of, middle))
        return F.when(is_later, found(first, middle)).otherwise(found(middle + 1, last))

    return found(1, months)


def days_ago(event_on: str, as_of: date) -> Column:
    """Days from the event to ``as_of``: 1 is the day before it; negative after it."""
    return F.datediff(F.lit(as_of), F.col(event_on)).cast("int")


def completed_months(event_on: str, as_of: date) -> Column:
    """Whole months from the event to ``as_of``: 0 within the first month."""
    is_begun = F.when(F.dayofmonth(event_on) > 1, F.lit(1)).otherwise(F.lit(0))
    return (months_ago(event_on, as_of) - is_begun).cast("int")
