"""Branches, advisors and exchange rates: small tables, delivered whole as CSV."""

from __future__ import annotations

import numpy as np

from demo.draws import ALWAYS, Draws
from demo.months import Month
from demo.people import ADVISORS_PER_BRANCH, BLOCK, BRANCHES_PER_BLOCK
from demo.vocabulary import (
    BASE_CURRENCY,
    CURRENCIES,
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    REGIONS,
    ROLES,
)
from tables.base import Table
from tables.sources import ADVISORS, BRANCHES, FX_RATES

FIRST_RATE = {"USD": 0.92, "GBP": 1.17, "CHF": 1.05}
MONTHLY_MOVE = 0.012
Lines = list[tuple[str, ...]]


def small_tables(
    draws: Draws, customers: int, months: list[Month], now: int
) -> list[tuple[Table, Lines]]:
    """The small tables as known when the month at place ``now`` is delivered."""
    opened = f"{months[0].first:%Y-%m-%d}T06:00:00Z"
    return [
        (BRANCHES, _branches(customers, opened)),
        (ADVISORS, _advisors(draws, customers, opened)),
        (FX_RATES, _rates(draws, months, now)),
    ]


def branch_count(customers: int) -> int:
    """Five branches for each begun block of 2,500 customers."""
    return -(-customers // BLOCK) * BRANCHES_PER_BLOCK


def _branches(customers: int, recorded: str) -> Lines:
    return [
        (
            f"B{branch:05d}",
            _place(branch),
            REGIONS[branch // BRANCHES_PER_BLOCK % len(REGIONS)],
            recorded,
        )
        for branch in range(branch_count(customers))
    ]


def _place(branch: int) -> str:
    """A fictional place; numbered once the names are used up."""
    round_, place = divmod(branch, len(PLACES))
    return PLACES[place] if round_ == 0 else f"{PLACES[place]} {round_ + 1}"


def _advisors(draws: Draws, customers: int, recorded: str) -> Lines:
    advisors = np.arange(branch_count(customers) * ADVISORS_PER_BRANCH)
    first = draws.integer("first name", ALWAYS, advisors, len(FIRST_NAMES))
    last = draws.integer("last name", ALWAYS, advisors, len(LAST_NAMES))
    return [
        (
            f"V{advisor:06d}",
            f"B{advisor // ADVISORS_PER_BRANCH:05d}",
            f"{FIRST_NAMES[first[advisor]]} {LAST_NAMES[last[advisor]]}",
            ROLES[advisor % ADVISORS_PER_BRANCH],
            recorded,
        )
        for advisor in advisors
    ]


def _rates(draws: Draws, months: list[Month], now: int) -> Lines:
    """Random walks, from the first month of all to the one that is delivered."""
    lines: Lines = []
    for code, currency in enumerate(CURRENCIES):
        rate = FIRST_RATE.get(currency, 1.0)
        for month in months[: now + 1]:
            step = draws.normal("rate", month.index, np.array([code]))[0] * MONTHLY_MOVE
            rate *= 1.0 if currency == BASE_CURRENCY else float(np.exp(step))
            first = f"{month.first:%Y-%m-%d}"
            lines.append((currency, first, f"{rate:.8f}", f"{first}T06:00:00Z"))
    return lines
