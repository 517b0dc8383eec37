"""A month's bookings of a chunk: collected, put in order, balances drawn forward."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from demo.draws import Bools, Floats, Ints
from demo.economy import CURRENT, SLOTS
from demo.vocabulary import CATEGORY, NOBODY, TRANSACTION_CHANNEL

DAYS_IN_KEY = 32
FIELDS = ("who", "slot", "day", "cents", "category", "channel", "payee")


@dataclass(frozen=True)
class Booked:
    """Bookings in order of customer, account and day.

    Attributes:
        who: Place of the customer.
        slot: Which of the customer's accounts.
        day: Day of the booking.
        cents: Credit > 0, debit < 0.
        balance: Cents after the booking.
        category, channel, payee: Codes of `demo.vocabulary`.
    """

    who: Ints
    slot: Ints
    day: Ints
    cents: Ints
    balance: Ints
    category: Ints
    channel: Ints
    payee: Ints


@dataclass
class Bookings:
    """Collects what is booked in a month."""

    _parts: list[dict[str, Ints]] = field(default_factory=list)

    def add(
        self,
        category: str,
        channel: str | Ints,
        who: Ints,
        day: Ints | int,
        euros: Floats,
        *,
        payee: Ints | int = NOBODY,
        slot: int = CURRENT,
    ) -> None:
        """Book ``euros`` (credit > 0) for the customers at ``who``; nothing where it is zero."""
        cents = np.rint(euros * 100).astype(np.int64)
        code = TRANSACTION_CHANNEL[channel] if isinstance(channel, str) else channel
        is_booked = cents != 0
        values = (slot, day, cents, CATEGORY[category], code, payee)
        part = {
            name: _filled(value, is_booked) for name, value in zip(FIELDS[1:], values, strict=True)
        }
        self._parts.append({"who": who[is_booked]} | part)

    def change(self, customers: int, slot: int = CURRENT) -> Ints:
        """Cents by which balances of an account have moved so far."""
        total = np.zeros(customers)
        for part in self._parts:
            mine = part["slot"] == slot
            total += np.bincount(part["who"][mine], part["cents"][mine], minlength=customers)
        return np.rint(total).astype(np.int64)

    def close(self, balance: Ints) -> Booked:
        """Put the bookings in order and draw ``balance`` (slot × customer) forward."""
        rows = {name: np.concatenate([part[name] for part in self._parts]) for name in FIELDS}
        account = rows["who"] * SLOTS + rows["slot"]
        day = rows["day"] - rows["day"].min(initial=0) if len(account) else rows["day"]
        order = np.argsort(account * DAYS_IN_KEY + day, kind="stable")
        rows = {name: column[order] for name, column in rows.items()}
        after = _running(account[order], rows["cents"], balance)
        return Booked(balance=after, **rows)


def _filled(value: Ints | int, chosen: Bools) -> Ints:
    """The chosen rows of a column that may be given as a single value."""
    if isinstance(value, np.ndarray):
        return value[chosen].astype(np.int64, copy=False)
    return np.full(int(chosen.sum()), value, dtype=np.int64)


def _running(account: Ints, cents: Ints, balance: Ints) -> Ints:
    """Balance after each booking of accounts that lie together; ``balance`` gets the last."""
    if not len(account):
        return cents
    is_first = np.empty(len(account), dtype=np.bool_)
    is_first[0] = True
    is_first[1:] = account[1:] != account[:-1]
    starts = np.flatnonzero(is_first)
    who, slot = account[starts] // SLOTS, account[starts] % SLOTS
    total = np.cumsum(cents)
    before = total[starts] - cents[starts]
    group: NDArray[np.int64] = np.cumsum(is_first) - 1
    after = total + (balance[slot, who] - before)[group]
    balance[slot, who] = after[np.append(starts[1:], len(account)) - 1]
    return after
