"""Who the customers of a chunk are: what the bank knows of them, and their temperament.

Households lie within four neighbouring numbers, branches within blocks of 2,500, so nothing about
a customer depends on how large the bank is. The temperament (tastes, thrift, digital habits) is
never delivered: it shows in the bookings, and only the bookings enter the planted propensities.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.months import DAY_MICROSECONDS, EVENING, NEVER, Month
from demo.vocabulary import EMPLOYERS

QUAD = 4  # neighbouring numbers among which households form
BLOCK = 2_500  # customers of five branches
BRANCHES_PER_BLOCK = 5
ADVISORS_PER_BRANCH = 3
YEAR = 365.25
JOINS_LATER = 0.20  # share of customers who join during warm-up and history
NO_ONE = -1
HOUSEHOLD_PATTERNS = np.array(
    [[0, 0, 0, 0], [0, 0, 2, 2], [0, 0, 2, 3], [0, 0, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
)


@dataclass
class People:
    """Columns by place in the chunk.

    Days are numbers, NEVER where it has not happened; codes are NO_ONE where null.
    """

    ids: Ints
    born: Ints
    is_birth_known: Bools
    gender: Ints
    language: Ints
    segment: Ints
    branch: Ints
    advisor: Ints
    household: Ints
    employer: Ints
    is_employee: Bools
    joined: Ints
    left: Ints
    deceased: Ints
    recorded: Ints  # microseconds: when this version of the row was known
    temperament: Temperament

    def __len__(self) -> int:
        """Number of customers."""
        return len(self.ids)

    def is_active(self, day: int) -> Bools:
        """Customers on the morning of ``day``."""
        return (self.joined < day) & (self.left >= day) & (self.deceased >= day)

    def age(self, day: int) -> Floats:
        """Years on ``day``."""
        return (day - self.born) / YEAR

    def completed_years(self, first: date) -> Ints:
        """Age in completed years on the first of a month."""
        born = self.born.astype("datetime64[D]")
        born_month = born.astype("datetime64[M]")
        # Who is born later than the first completes a year in the month after.
        month = born_month.astype(np.int64) + (born > born_month.astype("datetime64[D]"))
        return (np.datetime64(first, "M").astype(np.int64) - month) // 12

    def touch(self, places: Ints, days: Ints) -> None:
        """A new version of these rows was recorded on the evening of ``days``."""
        recorded = days * DAY_MICROSECONDS + EVENING
        self.recorded[places] = np.maximum(self.recorded[places], recorded)


@dataclass(frozen=True)
class Temperament:
    """What drives behaviour and is never delivered."""

    earning: Floats  # log of earning power against the median
    digital: Floats  # share of business done online, 0 … 1
    activity: Floats  # log of the number of purchases
    thrift: Floats  # log of the buffer kept, in months of income
    traveller: Floats  # log taste for travel
    driver: Floats  # log taste for cars; without_car where there is none
    shopper: Floats
    homemaker: Floats
    has_car: Bools


def settle(draws: Draws, ids: Ints, months: list[Month]) -> People:
    """The customers with these numbers, as they will join by the end of ``months``."""
    temperament = _temperament(draws, ids)
    joined = _joined(draws, ids, months)
    born = _born(draws, ids, joined, months[0].first_day)
    branch = branch_of(draws, ids)
    people = People(
        ids=ids,
        born=born,
        is_birth_known=~draws.chance("birth unknown", ALWAYS, ids, 0.02),
        gender=_coded(draws, "gender", ids, (0.49, 0.49)),
        language=_coded(draws, "language", ids, (0.80, 0.11, 0.07)),
        segment=_segment(draws, ids, temperament),
        branch=branch,
        advisor=np.where(
            draws.chance("has advisor", ALWAYS, ids, 0.7), advisor_of(draws, 0, ids, branch), NO_ONE
        ),
        household=_household(draws, ids),
        employer=draws.integer("employer", ALWAYS, ids, EMPLOYERS),
        is_employee=draws.chance("employee", ALWAYS, ids, 0.01),
        joined=joined,
        left=np.full(len(ids), NEVER, dtype=np.int64),
        deceased=np.full(len(ids), NEVER, dtype=np.int64),
        recorded=np.zeros(len(ids), dtype=np.int64),
        temperament=temperament,
    )
    people.touch(np.arange(len(ids)), joined)
    return people


def branch_of(draws: Draws, ids: Ints) -> Ints:
    """The branch of a household's quad, within its block."""
    within = draws.integer("branch", ALWAYS, ids // QUAD, BRANCHES_PER_BLOCK)
    return ids // BLOCK * BRANCHES_PER_BLOCK + within


def advisor_of(draws: Draws, month: int, ids: Ints, branch: Ints) -> Ints:
    """One of the branch's advisors."""
    within = draws.integer("advisor", month, ids, ADVISORS_PER_BRANCH)
    return branch * ADVISORS_PER_BRANCH + within


def _temperament(draws: Draws, ids: Ints) -> Temperament:
    def spread(purpose: str, deviation: float) -> Floats:
        return draws.normal(purpose, ALWAYS, ids) * deviation

    return Temperament(
        earning=spread("earning", 0.42),
        digital=np.clip(0.5 + spread("digital", 0.28), 0.02, 0.98),
        activity=spread("activity", 0.35),
        thrift=spread("thrift", 1.15) - 0.2,
        traveller=spread("traveller", 0.8),
        driver=spread("driver", 0.7),
        shopper=spread("shopper", 0.7),
        homemaker=spread("homemaker", 0.8),
        has_car=draws.chance("has car", ALWAYS, ids, 0.65),
    )


def _joined(draws: Draws, ids: Ints, months: list[Month]) -> Ints:
    """Most customers are here before the warm-up; the others join evenly until the end."""
    first, end = months[0].first_day, months[-1].end_day
    share = draws.uniform("joins", ALWAYS, ids)
    later = first + (share / JOINS_LATER * (end - first)).astype(np.int64)
    tenure = np.exp(6.9 + 0.9 * draws.normal("tenure", ALWAYS, ids)).clip(40, 9_000)
    return np.where(share < JOINS_LATER, later, first - tenure.astype(np.int64))


def _born(draws: Draws, ids: Ints, joined: Ints, first_day: int) -> Ints:
    """From 18 to 88 when the history begins; the young of large households from 15."""
    age = (
        18
        + 70
        * np.sqrt(draws.uniform("age", ALWAYS, ids))
        * draws.uniform("age 2", ALWAYS, ids) ** 0.4
    )
    is_child = (ids % QUAD >= QUAD // 2) & (_pattern(draws, ids) == 0)
    age = np.where(is_child, 15 + 8 * draws.uniform("age", ALWAYS, ids), age)
    born = first_day - (age * YEAR).astype(np.int64)
    return np.minimum(born, joined - int(15 * YEAR))


def _pattern(draws: Draws, ids: Ints) -> Ints:
    return draws.integer("household", ALWAYS, ids // QUAD, len(HOUSEHOLD_PATTERNS))


def _household(draws: Draws, ids: Ints) -> Ints:
    """Number of the household; most people who live alone have none."""
    pattern = HOUSEHOLD_PATTERNS[_pattern(draws, ids)]
    place = ids % QUAD
    own = pattern[np.arange(len(ids)), place]
    is_alone = (pattern == own[:, None]).sum(axis=1) == 1
    is_unknown = is_alone & draws.chance("household unknown", ALWAYS, ids, 0.7)
    return np.where(is_unknown, NO_ONE, ids - place + own)


def _segment(draws: Draws, ids: Ints, temperament: Temperament) -> Ints:
    """What the bank once decided from earnings and wealth; unknown for some."""
    rank = (
        temperament.earning / 0.42
        + temperament.thrift / 1.15
        + draws.normal("segment", ALWAYS, ids)
    )
    segment = np.digitize(rank, [1.4, 2.8, 4.0])
    return np.where(draws.chance("segment unknown", ALWAYS, ids, 0.04), NO_ONE, segment)


def _coded(draws: Draws, purpose: str, ids: Ints, shares: tuple[float, ...]) -> Ints:
    """A code by shares; what is left is unknown."""
    code = np.digitize(draws.uniform(purpose, ALWAYS, ids), np.cumsum(shares))
    return np.where(code == len(shares), NO_ONE, code)
