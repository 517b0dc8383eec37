"""Products are bought and given back, and that changes what customers do afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from conf.schema import Product
from demo.bookings import Bookings
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.economy import CURRENT, FOREIGN, SAVINGS, Economy
from demo.life import day_in
from demo.months import Month
from demo.people import NO_ONE, People
from demo.portfolio import PLACE, TERM_DAYS, Portfolio

LAST_DAYS = 3  # nothing is opened on the last days, when savings are moved
HAS_CURRENT_ACCOUNT, HAS_IT_OF_NEW = 0.90, 0.72
# What customers hold when the history begins, given that its rules allow it.
HELD_BEFORE = {
    "savings_account": 0.30, "term_deposit": 0.05, "credit_card": 0.28, "personal_loan": 0.08,
    "mortgage": 0.09, "investment_fund": 0.08, "home_insurance": 0.12, "travel_insurance": 0.08,
    "car_leasing": 0.03, "pension_plan": 0.10,
}  # fmt: skip
HELD_GOLD = 0.15  # of those with a credit card and the income for it
# By what customers without a current account came to the bank.
ENTRY = {
    "savings_account": 0.70, "mortgage": 0.10, "term_deposit": 0.06, "home_insurance": 0.05,
    "car_leasing": 0.04, "investment_fund": 0.05,
}  # fmt: skip
FOREIGN_ACCOUNT = 0.03
GIVEN_BACK = {
    "credit_card": 0.004, "gold_card": 0.004, "investment_fund": 0.006, "personal_loan": 0.004,
    "mortgage": 0.001, "pension_plan": 0.002,
}  # fmt: skip
RENEWED = {"travel_insurance": 0.5, "home_insurance": 0.85, "credit_card": 0.97, "gold_card": 0.97}
INVESTED_SHARE = {"term_deposit": 0.5, "investment_fund": 0.3, "mortgage": 0.6}  # of the balance
INSTALMENT_SHARE = {"personal_loan": 0.08, "mortgage": 0.28, "car_leasing": 0.12}  # of pay
CATEGORY_OF = {"term_deposit": "term_deposit", "investment_fund": "investment", "mortgage": "transfer"}
LOAN_MONTHS, SPENT_OF_LOAN = 3.0, 0.75
INTEREST = 1.02


def begin(
    draws: Draws,
    products: Mapping[str, Product],
    people: People,
    economy: Economy,
    portfolio: Portfolio,
    first_day: int,
) -> None:
    """What those who joined before ``first_day`` already hold, with the money in their accounts."""
    here = people.joined < first_day
    enter(draws, people, economy, portfolio, np.flatnonzero(here), HAS_CURRENT_ACCOUNT)
    has_account = portfolio.account[CURRENT] != NO_ONE
    for product_id, share in HELD_BEFORE.items():
        held = draws.chance(f"held {product_id}", ALWAYS, people.ids, share)
        allowed = here & held & has_account & _meets(products, product_id, people, economy, first_day)
        who = np.flatnonzero(allowed & (portfolio.holding[PLACE[product_id]] == NO_ONE))
        if product_id == "credit_card":
            _begin_cards(draws, products, people, economy, portfolio, who, first_day)
        else:
            _open_before(draws, product_id, people, economy, portfolio, who, first_day)
    _begin_balances(draws, people, economy, portfolio)


def enter(  # noqa: PLR0913
    draws: Draws,
    people: People,
    economy: Economy,
    portfolio: Portfolio,
    who: Ints,
    share: float = HAS_IT_OF_NEW,
) -> None:
    """Customers join: with a current account, or by another door."""
    ids = people.ids[who]
    has_account = draws.chance("has account", ALWAYS, ids, share)
    door = np.digitize(draws.uniform("door", ALWAYS, ids), np.cumsum(list(ENTRY.values()))[:-1])
    _take(portfolio, economy, "current_account", who[has_account], people.joined[who[has_account]])
    for place, product_id in enumerate(ENTRY):
        by_it = who[~has_account & (door == place)]
        _take(portfolio, economy, product_id, by_it, people.joined[by_it])


def _begin_cards(  # noqa: PLR0913 - the same as any product, twice
    draws: Draws,
    products: Mapping[str, Product],
    people: People,
    economy: Economy,
    portfolio: Portfolio,
    who: Ints,
    first_day: int,
) -> None:
    """Some of those with a card have already gone up to the gold one."""
    has_gold = draws.chance("held gold_card", ALWAYS, people.ids, HELD_GOLD)
    has_gold &= _meets(products, "gold_card", people, economy, first_day)
    _open_before(draws, "gold_card", people, economy, portfolio, who[has_gold[who]], first_day)
    _open_before(draws, "credit_card", people, economy, portfolio, who[~has_gold[who]], first_day)


def _open_before(  # noqa: PLR0913
    draws: Draws,
    product_id: str,
    people: People,
    economy: Economy,
    portfolio: Portfolio,
    who: Ints,
    first_day: int,
) -> None:
    """Opened some time since joining, but within the product's term."""
    share = draws.uniform(f"opened {product_id}", ALWAYS, people.ids[who])
    since = np.maximum(people.joined[who], first_day - TERM_DAYS.get(product_id, 9_000))
    days = first_day - 1 - (share * (first_day - 1 - since)).astype(np.int64)
    _take(portfolio, economy, product_id, who, days)


def _meets(
    products: Mapping[str, Product], product_id: str, people: People, economy: Economy, day: int
) -> Bools:
    """Age and pay as the rules want them; who came before the history showed it in other ways."""
    if product_id not in products:
        return np.zeros(len(people), dtype=np.bool_)
    rules = products[product_id].eligibility
    age = people.age(day)
    pay = float(rules.min_monthly_income or 0)
    return (age > (rules.min_age or 0)) & (age < (rules.max_age or 200)) & (economy.pay >= pay)


def _begin_balances(draws: Draws, people: People, economy: Economy, portfolio: Portfolio) -> None:
    spread = np.exp(0.9 * draws.normal("savings", ALWAYS, people.ids))
    euros = {
        CURRENT: economy.buffer * 0.9,
        SAVINGS: economy.pay * np.exp(people.temperament.thrift) * spread,
    }
    for slot, amount in euros.items():
        is_open = portfolio.account[slot] != NO_ONE
        economy.balance[slot] = np.where(is_open, np.rint(amount * 100), 0).astype(np.int64)
    has_foreign = draws.chance("foreign", ALWAYS, people.ids, FOREIGN_ACCOUNT)
    who = np.flatnonzero(has_foreign & (portfolio.account[CURRENT] != NO_ONE))
    currency = 1 + draws.integer("currency", ALWAYS, people.ids[who], 3)
    portfolio.open_account("current_account", FOREIGN, who, people.joined[who], currency)
    economy.balance[FOREIGN, who] = 80_000


def _take(
    portfolio: Portfolio, economy: Economy, product_id: str, who: Ints, days: Ints
) -> None:
    """Open a product with the instalments it brings."""
    portfolio.open(product_id, who, days)
    share = INSTALMENT_SHARE.get(product_id, 0.0)
    portfolio.instalment[PLACE[product_id], who] = share * economy.pay[who]
    portfolio.invested[PLACE[product_id], who] = economy.pay[who] * (product_id in CATEGORY_OF)


def draw_buyers(draws: Draws, month: Month, people: People, product_id: str, hazard: Floats) -> Ints:
    """Who buys this month; a hazard of NaN never does."""
    return np.flatnonzero(draws.chance(f"buys {product_id}", month.index, people.ids, hazard))


def buy(  # noqa: PLR0913 - all that a purchase touches
    product_id: str,
    who: Ints,
    days: Ints,
    economy: Economy,
    portfolio: Portfolio,
    book: Bookings,
) -> None:
    """Open the product for its buyers and let it change what they do from now on."""
    if product_id == "gold_card":
        portfolio.close("credit_card", who, days)
    balance = np.maximum(economy.balance[CURRENT] + economy.balance[SAVINGS], 0)[who] / 100
    _take(portfolio, economy, product_id, who, days)
    has_account = portfolio.account[CURRENT, who] != NO_ONE
    if product_id in INVESTED_SHARE:
        amount = np.round(balance * INVESTED_SHARE[product_id], -1)
        portfolio.invested[PLACE[product_id], who] = amount
        _pay_out_of_both(CATEGORY_OF[product_id], who[has_account], days[has_account],
                         amount[has_account], economy, book)  # fmt: skip
    if product_id == "personal_loan":
        loan = np.round(economy.pay[who] * LOAN_MONTHS, -2)
        book.add("loan_payout", "internal", who, days, loan)
        book.add("transfer", "app", who, days + 1, -SPENT_OF_LOAN * loan)
    elif product_id == "current_account":
        book.add("transfer", "transfer", who, days, 0.6 * economy.buffer[who])
    elif product_id == "mortgage":
        economy.rent[who] = 0
    elif product_id == "home_insurance":
        economy.premium[who] = 0


def _pay_out_of_both(  # noqa: PLR0913
    category: str, who: Ints, days: Ints, euros: Floats, economy: Economy, book: Bookings
) -> None:
    """A large debit; what the current account lacks comes from savings first."""
    lacking = euros - np.maximum(economy.balance[CURRENT, who], 0) / 100
    moved = np.clip(lacking, 0, np.maximum(economy.balance[SAVINGS, who], 0) / 100)
    book.add("savings", "internal", who, days, -moved, slot=SAVINGS)
    book.add("savings", "app", who, days, moved)
    book.add(category, "app", who, days, -euros)


def give_back(  # noqa: PLR0913
    draws: Draws,
    month: Month,
    people: People,
    portfolio: Portfolio,
    active: Bools,
    book: Bookings,
) -> None:
    """Terms end or are renewed, and some products are given up early."""
    for product_id in PLACE:
        matures = portfolio.matures(product_id)
        held = active & (portfolio.opened(product_id) < month.first_day)
        ends = held & (matures < month.end_day)
        is_renewed = draws.chance(
            f"renews {product_id}", month.index, people.ids, RENEWED.get(product_id, 0.0)
        )
        if product_id in RENEWED:
            portfolio.renew(product_id, np.flatnonzero(ends & is_renewed))
        given_up = draws.chance(
            f"gives back {product_id}", month.index, people.ids, GIVEN_BACK.get(product_id, 0.0)
        )
        who = np.flatnonzero((ends & ~is_renewed) | (held & ~ends & given_up))
        drawn = day_in(draws, f"given back {product_id}", month, people.ids[who])
        days = np.minimum(np.maximum(matures[who], month.first_day), drawn)
        days = np.where(ends[who], np.maximum(matures[who], month.first_day), days)
        _repay(product_id, who, days, portfolio, book)
        portfolio.close(product_id, who, days)


def _repay(
    product_id: str, who: Ints, days: Ints, portfolio: Portfolio, book: Bookings
) -> None:
    """What was invested comes back to the current account."""
    if product_id not in ("term_deposit", "investment_fund"):
        return
    has_account = portfolio.account[CURRENT, who] != NO_ONE
    who, days = who[has_account], days[has_account]
    back = portfolio.invested[PLACE[product_id], who] * INTEREST
    book.add(CATEGORY_OF[product_id], "internal", who, days, back)
