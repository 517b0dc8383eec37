"""What customers buy, the blows and windfalls of life, and what they put aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.bookings import Bookings
from demo.draws import Bools, Draws, Floats, Ints, normal_bits, share_bits
from demo.economy import CURRENT, SAVINGS, Economy
from demo.months import Month
from demo.people import People
from demo.vocabulary import FIRST_PAYEE, MERCHANTS, TRANSACTION_CHANNEL

LEAST_PAY = 700.0
ORDINALS = 64  # purchases of one category by one customer in a month are fewer
SHOCK, WINDFALL, WITHDRAWAL = 0.014, 0.010, 0.03
PUTS_ASIDE, PART_ASIDE = 0.6, 0.85
SAVES_UP_TO = 2.0  # buffers; what comes on top goes to other banks
OVERDRAFT_MONTHS = 1.5  # of pay; beyond it somebody helps
FEE_SHARE = 0.012


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


def book_spending(  # noqa: PLR0913 - all that spending depends on
    draws: Draws,
    month: Month,
    people: People,
    economy: Economy,
    has_card: Bools,
    payers: Bools,
    book: Bookings,
) -> None:
    """Purchases by category, more by those with a card, fewer by those without money."""
    strain = np.clip(0.6 + 0.4 * economy.balance[CURRENT] / 100 / (economy.pay + 1), 0.45, 1.25)
    tastes = _tastes(people, economy, has_card)
    level = np.exp(people.temperament.activity + economy.mood["activity"]) * strain * payers
    scale = (np.maximum(economy.pay, LEAST_PAY) / 2_150) ** 0.7
    for category, habit in HABITS.items():
        rate = level * tastes.get(category, 1.0) * habit.rate * habit.season[month.of_year - 1]
        counts = draws.poisson(f"buy {category}", month.index, people.ids, rate)
        who = np.repeat(np.arange(len(people)), counts)
        ordinal = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
        words = draws.words(f"buy {category}", month.index, people.ids[who] * ORDINALS + ordinal)
        day = month.first_day + (share_bits(words, 0) * month.days).astype(np.int64)
        euros = habit.euros * scale[who] * np.exp(habit.spread * normal_bits(words, 16))
        online = share_bits(words, 32) < habit.online * people.temperament.digital[who]
        payee = _merchant(category, share_bits(words, 48))
        book.add(category, _channel(category, online), who, day, -euros, payee)


def _tastes(people: People, economy: Economy, has_card: Bools) -> dict[str, Floats]:
    """Factor on the rate of purchases by category: lasting taste × mood of the time."""
    temper, mood = people.temperament, economy.mood
    card = np.where(has_card, 1.3, 1.0)
    return {
        "travel": np.exp(temper.traveller + mood["travel"] - 0.4) * card,
        "fuel": temper.has_car * np.exp(temper.driver * 0.6 + mood["car"] * 0.5 - 0.1),
        "car": temper.has_car * np.exp(temper.driver + mood["car"] - 0.3),
        "shopping": np.exp(temper.shopper + mood["shopping"] - 0.3) * card,
        "dining": card,
        "home": np.exp(temper.homemaker + mood["home"] - 0.4),
    }


def _merchant(category: str, share: Floats) -> Ints | int:
    if category not in FIRST_PAYEE:
        return -1
    return FIRST_PAYEE[category] + (share**2 * MERCHANTS).astype(np.int64)


def _channel(category: str, is_online: Bools) -> Ints:
    if category == "cash":
        return np.where(is_online, TRANSACTION_CHANNEL["branch"], TRANSACTION_CHANNEL["atm"])
    return np.where(is_online, TRANSACTION_CHANNEL["online"], TRANSACTION_CHANNEL["card"])


def book_surprises(
    draws: Draws, month: Month, people: People, economy: Economy, payers: Bools, book: Bookings
) -> None:
    """Large expenses and large credits, from one to some months of pay."""
    for category in SHOCK_CATEGORIES:
        share = SHOCK / len(SHOCK_CATEGORIES)
        who, day, size = _surprise(draws, f"shock {category}", month, people, payers * share)
        euros = np.maximum(economy.pay[who], LEAST_PAY) * 1.2 * size
        payee = _merchant(category, np.full(len(who), 0.1))
        book.add(category, "card", who, day, -euros, payee)
    who, day, size = _surprise(draws, "windfall", month, people, payers * WINDFALL)
    book.add("transfer", "transfer", who, day, np.maximum(economy.pay[who], LEAST_PAY) * 4 * size)


def _surprise(
    draws: Draws, what: str, month: Month, people: People, share: Floats
) -> tuple[Ints, Ints, Floats]:
    """Whom it strikes, when, and how hard (1 is typical)."""
    who = np.flatnonzero(draws.chance(what, month.index, people.ids, share))
    words = draws.words(f"{what} size", month.index, people.ids[who])
    day = month.first_day + (share_bits(words, 0) * (month.days - 2)).astype(np.int64)
    return who, day, np.exp(0.6 * normal_bits(words, 16))


def book_saving(  # noqa: PLR0913 - all that saving depends on
    draws: Draws,
    month: Month,
    people: People,
    economy: Economy,
    savers: Bools,
    payers: Bools,
    book: Bookings,
) -> None:
    """On the last days: what is above the buffer is put aside here or elsewhere; a gap is filled from savings."""
    balance = (economy.balance[CURRENT] + book.change(len(people))) / 100
    reserve = (economy.balance[SAVINGS] + book.change(len(people), SAVINGS)) / 100
    above = balance - 1.15 * economy.buffer
    moves = payers & draws.chance("puts aside", month.index, people.ids, PUTS_ASIDE) & (above > 50)
    keeps = moves & savers & (reserve < SAVES_UP_TO * economy.buffer)
    day = month.end_day - 2
    _between_own(book, np.flatnonzero(keeps), day, PART_ASIDE * above[keeps])
    away = np.flatnonzero(moves & ~keeps)
    payee = FIRST_PAYEE["other_bank"] + people.ids[away] % 15
    book.add("transfer", "app", away, day, -PART_ASIDE * above[away], payee)
    gap = np.maximum(0.3 * economy.buffer - balance, 0) * payers * savers
    draws_out = draws.chance("withdraws", month.index, people.ids, WITHDRAWAL)
    back = np.minimum(np.where(draws_out, 0.5 * reserve, gap), reserve) * payers * savers
    taken = np.flatnonzero(back > 20)
    _between_own(book, taken, month.end_day - 1, -back[taken])
    _book_help(economy, month, balance + back, payers, book)


def _between_own(book: Bookings, who: Ints, day: int, euros: Floats) -> None:
    """From the current to the savings account; negative: back."""
    book.add("savings", "app", who, day, -euros)
    book.add("savings", "internal", who, day, euros, slot=SAVINGS)


def _book_help(
    economy: Economy, month: Month, balance: Floats, payers: Bools, book: Bookings
) -> None:
    """A fee for the overdraft; beyond the limit family steps in."""
    overdrawn = np.flatnonzero(payers & (balance < -100))
    book.add("fees", "internal", overdrawn, month.end_day - 1, balance[overdrawn] * FEE_SHARE)
    pay = np.maximum(economy.pay, LEAST_PAY)
    beyond = np.flatnonzero(payers & (balance < -OVERDRAFT_MONTHS * pay))
    book.add("transfer", "transfer", beyond, month.end_day - 1, -balance[beyond] * 0.9)
