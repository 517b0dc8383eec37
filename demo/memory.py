"""What the bank could observe of each customer: sums by category and month, balances at month ends.

The planted propensities read behaviour from here and from holdings only, so everything they depend on can be
computed from the deliveries.
"""

from __future__ import annotations

import numpy as np

from demo.bookings import Booked
from demo.draws import Floats, Ints
from demo.economy import CURRENT, FOREIGN, SAVINGS
from demo.vocabulary import CATEGORIES, CATEGORY

MONTHS = 12
CREDITS, DEBITS = len(CATEGORIES), len(CATEGORIES) + 1
SUMS = len(CATEGORIES) + 2
OWN = CATEGORY["savings"]


class Memory:
    """The last twelve months of a chunk."""

    def __init__(self, customers: int) -> None:
        self._customers = customers
        self._sums = np.zeros((MONTHS, SUMS, customers), dtype=np.float32)
        self._balances = np.zeros((MONTHS + 1, customers))
        self._seen = 0

    def remember(self, booked: Booked, balance: Ints) -> None:
        """Add the month that just ended; the one a year older is forgotten."""
        self._sums[self._seen % MONTHS] = self._by_category(booked)
        self._seen += 1
        self._balances[self._seen % (MONTHS + 1)] = (balance[CURRENT] + balance[SAVINGS]) / 100

    def spent(self, category: str | int, months: int) -> Floats:
        """Euros booked in a category, credits and debits alike, in the last ``months`` months."""
        code = CATEGORY[category] if isinstance(category, str) else category
        last = [(self._seen - 1 - back) % MONTHS for back in range(months)]
        return self._sums[last, code].sum(axis=0, dtype=np.float64)

    def balance(self, months_ago: int = 0) -> Floats:
        """Current and savings account together, at a month's end."""
        return self._balances[(self._seen - months_ago) % (MONTHS + 1)]

    def _by_category(self, booked: Booked) -> Floats:
        """Sums by category; credits and debits without transfers between own accounts."""
        counts = (booked.slot != FOREIGN) & ~((booked.category == OWN) & (booked.slot == SAVINGS))
        who, category = booked.who[counts], booked.category[counts]
        euros = booked.cents[counts] / 100
        cells = category * self._customers + who
        by_category = np.bincount(cells, np.abs(euros), minlength=SUMS * self._customers)
        sums = by_category.reshape(SUMS, self._customers)
        foreign = category != OWN
        for place, sign in ((CREDITS, 1), (DEBITS, -1)):
            moved = np.where(foreign, np.maximum(sign * euros, 0), 0)
            sums[place] = np.bincount(who, moved, minlength=self._customers)
        return sums
