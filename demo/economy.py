"""What customers earn, owe regularly and keep: the state from which a month's bookings are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.months import NEVER, Month
from demo.people import NO_ONE, People

MEDIAN_PAY = 2_350.0
SLOTS = 3  # accounts of a customer: current, savings, foreign currency
CURRENT, SAVINGS, FOREIGN = range(SLOTS)
MOODS = ("travel", "car", "shopping", "home", "buffer", "activity")
MOOD_KEEPS = 0.88  # monthly; a mood fades within about eight months
MOOD_SPREAD = {"travel": 0.7, "car": 0.6, "shopping": 0.5, "home": 0.7, "buffer": 0.5, "activity": 0.2}


class Job(IntEnum):
    """Where income comes from."""

    NONE = 0
    SALARIED = 1
    PENSIONER = 2
    SELF_EMPLOYED = 3


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
    mood: dict[str, Floats]
    balance: Ints  # cents by slot and customer

    @property
    def buffer(self) -> Floats:
        """Euros that a customer likes to have in the current account."""
        return self._buffer_months * np.exp(self.mood["buffer"]) * np.maximum(self.pay, 500)

    _buffer_months: Floats


def found(draws: Draws, people: People, month: Month) -> Economy:
    """The state on the first day of the warm-up."""
    ids, temperament = people.ids, people.temperament
    age = people.age(month.first_day)
    job = _job(draws, ids, age)
    people.employer[job != Job.SALARIED] = NO_ONE
    career = 0.75 + 0.35 * np.clip((age - 22) / 25, 0, 1)
    pay = MEDIAN_PAY * career * np.exp(temperament.earning) * _pay_share()[job]
    economy = Economy(
        job=job,
        pay=pay,
        pay_day=np.array([0, 1, 2, 14, 24, 25, 26, 27])[draws.integer("pay day", ALWAYS, ids, 8)],
        is_jobless=np.zeros(len(ids), dtype=np.bool_),
        is_paid_here=draws.chance("paid here", ALWAYS, ids, 0.86),
        rent=_if(draws, "rents", ids, np.where(age > 21, 0.42, 0.1), pay * 0.27 + 180),
        utilities=_if(draws, "utilities", ids, np.where(age > 21, 0.42, 0.1), pay * 0.03 + 60),
        subscription=_if(draws, "subscribes", ids, 0.2, 9 + 20 * draws.uniform("fee", ALWAYS, ids)),
        premium=_if(draws, "insured", ids, np.where(age > 21, 0.28, 0.05), 18 + pay * 0.012),
        instalment=_if(draws, "owes", ids, np.where(age > 21, 0.13, 0.02), 60 + pay * 0.07),
        instalment_end=month.first_day + draws.integer("owes until", ALWAYS, ids, 2000),
        children=draws.chance("child", ALWAYS, ids, 0.1 * ((age > 25) & (age < 45))).astype(np.int64),
        mood={name: MOOD_SPREAD[name] * draws.normal(f"mood {name}", ALWAYS, ids) for name in MOODS},
        balance=np.zeros((SLOTS, len(ids)), dtype=np.int64),
        _buffer_months=np.exp(temperament.thrift).clip(0.05, 30),
    )
    people.employer[~economy.is_paid_here] = NO_ONE
    return economy


def drift(draws: Draws, month: Month, people: People, economy: Economy) -> None:
    """Moods change slowly; some find or lose a competitor's insurance or loan."""
    ids = people.ids
    for name, mood in economy.mood.items():
        news = MOOD_SPREAD[name] * np.sqrt(1 - MOOD_KEEPS**2)
        mood *= MOOD_KEEPS
        mood += news * draws.normal(f"mood {name}", month.index, ids)
    _change(draws, month, "insured", ids, economy.premium, 18 + economy.pay * 0.012)
    _change(draws, month, "subscribes", ids, economy.subscription, 9 + economy.pay * 0.004)
    borrows = draws.chance("owes", month.index, ids, 0.004) & (economy.instalment_end < month.first_day)
    economy.instalment[borrows] = 60 + economy.pay[borrows] * 0.07
    economy.instalment_end[borrows] = month.first_day + 900


def is_owing(economy: Economy, month: Month) -> Bools:
    """Still pays instalments elsewhere."""
    return (economy.instalment > 0) & (economy.instalment_end < NEVER) & (
        economy.instalment_end >= month.end_day
    )


def _job(draws: Draws, ids: Ints, age: Floats) -> Ints:
    drawn = draws.uniform("job", ALWAYS, ids)
    working = np.select([drawn < 0.85, drawn < 0.92], [Job.SALARIED, Job.SELF_EMPLOYED], Job.NONE)
    young = np.where(drawn < 0.35, Job.SALARIED, Job.NONE)
    old = np.where(drawn < 0.94, Job.PENSIONER, Job.NONE)
    return np.select([age < 21, age >= 65], [young, old], working).astype(np.int64)


def _pay_share() -> Floats:
    """Pay by job, as a share of a salary."""
    return np.array([0.25, 1.0, 0.62, 1.1])


def _if(
    draws: Draws, purpose: str, ids: Ints, share: Floats | float, amount: Floats
) -> Floats:
    """An amount for some, nothing for the others."""
    return np.where(draws.chance(purpose, ALWAYS, ids, share), amount, 0.0)


def _change(
    draws: Draws, month: Month, purpose: str, ids: Ints, amounts: Floats, anew: Floats
) -> None:
    """A few begin to pay, a few stop."""
    changes = draws.chance(purpose, month.index, ids, 0.006)
    amounts[changes] = np.where(amounts[changes] > 0, 0.0, anew[changes])
