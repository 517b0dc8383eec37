"""Products are bought and given back, and that changes what customers do afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from conf.schema import Product
from demo.bookings import Bookings
from demo.draws import Bools, Floats, Ints
from demo.economy import CURRENT, SAVINGS, Economy
from demo.moment import Moment
from demo.people import NO_ONE
from demo.portfolio import PLACE, Portfolio

LAST_DAYS = 3  # nothing is opened on the last days, when savings are moved
GIVEN_BACK = {
    "credit_card": 0.004, "gold_card": 0.004, "investment_fund": 0.006, "personal_loan": 0.004,
    "mortgage": 0.001, "pension_plan": 0.002,
}  # fmt: skip
RENEWED = {"travel_insurance": 0.5, "home_insurance": 0.85, "credit_card": 0.97, "gold_card": 0.97}
# Of the balance: what is put into it, or down for it.
INVESTED_SHARE = {"term_deposit": 0.5, "investment_fund": 0.3, "mortgage": 0.6}
INSTALMENT_SHARE = {"personal_loan": 0.08, "mortgage": 0.28, "car_leasing": 0.12}  # of pay
CATEGORY_OF = {
    "term_deposit": "term_deposit", "investment_fund": "investment", "mortgage": "transfer",
}  # fmt: skip
PAID_BACK = ("term_deposit", "investment_fund")
LOAN_MONTHS, SPENT_OF_LOAN = 3.0, 0.75  # months of pay
FIRST_DEPOSIT = 0.6  # of the buffer
INTEREST = 1.02


@dataclass(frozen=True)
class Sale:
    """Customers, by place, who get a product on their day."""

    product_id: str
    who: Ints
    days: Ints

    def of_those(self, chosen: Bools) -> Sale:
        """The same for some of the customers."""
        return Sale(self.product_id, self.who[chosen], self.days[chosen])


def take(sale: Sale, economy: Economy, portfolio: Portfolio) -> None:
    """Open a product with the instalments it brings; nothing is booked."""
    place, pay = PLACE[sale.product_id], economy.pay[sale.who]
    portfolio.open(sale.product_id, sale.who, sale.days)
    portfolio.instalment[place, sale.who] = INSTALMENT_SHARE.get(sale.product_id, 0.0) * pay
    portfolio.invested[place, sale.who] = np.round(pay, 2)


def buy(sale: Sale, economy: Economy, portfolio: Portfolio, book: Bookings) -> None:
    """Open the product and let it change what its buyers do from now on."""
    who = sale.who
    if sale.product_id == "gold_card":
        portfolio.close("credit_card", who, sale.days)
    take(sale, economy, portfolio)
    if sale.product_id in INVESTED_SHARE:
        _invest(sale, economy, portfolio, book)
    if sale.product_id == "personal_loan":
        loan = np.round(economy.pay[who] * LOAN_MONTHS, -2)
        book.add("loan_payout", "internal", who, sale.days, loan)
        book.add("transfer", "app", who, sale.days + 1, -SPENT_OF_LOAN * loan)
    elif sale.product_id == "current_account":
        book.add("transfer", "transfer", who, sale.days, FIRST_DEPOSIT * economy.buffer[who])
    elif sale.product_id == "mortgage":
        economy.rent[who] = 0
    elif sale.product_id == "home_insurance":
        economy.premium[who] = 0


def _invest(sale: Sale, economy: Economy, portfolio: Portfolio, book: Bookings) -> None:
    """A large debit; what the current account lacks comes from savings first."""
    sale = sale.of_those(portfolio.account[CURRENT, sale.who] != NO_ONE)
    current, savings = (
        np.maximum(economy.balance[slot, sale.who], 0) / 100 for slot in (CURRENT, SAVINGS)
    )
    euros = np.round((current + savings) * INVESTED_SHARE[sale.product_id], -1)
    portfolio.invested[PLACE[sale.product_id], sale.who] = euros
    moved = np.clip(euros - current, 0, savings)
    book.add("savings", "internal", sale.who, sale.days, -moved, slot=SAVINGS)
    book.add("savings", "app", sale.who, sale.days, moved)
    book.add(CATEGORY_OF[sale.product_id], "app", sale.who, sale.days, -euros)


def give_back(
    moment: Moment,
    portfolio: Portfolio,
    active: Bools,
    book: Bookings,
    shares: Mapping[str, Floats],
) -> None:
    """Terms end or are renewed, and some products are given up early.

    Args:
        moment: The month.
        portfolio: What is held; changes.
        active: Who is here throughout the month.
        book: Of the bookings.
        shares: By product, who renews how likely, in place of ``RENEWED``.
    """
    for product_id in PLACE:
        matures = portfolio.matures(product_id)
        held = active & (portfolio.opened(product_id) < moment.month.first_day)
        ends = held & (matures < moment.month.end_day)
        if product_id in RENEWED:
            share = shares.get(product_id, RENEWED[product_id])
            renews = ends & moment.chance(f"renews {product_id}", share)
            portfolio.renew(product_id, np.flatnonzero(renews))
            ends &= ~renews
            held &= ~renews
        gives_up = moment.chance(f"gives up {product_id}", GIVEN_BACK.get(product_id, 0.0))
        who = np.flatnonzero(ends | (held & gives_up))
        given_up = np.minimum(moment.day(f"given up {product_id}", who), matures[who])
        days = np.where(ends[who], np.maximum(matures[who], moment.month.first_day), given_up)
        hand_in(Sale(product_id, who, days), portfolio, book)


def hand_in(sale: Sale, portfolio: Portfolio, book: Bookings) -> None:
    """Customers give a product back on their days; what was invested comes back to them."""
    if sale.product_id in PAID_BACK:
        _pay_back(sale, portfolio, book)
    portfolio.close(sale.product_id, sale.who, sale.days)


def _pay_back(sale: Sale, portfolio: Portfolio, book: Bookings) -> None:
    """What was invested comes back to the current account."""
    sale = sale.of_those(portfolio.account[CURRENT, sale.who] != NO_ONE)
    back = portfolio.invested[PLACE[sale.product_id], sale.who] * INTEREST
    book.add(CATEGORY_OF[sale.product_id], "internal", sale.who, sale.days, back)


def may_begin_with(
    products: Mapping[str, Product], product_id: str, age: Ints, economy: Economy
) -> Bools:
    """Age and pay as the rules want them; who came earlier showed it in other ways."""
    if product_id not in products:
        return np.zeros(len(age), dtype=np.bool_)
    rules = products[product_id].eligibility
    pay = float(rules.min_monthly_income or 0)
    return (
        (age >= (rules.min_age or 0))
        & (age <= (age.max(initial=0) if rules.max_age is None else rules.max_age))
        & (economy.pay >= pay)
    )
