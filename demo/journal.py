"""Bookings as the bank's systems recorded them: in the evening, a few up to twenty days late."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from demo.bookings import Booked
from demo.columns import coded, dates, instants, money, texts
from demo.draws import Bools, Draws, Ints, Words, share_bits
from demo.months import DAY_MICROSECONDS, EVENING, SECOND_MICROSECONDS, Month
from demo.people import NO_ONE, People
from demo.portfolio import Portfolio
from demo.vocabulary import CATEGORIES, COUNTERPARTIES, CURRENCIES, TRANSACTION_CHANNELS

LATE, LATEST_DAYS = 0.005, 20
NO_CATEGORY, NO_BALANCE = 0.004, 0.003
MOST_A_MONTH = 1000  # bookings of one customer
ID = 7

Rows = dict[str, Ints]


class Journal:
    """Turns bookings into deliveries; what is recorded after a month waits for the next."""

    def __init__(self, draws: Draws, people: People) -> None:
        self._draws = draws
        self._people = people
        self._waiting: Rows | None = None

    def deliver(
        self, month: Month, booked: Booked, portfolio: Portfolio, account_ids: pa.Array
    ) -> pa.Table:
        """Increment: what was recorded in the month, late bookings of earlier months first."""
        rows = self._rows(month, booked, portfolio)
        is_late = rows["recorded"] >= month.end_day * DAY_MICROSECONDS
        in_time, late = np.flatnonzero(~is_late), np.flatnonzero(is_late)
        parts = [] if self._waiting is None else [self._waiting]
        parts.append({name: column.take(in_time) for name, column in rows.items()})
        self._waiting = {name: column.take(late) for name, column in rows.items()}
        now = {name: np.concatenate([part[name] for part in parts]) for name in rows}
        return _table(now, portfolio, account_ids)

    def _rows(self, month: Month, booked: Booked, portfolio: Portfolio) -> Rows:
        numbers = self._people.ids[booked.who]
        place = _place_within(booked.who)
        words = self._draws.words("entry", month.index, numbers * MOST_A_MONTH + place)
        no_category = share_bits(words, 20) < NO_CATEGORY
        return {
            "number": numbers,
            "month": np.full(len(place), month.index),
            "place": place,
            "account": portfolio.last_account[booked.slot, booked.who],
            "day": booked.day,
            "cents": booked.cents,
            "balance": booked.balance,
            "no_balance": (share_bits(words, 48) < NO_BALANCE).astype(np.int64),
            "category": np.where(no_category, NO_ONE, booked.category),
            "channel": booked.channel,
            "payee": booked.payee,
            "recorded": _recorded(booked.day, place, words),
        }


def _table(rows: Rows, portfolio: Portfolio, account_ids: pa.Array) -> pa.Table:
    currency = portfolio.accounts["currency"][rows["account"]]
    return pa.table(
        {
            "transaction_id": texts(
                "T", (rows["number"], ID), (rows["month"], 3), (rows["place"], 3)
            ),
            "account_id": coded(rows["account"], account_ids),
            "booked_on": dates(rows["day"]),
            "amount": money(rows["cents"]),
            "currency": coded(currency, CURRENCIES),
            "balance_after": money(rows["balance"], rows["no_balance"].astype(np.bool_)),
            "category": coded(rows["category"], CATEGORIES),
            "channel": coded(rows["channel"], TRANSACTION_CHANNELS),
            "counterparty_id": coded(rows["payee"], COUNTERPARTIES),
            "recorded_at": instants(rows["recorded"]),
        }
    )


def _recorded(days: Ints, place: Ints, words: Words) -> Ints:
    """The evening of the booking, in their order; days later for a few."""
    is_late: Bools = share_bits(words, 0) < LATE
    delay = np.where(is_late, 1 + (share_bits(words, 32) * LATEST_DAYS).astype(np.int64), 0)
    return (days + delay) * DAY_MICROSECONDS + EVENING + place * SECOND_MICROSECONDS


def _place_within(who: Ints) -> Ints:
    """0, 1, 2 … within each customer's run of rows."""
    is_first = np.ones(len(who), dtype=np.bool_)
    is_first[1:] = who[1:] != who[:-1]
    starts = np.flatnonzero(is_first)
    return np.arange(len(who)) - np.repeat(starts, np.diff(np.append(starts, len(who))))
