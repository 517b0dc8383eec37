"""What customers buy, the blows and windfalls of life, and what they put aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.bookings import Bookings
from demo.draws import Bools, Floats, Ints, normal_bits, share_bits
from demo.economy import CURRENT, LEAST_PAY, MEDIAN_PAY, SAVINGS, Economy
from demo.moment import Moment
from demo.vocabulary import FIRST_PAYEE, MERCHANTS, NOBODY, PAYEES, TRANSACTION_CHANNEL

ORDINALS = 64  # purchases of one category by one customer in a month are fewer
SHOCK, WINDFALL, WITHDRAWAL = 0.014, 0.010, 0.03
PUTS_ASIDE, PART_ASIDE = 0.6, 0.85
SAVES_UP_TO = 2.0  # buffers; what comes on top goes to other banks
OVERDRAFT_MONTHS = 1.5  # of pay; beyond it somebody helps
FEE_SHARE, FREE_OVERDRAFT = 0.012, 100.0
HELPED_SHARE = 0.9
WORTH_MOVING = 50.0
KEPT = 1.15  # buffers that stay in the current account
REFILLED = 0.3  # of the buffer, from savings
WITHDRAWN = 0.5  # of the savings
SHOCK_MONTHS, WINDFALL_MONTHS, SURPRISE_SPREAD = 1.2, 4.0, 0.6
CARD_SPENDS = 1.3
SPENDS_BY_PAY = 0.7  # elasticity


@dataclass(frozen=True)
class Habit:
    """One category of spending.

    Attributes:
        rate: Purchases a month of a customer without particular tastes.
        euros: Typical amount at the median income.
        spread: Deviation of the log amount.
        season: Factor on the rate, January … December.
        online: How much of it digital customers do online.
    """

    rate: float
    euros: float
    spread: float
    season: tuple[float, ...] = (1.0,) * 12
    online: float = 0.5


TRAVEL_SEASON = (0.8, 0.9, 0.9, 1.0, 1.0, 1.3, 1.5, 1.3, 0.9, 0.8, 0.7, 1.0)
SHOP_SEASON = (0.9, 0.8, 0.9, 0.9, 1.0, 1.0, 0.9, 0.9, 1.0, 1.0, 1.3, 1.6)
HABITS = {
    "groceries": Habit(0.42, 190, 0.4, online=0.1),
    "dining": Habit(0.22, 70, 0.5, online=0.0),
    "shopping": Habit(0.34, 90, 0.7, SHOP_SEASON, online=0.9),
    "leisure": Habit(0.10, 90, 0.6, online=0.6),
    "fuel": Habit(0.42, 60, 0.3, online=0.0),
    "car": Habit(0.06, 240, 0.7, online=0.1),
    "travel": Habit(0.15, 260, 0.7, TRAVEL_SEASON, online=0.9),
    "health": Habit(0.07, 80, 0.7, online=0.2),
    "home": Habit(0.10, 220, 0.8, online=0.5),
    "cash": Habit(0.22, 330, 0.5, online=0.0),
}
SHOCK_CATEGORIES = ("home", "car", "health")


def book_spending(
    moment: Moment, economy: Economy, has_card: Bools, payers: Bools, book: Bookings
) -> None:
    """Purchases by category, more by those with a card, fewer by those without money."""
    temperament = moment.people.temperament
    strain = np.clip(0.6 + 0.4 * economy.balance[CURRENT] / 100 / (economy.pay + 1), 0.45, 1.25)
    level = np.exp(temperament.activity + economy.mood["activity"]) * strain * payers
    scale = (np.maximum(economy.pay, LEAST_PAY) / MEDIAN_PAY) ** SPENDS_BY_PAY
    tastes = _tastes(moment, economy, has_card)
    for category, habit in HABITS.items():
        rate = habit.rate * habit.season[moment.month.of_year - 1]
        counts = moment.draws.poisson(
            f"buy {category}",
            moment.month.index,
            moment.ids(),
            level * tastes.get(category, 1.0) * rate,
        )
        _book_purchases(moment, category, counts, scale, book)


def _book_purchases(
    moment: Moment, category: str, counts: Ints, scale: Floats, book: Bookings
) -> None:
    """So many purchases of each customer; one hash draws day, amount, channel and merchant."""
    habit = HABITS[category]
    who = np.repeat(np.arange(len(counts)), counts)
    ordinal = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
    numbers = moment.ids(who) * ORDINALS + ordinal
    words = moment.draws.words(f"bought {category}", moment.month.index, numbers)
    day = moment.month.first_day + (share_bits(words, 0) * moment.month.days).astype(np.int64)
    euros = habit.euros * scale[who] * np.exp(habit.spread * normal_bits(words, 16))
    online = share_bits(words, 32) < habit.online * moment.people.temperament.digital[who]
    payee = _merchant(category, share_bits(words, 48))
    book.add(category, _channel(category, online), who, day, -euros, payee=payee)


def _tastes(moment: Moment, economy: Economy, has_card: Bools) -> dict[str, Floats]:
    """Factor on the rate of purchases by category: lasting taste × mood of the time."""
    temper, mood = moment.people.temperament, economy.mood
    card = np.where(has_card, CARD_SPENDS, 1.0)
    return {
        "travel": np.exp(temper.traveller + mood["travel"] - 0.4) * card,
        "fuel": temper.has_car * np.exp(temper.driver * 0.6 + mood["car"] * 0.5 - 0.1),
        "car": temper.has_car * np.exp(temper.driver + mood["car"] - 0.3),
        "shopping": np.exp(temper.shopper + mood["shopping"] - 0.3) * card,
        "dining": card,
        "home": np.exp(temper.homemaker + mood["home"] - 0.4),
    }


def _merchant(category: str, share: Floats) -> Ints | int:
    """A few merchants get most of the business."""
    if category not in FIRST_PAYEE:
        return NOBODY
    return FIRST_PAYEE[category] + (share**2 * MERCHANTS).astype(np.int64)


def _channel(category: str, is_online: Bools) -> Ints:
    online, offline = ("branch", "atm") if category == "cash" else ("online", "card")
    return np.where(is_online, TRANSACTION_CHANNEL[online], TRANSACTION_CHANNEL[offline])


def book_surprises(moment: Moment, economy: Economy, payers: Bools, book: Bookings) -> None:
    """Large expenses and large credits, from one to some months of pay."""
    pay = np.maximum(economy.pay, LEAST_PAY)
    for category in SHOCK_CATEGORIES:
        share = payers * (SHOCK / len(SHOCK_CATEGORIES))
        who, day, size = _surprise(moment, f"shock {category}", share)
        payee = _merchant(category, moment.uniform(f"shock merchant {category}", who))
        book.add(category, "card", who, day, -pay[who] * SHOCK_MONTHS * size, payee=payee)
    who, day, size = _surprise(moment, "windfall", payers * WINDFALL)
    book.add("transfer", "transfer", who, day, pay[who] * WINDFALL_MONTHS * size)


def _surprise(moment: Moment, what: str, share: Floats) -> tuple[Ints, Ints, Floats]:
    """Whom it strikes, when, and how hard (1 is typical)."""
    who = np.flatnonzero(moment.chance(what, share))
    day = moment.day(f"{what} day", who, moment.month.days - 2)
    return who, day, np.exp(SURPRISE_SPREAD * moment.normal(f"{what} size", who))


def book_saving(
    moment: Moment, economy: Economy, savers: Bools, payers: Bools, book: Bookings
) -> None:
    """On the last days: what exceeds the buffer is put aside, a gap is filled from savings."""
    balance = (economy.balance[CURRENT] + book.change(len(payers))) / 100
    reserve = (economy.balance[SAVINGS] + book.change(len(payers), SAVINGS)) / 100
    buffer = economy.buffer
    above = np.where(balance > KEPT * buffer + WORTH_MOVING, balance - KEPT * buffer, 0)
    moves = payers & (above > 0) & moment.chance("puts aside", PUTS_ASIDE)
    keeps = moves & savers & (reserve < SAVES_UP_TO * buffer)
    _between_own(book, np.flatnonzero(keeps), moment.month.end_day - 2, PART_ASIDE * above[keeps])
    away = np.flatnonzero(moves & ~keeps)
    payee = FIRST_PAYEE["other_bank"] + moment.ids(away) % len(PAYEES["other_bank"])
    day = moment.month.end_day - 2
    book.add("transfer", "app", away, day, -PART_ASIDE * above[away], payee=payee)
    gap = np.maximum(REFILLED * buffer - balance, 0)
    withdraws = moment.chance("withdraws", WITHDRAWAL)
    back = np.minimum(np.where(withdraws, WITHDRAWN * reserve, gap), reserve)
    back = np.where(payers & savers & (back > WORTH_MOVING), back, 0)
    taken = np.flatnonzero(back)
    _between_own(book, taken, moment.month.end_day - 1, -back[taken])
    _book_help(moment, economy, np.where(payers, balance + back, 0), book)


def _between_own(book: Bookings, who: Ints, day: int, euros: Floats) -> None:
    """From the current to the savings account; negative: back."""
    book.add("savings", "app", who, day, -euros)
    book.add("savings", "internal", who, day, euros, slot=SAVINGS)


def _book_help(moment: Moment, economy: Economy, balance: Floats, book: Bookings) -> None:
    """A fee for the overdraft; beyond the limit family steps in."""
    day = moment.month.end_day - 1
    overdrawn = np.flatnonzero(balance < -FREE_OVERDRAFT)
    book.add("fees", "internal", overdrawn, day, balance[overdrawn] * FEE_SHARE)
    beyond = np.flatnonzero(balance < -OVERDRAFT_MONTHS * np.maximum(economy.pay, LEAST_PAY))
    book.add("transfer", "transfer", beyond, day, -balance[beyond] * HELPED_SHARE)
