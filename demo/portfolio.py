"""Accounts and products that the customers of a chunk hold, from opening to closing."""

from __future__ import annotations

import numpy as np

from demo.draws import Bools, Ints
from demo.economy import CURRENT, SAVINGS, SLOTS
from demo.hazards import PLANTED
from demo.moment import evening
from demo.months import NEVER
from demo.people import NO_ONE
from demo.rows import GrowingRows

PRODUCTS = tuple(PLANTED)
PLACE = {product_id: place for place, product_id in enumerate(PRODUCTS)}
ACCOUNT_SLOT = {"current_account": CURRENT, "savings_account": SAVINGS}
YEARS = 365
TERM_DAYS = {
    "term_deposit": YEARS,
    "travel_insurance": YEARS,
    "home_insurance": YEARS,
    "credit_card": 3 * YEARS,
    "gold_card": 3 * YEARS,
    "personal_loan": 3 * YEARS,
    "car_leasing": 4 * YEARS,
}


class Portfolio:
    """Rows of accounts and holdings, and what is open now by product (or slot) and customer."""

    def __init__(self, customers: int) -> None:
        self.holdings = GrowingRows(
            "who", "number", "product", "account", "opened", "closed", "matures", "recorded"
        )
        self.accounts = GrowingRows(
            "who", "number", "product", "opened", "closed", "currency", "recorded"
        )
        self.holding = np.full((len(PRODUCTS), customers), NO_ONE)
        self.account = np.full((SLOTS, customers), NO_ONE)
        self.last_account = np.full((SLOTS, customers), NO_ONE)  # closed ones included
        self.instalment = np.zeros((len(PRODUCTS), customers))
        self.invested = np.zeros((len(PRODUCTS), customers))
        self._holdings_of = np.zeros(customers, dtype=np.int64)
        self._accounts_of = np.zeros(customers, dtype=np.int64)

    def holds(self) -> dict[str, Bools]:
        """Who holds which product now."""
        return {product_id: self.holding[place] != NO_ONE for product_id, place in PLACE.items()}

    def open(self, product_id: str, who: Ints, days: Ints) -> None:
        """Customers get a product; current and savings accounts also get their account."""
        slot = ACCOUNT_SLOT.get(product_id)
        if slot is not None:
            self.open_account(product_id, slot, who, days)
        account = self.account[CURRENT if slot is None else slot, who]
        term = TERM_DAYS.get(product_id)
        matures = np.full(len(who), NEVER) if term is None else days + term
        self.holding[PLACE[product_id], who] = self.holdings.append(
            {
                "who": who,
                "number": self._holdings_of[who],
                "product": PLACE[product_id],
                "account": account,
                "opened": days,
                "closed": NEVER,
                "matures": matures,
                "recorded": evening(days),
            }
        )
        self._holdings_of[who] += 1

    def open_account(
        self, product_id: str, slot: int, who: Ints, days: Ints, *, currency: Ints | int = 0
    ) -> None:
        """An account without a holding of its own, such as one in a foreign currency."""
        rows = self.accounts.append(
            {
                "who": who,
                "number": self._accounts_of[who],
                "product": PLACE[product_id],
                "opened": days,
                "closed": NEVER,
                "currency": currency,
                "recorded": evening(days),
            }
        )
        self.account[slot, who] = rows
        self.last_account[slot, who] = rows
        self._accounts_of[who] += 1

    def close(self, product_id: str, who: Ints, days: Ints) -> None:
        """Customers give a product back, with its account and instalments."""
        place = PLACE[product_id]
        self._end(self.holdings, self.holding[place], who, days)
        self.instalment[place, who] = 0
        self.invested[place, who] = 0
        slot = ACCOUNT_SLOT.get(product_id)
        if slot is not None:
            self._end(self.accounts, self.account[slot], who, days)

    def close_all(self, who: Ints, days: Ints) -> None:
        """Customers leave with everything they hold."""
        for product_id, place in PLACE.items():
            held = self.holding[place, who] != NO_ONE
            self.close(product_id, who[held], days[held])
        for open_now in self.account:
            has_one = open_now[who] != NO_ONE
            self._end(self.accounts, open_now, who[has_one], days[has_one])

    def renew(self, product_id: str, who: Ints) -> None:
        """Another term, from the day the last one ended."""
        rows = self.holding[PLACE[product_id], who]
        matured = self.holdings["matures"][rows]
        self.holdings["matures"][rows] = matured + TERM_DAYS[product_id]
        self.holdings["recorded"][rows] = evening(matured)

    def matures(self, product_id: str) -> Ints:
        """End of the current term by customer, NEVER without one."""
        return self._day("matures", product_id)

    def opened(self, product_id: str) -> Ints:
        """Day on which what a customer holds was opened, NEVER without it."""
        return self._day("opened", product_id)

    def _day(self, name: str, product_id: str) -> Ints:
        rows = self.holding[PLACE[product_id]]
        days = np.full(rows.shape, NEVER, dtype=np.int64)
        days[rows != NO_ONE] = self.holdings[name][rows[rows != NO_ONE]]
        return days

    @staticmethod
    def _end(rows: GrowingRows, open_now: Ints, who: Ints, days: Ints) -> None:
        ended = open_now[who]
        rows["closed"][ended] = days
        rows["recorded"][ended] = evening(days)
        open_now[who] = NO_ONE
