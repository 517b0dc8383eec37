"""A month in the life of a chunk: its customers, the month, and the chances of that month."""

from __future__ import annotations

from dataclasses import dataclass

from demo.draws import Bools, Draws, Floats, Ints
from demo.months import DAY_MICROSECONDS, EVENING, Month
from demo.people import People


@dataclass(frozen=True)
class Moment:
    """Draws are over all customers, or over those at the places ``who``."""

    draws: Draws
    month: Month
    people: People

    def ids(self, who: Ints | None = None) -> Ints:
        """Numbers of the customers."""
        return self.people.ids if who is None else self.people.ids[who]

    def chance(self, purpose: str, share: Floats | float, who: Ints | None = None) -> Bools:
        """True with probability ``share``."""
        return self.draws.chance(purpose, self.month.index, self.ids(who), share)

    def uniform(self, purpose: str, who: Ints | None = None) -> Floats:
        """Uniform in [0, 1)."""
        return self.draws.uniform(purpose, self.month.index, self.ids(who))

    def normal(self, purpose: str, who: Ints | None = None) -> Floats:
        """Standard normal."""
        return self.draws.normal(purpose, self.month.index, self.ids(who))

    def integer(self, purpose: str, below: int, who: Ints | None = None) -> Ints:
        """Uniform in 0 … ``below`` - 1."""
        return self.draws.integer(purpose, self.month.index, self.ids(who), below)

    def day(self, purpose: str, who: Ints | None = None, days: int | None = None) -> Ints:
        """A day among the first ``days`` of the month."""
        return self.month.first_day + self.integer(purpose, days or self.month.days, who)

    def always(self, purpose: str, who: Ints | None = None) -> Floats:
        """Uniform in [0, 1), the same in every month."""
        return self.draws.always(purpose, self.ids(who))


def evening(days: Ints) -> Ints:
    """Microseconds at which that day's business is recorded."""
    return days * DAY_MICROSECONDS + EVENING
