"""What customers earn, owe regularly and keep: the state from which a month's bookings are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.moment import Moment
from demo.people import NO_ONE, People

MEDIAN_PAY = 2_350.0
LEAST_PAY = 700.0  # what somebody without much income lives on
SLOTS = 3  # accounts of a customer: current, savings, foreign currency
CURRENT, SAVINGS, FOREIGN = range(SLOTS)
MOOD_KEEPS = 0.88  # monthly; a mood fades within about eight months
MOOD_SPREAD = {
    "travel": 0.7, "car": 0.6, "shopping": 0.5, "home": 0.7, "buffer": 0.5, "activity": 0.2,
}  # fmt: skip
PAID_HERE = 0.86
PAY_DAYS = np.array([0, 1, 2, 14, 24, 25, 26, 27])
ADULT, CAREER_YEARS, RETIRED = 21, 25, 65
PARENTS_FROM, PARENTS_TO = 25, 45
# How many adults and how many of the young pay it; the young live with their parents.
RENTS, USES, OWES, IS_INSURED = (0.42, 0.1), (0.42, 0.1), (0.13, 0.02), (0.28, 0.05)
SUBSCRIBES = 0.2
BILL_CHANGES, BORROWS, BORROWED_DAYS = 0.006, 0.004, 900
BUFFER_MONTHS = (0.05, 30)  # least and most


class Job(IntEnum):
    """Where income comes from."""

    NONE = 0
    SALARIED = 1
    PENSIONER = 2
    SELF_EMPLOYED = 3


PAY_SHARE = np.array([0.25, 1.0, 0.62, 1.1])  # pay by job, as a share of a salary


@dataclass
class Economy:
    """Euros are floats here; bookings and balances are integer cents."""

    job: Ints
    pay: Floats  # net pay of a month
    pay_day: Ints  # days after the first
    is_jobless: Bools
    is_paid_here: Bools
    rent: Floats
    utilities: Floats
    subscription: Floats
    premium: Floats  # to an insurer elsewhere
    instalment: Floats  # to a lender elsewhere
    instalment_end: Ints
    children: Ints
    buffer_months: Floats
    mood: dict[str, Floats]
    balance: Ints  # cents by slot and customer

    @property
    def buffer(self) -> Floats:
        """Euros that a customer likes to have in the current account."""
        return self.buffer_months * np.exp(self.mood["buffer"]) * np.maximum(self.pay, LEAST_PAY)

    def is_owing(self, end_day: int) -> Bools:
        """Still pays instalments elsewhere."""
        return (self.instalment > 0) & (self.instalment_end >= end_day)


def found(draws: Draws, people: People, first_day: int) -> Economy:
    """The state on the first day of the warm-up."""
    ids, temperament = people.ids, people.temperament
    age = people.age(first_day)
    job = _job(draws, ids, age)
    is_adult = age > ADULT
    career = 0.75 + 0.35 * np.clip((age - ADULT) / CAREER_YEARS, 0, 1)
    pay = MEDIAN_PAY * career * np.exp(temperament.earning) * PAY_SHARE[job]

    def some(purpose: str, shares: tuple[float, float], amount: Floats) -> Floats:
        pays = draws.chance(purpose, ALWAYS, ids, np.where(is_adult, *shares))
        return np.where(pays, amount, 0.0)

    is_parent = (age > PARENTS_FROM) & (age < PARENTS_TO)
    economy = Economy(
        job=job,
        pay=pay,
        pay_day=PAY_DAYS[draws.integer("pay day", ALWAYS, ids, len(PAY_DAYS))],
        is_jobless=np.zeros(len(ids), dtype=np.bool_),
        is_paid_here=draws.chance("paid here", ALWAYS, ids, PAID_HERE),
        rent=some("rents", RENTS, pay * 0.27 + 180),
        utilities=some("utilities", USES, pay * 0.03 + 60),
        subscription=some(
            "subscribes", (SUBSCRIBES, SUBSCRIBES), 9 + 20 * draws.always("fee", ids)
        ),
        premium=some("insured", IS_INSURED, _premium(pay)),
        instalment=some("owes", OWES, _instalment(pay)),
        instalment_end=first_day + draws.integer("owes until", ALWAYS, ids, 2_000),
        children=(draws.chance("child", ALWAYS, ids, 0.1) & is_parent).astype(np.int64),
        buffer_months=np.exp(temperament.thrift).clip(*BUFFER_MONTHS),
        mood={
            name: spread * draws.normal(f"mood {name}", ALWAYS, ids)
            for name, spread in MOOD_SPREAD.items()
        },
        balance=np.zeros((SLOTS, len(ids)), dtype=np.int64),
    )
    people.employer[(job != Job.SALARIED) | ~economy.is_paid_here] = NO_ONE
    return economy


def drift(moment: Moment, economy: Economy) -> None:
    """Moods change slowly; some find or lose a competitor's insurance or loan."""
    news = np.sqrt(1 - MOOD_KEEPS**2)
    for name, spread in MOOD_SPREAD.items():
        economy.mood[name] *= MOOD_KEEPS
        economy.mood[name] += news * spread * moment.normal(f"mood {name}")
    _change(moment, "insured", economy.premium, _premium(economy.pay))
    _change(moment, "subscribes", economy.subscription, 9 + economy.pay * 0.004)
    is_free = ~economy.is_owing(moment.month.end_day)
    borrows = is_free & moment.chance("owes", BORROWS)
    economy.instalment[borrows] = _instalment(economy.pay[borrows])
    economy.instalment_end[borrows] = moment.month.first_day + BORROWED_DAYS


def _premium(pay: Floats) -> Floats:
    return 18 + pay * 0.012


def _instalment(pay: Floats) -> Floats:
    return 60 + pay * 0.07


def _job(draws: Draws, ids: Ints, age: Floats) -> Ints:
    drawn = draws.always("job", ids)
    middle = np.array([Job.SALARIED, Job.SELF_EMPLOYED, Job.NONE])[np.digitize(drawn, [0.85, 0.92])]
    young = np.array([Job.SALARIED, Job.NONE])[np.digitize(drawn, [0.35])]
    old = np.array([Job.PENSIONER, Job.NONE])[np.digitize(drawn, [0.94])]
    return np.select([age < ADULT, age >= RETIRED], [young, old], middle).astype(np.int64)


def _change(moment: Moment, purpose: str, amounts: Floats, anew: Floats) -> None:
    """A few begin to pay, a few stop."""
    changes = moment.chance(purpose, BILL_CHANGES)
    amounts[changes] = np.where(amounts[changes] > 0, 0.0, anew[changes])
