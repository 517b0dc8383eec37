"""Days on which something holds: ``from_on``, the first, and ``until_on``, the first not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from pyspark.sql import Column, functions as F

FOR_EVER = date(9999, 12, 31)


def interval(from_on: Column, until_on: Column) -> list[Column]:
    """The two fields; an end that is not known is for ever."""
    until = F.coalesce(until_on, F.lit(FOR_EVER))
    return [from_on.alias("from_on"), until.alias("until_on")]


def first_free_day(intervals: str, field: str, names: Iterable[str], as_of: date) -> Column:
    """The first day from ``as_of`` on that no interval of these names covers; null: there is none.

    Args:
        intervals: An array in the order of ``from_on``, so that one pass finds what follows without
            a gap.
        field: Where an interval has its name.
        names: Those that count.
        as_of: Where the search begins.
    """

    def after(day: Column, one: Column) -> Column:
        covers = (one["from_on"] <= day) & (one["until_on"] > day)
        return F.when(covers, one["until_on"]).otherwise(day)

    return _day(intervals, field, names, as_of, after)


def first_day(intervals: str, field: str, names: Iterable[str], as_of: date) -> Column:
    """The first day from ``as_of`` on that an interval of these names covers; null: there is none.

    Args:
        intervals: An array, none of whose intervals has ended on ``as_of``.
        field: Where an interval has its name.
        names: Those that count.
        as_of: Where the search begins.
    """

    def sooner(day: Column, one: Column) -> Column:
        begins = F.greatest(one["from_on"], F.lit(as_of))
        return F.when(one["from_on"] < one["until_on"], F.least(day, begins)).otherwise(day)

    return _day(intervals, field, names, FOR_EVER, sooner)


def _day(
    intervals: str,
    field: str,
    names: Iterable[str],
    start: date,
    step: Callable[[Column, Column], Column],
) -> Column:
    """What ``step`` makes of ``start`` and one interval of these names after the other."""
    counted = tuple(names)
    day = F.aggregate(
        intervals,
        F.lit(start),
        lambda day, one: F.when(one[field].isin(*counted), step(day, one)).otherwise(day),
    )
    return F.when(day < F.lit(FOR_EVER), day)
