"""What the bank could observe of customers: sums by category and month, balances.

The planted propensities read behaviour from here and from holdings only, so everything they depend
on can be computed from the deliveries.
"""

from __future__ import annotations

import numpy as np

from demo.bookings import Booked
from demo.draws import Floats, Ints
from demo.economy import FOREIGN
from demo.vocabulary import CATEGORIES, CATEGORY
from tables.categories import OWN_TRANSFERS

MONTHS = 12
CREDITS, DEBITS = len(CATEGORIES), len(CATEGORIES) + 1
SUMS = len(CATEGORIES) + 2
SAVINGS_MOVED = CATEGORY["savings"]  # both legs are booked; the debit counts
IS_OWN = np.array([category in OWN_TRANSFERS for category in CATEGORIES])


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
        self._balances[self._seen % (MONTHS + 1)] = balance.sum(axis=0) / 100

    def spent(self, category: str | int, months: int) -> Floats:
        """Euros booked in a category, credits and debits alike, in the last ``months`` months."""
        code = CATEGORY[category] if isinstance(category, str) else category
        last = [(self._seen - 1 - back) % MONTHS for back in range(months)]
        total: Floats = self._sums[last, code].sum(axis=0, dtype=np.float64)
        return total

    def balance(self, months_ago: int = 0) -> Floats:
        """All accounts together at a month's end; foreign currency is taken at par."""
        balance: Floats = self._balances[(self._seen - months_ago) % (MONTHS + 1)]
        return balance

    def _by_category(self, booked: Booked) -> Floats:
        """Sums by category; credits and debits leave out what moves between own accounts."""
        is_seen = (booked.slot != FOREIGN) & (
            (booked.category != SAVINGS_MOVED) | (booked.cents < 0)
        )
        who, category = booked.who[is_seen], booked.category[is_seen]
        euros = booked.cents[is_seen] / 100
        cells = category * self._customers + who
        totals = np.bincount(cells, np.abs(euros), minlength=SUMS * self._customers)
        sums: Floats = totals.astype(np.float64, copy=False).reshape(SUMS, self._customers)
        euros[IS_OWN[category]] = 0
        for place, moved in ((CREDITS, np.maximum(euros, 0)), (DEBITS, np.maximum(-euros, 0))):
            sums[place] = np.bincount(who, moved, minlength=self._customers)
        return sums
