"""Money that comes in, and money that is owed every month."""

from __future__ import annotations

import numpy as np

from demo.bookings import Bookings
from demo.draws import ALWAYS, Bools, Floats, Ints
from demo.economy import FOREIGN, SAVINGS, Economy, Job
from demo.moment import Moment
from demo.vocabulary import FIRST_PAYEE, NOBODY, PAYEES

THIRTEENTH = 0.3  # share of employers that pay a thirteenth salary in December
DECEMBER = 12
BENEFIT_SHARE = 0.55
CHILD_BENEFIT = 130.0
IRREGULAR_SPREAD = 0.4
SENDS, SENT_SHARE = 0.6, 0.6  # of pay that goes to another bank
INTEREST_EVERY, INTEREST_RATE = 6, 0.005
# Customers with nothing but a savings account: some save every month, others now and then.
SAVES_REGULARLY, REGULAR, IRREGULAR = 0.45, 0.9, 0.2
DEPOSIT_SHARE, DEPOSIT_SPREAD = 0.12, 0.8
TAKES, TAKEN_SHARE = 0.12, 0.3
EARNS_ABROAD, EARNED_ABROAD = 0.3, 60.0
# January … December: heating and light
SEASON = np.array([1.45, 1.4, 1.2, 1.0, 0.85, 0.75, 0.7, 0.7, 0.8, 1.0, 1.2, 1.4])


def book_income(moment: Moment, economy: Economy, payers: Bools, book: Bookings) -> None:
    """Salaries, pensions and benefits of those who have their money paid into this bank."""
    month, is_paid = moment.month, payers & economy.is_paid_here
    pay_day = month.first_day + np.minimum(economy.pay_day, month.days - 1)
    salaried = np.flatnonzero(is_paid & (economy.job == Job.SALARIED) & ~economy.is_jobless)
    employer = moment.people.employer[salaried]
    salary = economy.pay[salaried] * _salaries(moment, employer)
    payee = FIRST_PAYEE["employer"] + employer
    book.add("salary", "transfer", salaried, pay_day[salaried], salary, payee=payee)
    pensioners = np.flatnonzero(is_paid & (economy.job == Job.PENSIONER))
    pension, state = economy.pay[pensioners], FIRST_PAYEE["state"]
    book.add("pension", "transfer", pensioners, month.end_day - 1, pension, payee=state)
    jobless = np.flatnonzero(is_paid & economy.is_jobless)
    benefit = economy.pay[jobless] * BENEFIT_SHARE
    book.add("benefit", "transfer", jobless, month.first_day + 4, benefit, payee=state + 1)
    parents = np.flatnonzero(is_paid & (economy.children > 0))
    child_benefit = CHILD_BENEFIT * economy.children[parents]
    book.add(
        "child_benefit", "transfer", parents, month.first_day + 9, child_benefit, payee=state + 1
    )
    _book_irregular(moment, economy, payers, book)


def _book_irregular(moment: Moment, economy: Economy, payers: Bools, book: Bookings) -> None:
    """The self-employed, and those who are paid elsewhere and send some of it here."""
    amount = np.exp(IRREGULAR_SPREAD * moment.normal("irregular")) * economy.pay
    day = moment.day("irregular day")
    earns = payers & economy.is_paid_here & (economy.job == Job.SELF_EMPLOYED)
    earned = np.flatnonzero(earns)
    book.add("self_employment", "transfer", earned, day[earned], amount[earned])
    sent = np.flatnonzero(payers & ~economy.is_paid_here & moment.chance("sends", SENDS))
    payee = FIRST_PAYEE["other_bank"] + moment.ids(sent) % len(PAYEES["other_bank"])
    book.add("transfer", "transfer", sent, day[sent], amount[sent] * SENT_SHARE, payee=payee)


def book_bills(
    moment: Moment, economy: Economy, own_instalment: Floats, payers: Bools, book: Bookings
) -> None:
    """Rent, utilities, subscriptions, premiums and instalments, here and elsewhere."""
    month = moment.month
    elsewhere = np.where(economy.is_owing(month.end_day), economy.instalment, 0.0)
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
        day = month.first_day + offset + moment.ids(who) % 3
        book.add(category, channel, who, day, -euros[who], payee=_payee(moment, who, group))


def book_savings_only(moment: Moment, economy: Economy, savers: Bools, book: Bookings) -> None:
    """Deposits and withdrawals of those who have a savings account and no current account."""
    is_regular = moment.always("regular") < SAVES_REGULARLY
    size = np.exp(DEPOSIT_SPREAD * moment.normal("deposit") + economy.mood["buffer"])
    day = moment.day("deposit day")
    saves = savers & moment.chance("deposits", np.where(is_regular, REGULAR, IRREGULAR))
    who = np.flatnonzero(saves)
    deposit = DEPOSIT_SHARE * economy.pay[who] * size[who]
    book.add("transfer", "transfer", who, day[who], deposit, slot=SAVINGS)
    taking = np.flatnonzero(savers & ~saves & moment.chance("takes", TAKES))
    taken = TAKEN_SHARE * np.maximum(economy.balance[SAVINGS, taking], 0) / 100
    book.add("transfer", "transfer", taking, day[taking], -taken, slot=SAVINGS)


def book_foreign(moment: Moment, has_account: Bools, book: Bookings) -> None:
    """Credits in foreign currency, now and then."""
    who = np.flatnonzero(has_account & moment.chance("earns abroad", EARNS_ABROAD))
    amount = EARNED_ABROAD * np.exp(moment.normal("earned abroad", who))
    book.add("transfer", "transfer", who, moment.day("abroad day", who), amount, slot=FOREIGN)


def book_interest(moment: Moment, economy: Economy, savers: Bools, book: Bookings) -> None:
    """Twice a year; it also tells the balance of accounts on which nothing moves."""
    if moment.month.of_year % INTEREST_EVERY:
        return
    who = np.flatnonzero(savers)
    interest = np.maximum(economy.balance[SAVINGS, who], 0) / 100 * INTEREST_RATE
    book.add("interest", "internal", who, moment.month.end_day - 1, interest, slot=SAVINGS)


def _payee(moment: Moment, who: Ints, group: str | None) -> Ints | int:
    """The one of a group of payees to whom a customer always pays."""
    if group is None:
        return NOBODY
    drawn = moment.always(f"payee {group}", who) * len(PAYEES[group])
    return FIRST_PAYEE[group] + drawn.astype(np.int64)


def _salaries(moment: Moment, employer: Ints) -> Floats:
    """Two salaries in December from employers that pay a thirteenth."""
    pays_more = moment.draws.chance("thirteenth", ALWAYS, employer, THIRTEENTH)
    return np.where(pays_more & (moment.month.of_year == DECEMBER), 2.0, 1.0)
