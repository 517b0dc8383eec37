"""How customers came to the bank, and what they held before the history begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conf.schema import Product
from demo.draws import Bools, Ints
from demo.economy import CURRENT, FOREIGN, SAVINGS, Economy
from demo.moment import Moment
from demo.people import NO_ONE
from demo.portfolio import PLACE, TERM_DAYS, Portfolio
from demo.purchases import Sale, may_begin_with, take
from demo.vocabulary import CURRENCIES

HAS_CURRENT_ACCOUNT, HAS_IT_OF_NEW = 0.90, 0.72
# By what customers without a current account came to the bank.
DOORS = {
    "savings_account": 0.70, "mortgage": 0.10, "term_deposit": 0.06, "home_insurance": 0.05,
    "car_leasing": 0.04, "investment_fund": 0.05,
}  # fmt: skip
# What customers with a current account hold besides, if its rules allow it.
HELD_BEFORE = {
    "savings_account": 0.30, "term_deposit": 0.05, "credit_card": 0.28, "gold_card": 0.15,
    "personal_loan": 0.08, "mortgage": 0.09, "investment_fund": 0.08, "home_insurance": 0.12,
    "travel_insurance": 0.08, "car_leasing": 0.03, "pension_plan": 0.10,
}  # fmt: skip
LONGEST_DAYS = 9_000
HAS_FOREIGN_ACCOUNT, FOREIGN_BALANCE = 0.03, 80_000  # cents


def begin(
    moment: Moment, products: Mapping[str, Product], economy: Economy, portfolio: Portfolio
) -> None:
    """What those who joined before the first month hold, with the money in their accounts."""
    here = moment.people.joined < moment.month.first_day
    enter(moment, economy, portfolio, np.flatnonzero(here), HAS_CURRENT_ACCOUNT)
    age = moment.people.completed_years(moment.month.first)
    has_account = portfolio.account[CURRENT] != NO_ONE
    for product_id, share in HELD_BEFORE.items():
        held = has_account & (moment.always(f"held {product_id}") < share)
        held &= may_begin_with(products, product_id, age, economy)
        if product_id == "gold_card":
            held &= portfolio.holding[PLACE["credit_card"]] != NO_ONE
        _open_before(moment, product_id, held, economy, portfolio)
    _begin_balances(moment, economy, portfolio)


def enter(
    moment: Moment,
    economy: Economy,
    portfolio: Portfolio,
    who: Ints,
    share: float = HAS_IT_OF_NEW,
) -> None:
    """Customers join: ``share`` of them with a current account, the others by another door."""
    joined = moment.people.joined
    has_account = moment.always("has account", who) < share
    shares = np.cumsum(list(DOORS.values()))[:-1]
    door = np.digitize(moment.always("door", who), shares)
    for place, product_id in enumerate(("current_account", *DOORS)):
        by_it = who[has_account if place == 0 else ~has_account & (door == place - 1)]
        take(Sale(product_id, by_it, joined[by_it]), economy, portfolio)


def _open_before(
    moment: Moment, product_id: str, held: Bools, economy: Economy, portfolio: Portfolio
) -> None:
    """Opened some time since joining, but within the product's term; an upgrade after its card."""
    first_day = moment.month.first_day
    who = np.flatnonzero(held)
    since = np.maximum(
        moment.people.joined[who], first_day - TERM_DAYS.get(product_id, LONGEST_DAYS)
    )
    if product_id == "gold_card":
        since = np.maximum(since, portfolio.opened("credit_card")[who])
    share = moment.always(f"opened {product_id}", who)
    days = first_day - 1 - (share * (first_day - 1 - since)).astype(np.int64)
    if product_id == "gold_card":
        portfolio.close("credit_card", who, days)
    take(Sale(product_id, who, days), economy, portfolio)


def _begin_balances(moment: Moment, economy: Economy, portfolio: Portfolio) -> None:
    people = moment.people
    spread = np.exp(0.9 * moment.normal("savings"))
    euros = {
        CURRENT: economy.buffer,
        SAVINGS: economy.pay * np.exp(people.temperament.thrift) * spread,
    }
    for slot, amount in euros.items():
        is_open = portfolio.account[slot] != NO_ONE
        economy.balance[slot] = np.where(is_open, np.rint(amount * 100), 0).astype(np.int64)
    has_foreign = moment.always("foreign") < HAS_FOREIGN_ACCOUNT
    who = np.flatnonzero(has_foreign & (portfolio.account[CURRENT] != NO_ONE))
    currency = 1 + (moment.always("currency", who) * (len(CURRENCIES) - 1)).astype(np.int64)
    portfolio.open_account("current_account", FOREIGN, who, people.joined[who], currency=currency)
    economy.balance[FOREIGN, who] = FOREIGN_BALANCE
