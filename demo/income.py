"""Money that comes in and money that is owed every month."""

from __future__ import annotations

import numpy as np

from demo.bookings import Bookings
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.economy import Economy, Job, is_owing
from demo.months import Month
from demo.people import People
from demo.vocabulary import FIRST_PAYEE, LANDLORDS, PAYEES

THIRTEENTH = 0.3  # share of employers that pay a thirteenth salary in December
BENEFIT_SHARE = 0.55
CHILD_BENEFIT = 130.0
DECEMBER = 12
# January … December: heating and light
SEASON = np.array([1.45, 1.4, 1.2, 1.0, 0.85, 0.75, 0.7, 0.7, 0.8, 1.0, 1.2, 1.4])


def book_income(
    draws: Draws, month: Month, people: People, economy: Economy, payers: Bools, book: Bookings
) -> None:
    """Salaries, pensions, benefits of those who have their money paid into this bank."""
    is_paid = payers & economy.is_paid_here
    pay_day = month.first_day + np.minimum(economy.pay_day, month.days - 1)
    salaried = np.flatnonzero(is_paid & (economy.job == Job.SALARIED) & ~economy.is_jobless)
    salary = economy.pay[salaried] * _extra(draws, month, people.employer[salaried])
    employer = FIRST_PAYEE["employer"] + people.employer[salaried]
    book.add("salary", "transfer", salaried, pay_day[salaried], salary, employer)
    pensioners = np.flatnonzero(is_paid & (economy.job == Job.PENSIONER))
    state = FIRST_PAYEE["state"]
    book.add("pension", "transfer", pensioners, month.end_day - 1, economy.pay[pensioners], state)
    jobless = np.flatnonzero(is_paid & economy.is_jobless)
    benefit = economy.pay[jobless] * BENEFIT_SHARE
    book.add("benefit", "transfer", jobless, month.first_day + 4, benefit, state + 1)
    parents = np.flatnonzero(is_paid & (economy.children > 0))
    child_benefit = CHILD_BENEFIT * economy.children[parents]
    book.add("child_benefit", "transfer", parents, month.first_day + 9, child_benefit, state + 1)
    _book_irregular(draws, month, people, economy, payers, book)


def _book_irregular(
    draws: Draws, month: Month, people: People, economy: Economy, payers: Bools, book: Bookings
) -> None:
    """The self-employed, and those who are paid elsewhere and send some of it here."""
    ids = people.ids
    amount = np.exp(0.4 * draws.normal("irregular", month.index, ids)) * economy.pay
    day = month.first_day + draws.integer("irregular day", month.index, ids, month.days)
    is_self_employed = economy.job == Job.SELF_EMPLOYED
    earned = np.flatnonzero(payers & economy.is_paid_here & is_self_employed)
    book.add("self_employment", "transfer", earned, day[earned], amount[earned])
    has_sent = draws.chance("sends", month.index, ids, 0.6)
    sent = np.flatnonzero(payers & ~economy.is_paid_here & has_sent)
    payee = FIRST_PAYEE["other_bank"] + ids[sent] % len(PAYEES["other_bank"])
    book.add("transfer", "transfer", sent, day[sent], amount[sent] * 0.6, payee)


def book_bills(  # noqa: PLR0913 - all that a bill depends on
    draws: Draws,
    month: Month,
    people: People,
    economy: Economy,
    own_instalment: Floats,
    payers: Bools,
    book: Bookings,
) -> None:
    """Rent, utilities, subscriptions, premiums and instalments, here and elsewhere."""
    elsewhere = np.where(is_owing(economy, month), economy.instalment, 0.0)
    utilities = economy.utilities * SEASON[month.of_year - 1]
    bills: tuple[tuple[str, str, str | None, int, Floats], ...] = (
        ("rent", "standing_order", "landlord", 0, economy.rent),
        ("utilities", "direct_debit", "utility", 9, utilities),
        ("subscription", "direct_debit", "media", 4, economy.subscription),
        ("insurance", "direct_debit", "insurer", 2, economy.premium),
        ("loan_payment", "direct_debit", "lender", 3, elsewhere),
        ("loan_instalment", "internal", None, 1, own_instalment),
    )
    for category, channel, group, offset, euros in bills:
        who = np.flatnonzero(payers & (euros > 0))
        payee = _payee(draws, people.ids[who], group)
        day = month.first_day + offset + people.ids[who] % 3
        book.add(category, channel, who, day, -euros[who], payee)


def _payee(draws: Draws, ids: Ints, group: str | None) -> Ints | int:
    """The one of a group of payees to whom a customer always pays."""
    if group is None:
        return -1
    size = LANDLORDS if group == "landlord" else len(PAYEES[group])
    return FIRST_PAYEE[group] + draws.integer(f"payee {group}", ALWAYS, ids, size)


def _extra(draws: Draws, month: Month, employer: Ints) -> Floats:
    """Two salaries in December from employers that pay a thirteenth."""
    pays_more = draws.chance("thirteenth", ALWAYS, employer, THIRTEENTH)
    return np.where(pays_more & (month.of_year == DECEMBER), 2.0, 1.0)
