"""Days as numbers and the months of the bank's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

NEVER = 1 << 30  # a day that has not come: null when delivered
EPOCH = date(1970, 1, 1)
DAY_MICROSECONDS = 86_400_000_000
HOUR_MICROSECONDS = 3_600_000_000
SECOND_MICROSECONDS = 1_000_000
EVENING = 20 * HOUR_MICROSECONDS  # when the bank's systems learn what happened during the day


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def first_of(start: date, months: int) -> date:
    """The first of the month ``months`` after ``start``, which is a first of a month itself."""
    index = start.year * 12 + start.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Month:
    """One month of the history.

    Attributes:
        index: 0 is the first month that is delivered; negative months only warm the bank up.
        first: Its first day.
    """

    index: int
    first: date

    @property
    def first_day(self) -> int:
        """Number of the first day."""
        return day_number(self.first)

    @property
    def after(self) -> date:
        """First day of the next month, on which this month is delivered."""
        return first_of(self.first, 1)

    @property
    def delivery(self) -> str:
        """Name of the delivery that brings what was recorded in this month."""
        return self.after.isoformat()

    def next(self) -> Month:
        """The month after it."""
        return Month(self.index + 1, self.after)

    @property
    def end_day(self) -> int:
        """Number of the first day of the next month."""
        return day_number(self.after)

    @property
    def days(self) -> int:
        """Its length."""
        return self.end_day - self.first_day

    @property
    def of_year(self) -> int:
        """1 … 12."""
        return self.first.month


def history(until: date, months: int, warm_up: int) -> list[Month]:
    """The warm-up and the ``months`` months before ``until``."""
    start = first_of(until, -months)
    return [Month(index, first_of(start, index)) for index in range(-warm_up, months)]
