"""The raw files of the Berka bank as plain rows: what stands in them, nothing decided yet."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq

from tables.errors import UserError

TABLES = ("account", "card", "client", "disp", "district", "loan")
TRANSACTIONS = "trans_partial.parquet"
# Every transaction of every account up to this day; the other slice holds only accounts that later
# took a loan, so that being in it would give away the outcome.
SLICE = "cov_all_accounts_window"
SLICE_ENDS = date(1994, 3, 30)
CENTURY = 1900
WOMEN_ADD = 50
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Owner:
    """The owner of an account; the bank knows one account per client."""

    client_id: str
    birth_date: date
    gender: str


@dataclass(frozen=True)
class Account:
    """An account with its branch and owner."""

    account_id: str
    district_id: str
    opened_on: date
    owner: Owner


@dataclass(frozen=True)
class Loan:
    """A loan, at most one per account."""

    loan_id: str
    account_id: str
    granted_on: date


@dataclass(frozen=True)
class Card:
    """A card of an account's owner, at most one."""

    card_id: str
    account_id: str
    kind: str
    issued_on: date


@dataclass(frozen=True)
class Booking:
    """A transaction; the sign of ``amount`` is in ``kind``."""

    trans_id: int
    account_id: str
    booked_on: date
    kind: str
    operation: str | None
    amount: Decimal
    balance: Decimal
    symbol: str | None
    partner: str | None


@dataclass(frozen=True)
class BerkaFiles:
    """Everything that is read."""

    districts: dict[str, tuple[str, str]]
    accounts: dict[str, Account]
    loans: list[Loan]
    cards: list[Card]
    bookings: list[Booking]


def read_berka(data: Path) -> BerkaFiles:
    """Read the accounts that the complete slice covers, and what belongs to them.

    Raises:
        UserError: A file is missing.
    """
    names = [f"{table}.asc.gz" for table in TABLES] + [TRANSACTIONS]
    missing = [name for name in names if not (data / name).is_file()]
    if missing:
        raise UserError(
            f"{data} lacks {', '.join(missing)}. Say where the Berka files are: make berka DATA=…"
        )
    accounts = {
        account.account_id: account
        for account in _accounts(data)
        if account.opened_on <= SLICE_ENDS
    }
    return BerkaFiles(
        districts={row["A1"]: (row["A2"], row["A3"]) for row in _rows(data, "district")},
        accounts=accounts,
        loans=[loan for loan in _loans(data) if loan.account_id in accounts],
        cards=[card for card in _cards(data) if card.account_id in accounts],
        bookings=_bookings(data),
    )


def raw_date(text: str) -> date:
    """``YYMMDD``, which a time may follow; all years are of the twentieth century."""
    return date(CENTURY + int(text[:2]), int(text[2:4]), int(text[4:6]))


def birth(number: str) -> tuple[date, str]:
    """Birth date and gender of a birth number: women have 50 added to the month."""
    month = int(number[2:4])
    is_woman = month > WOMEN_ADD
    day = date(
        CENTURY + int(number[:2]), month - WOMEN_ADD if is_woman else month, int(number[4:6])
    )
    return day, "f" if is_woman else "m"


def _rows(data: Path, table: str) -> list[dict[str, str]]:
    with gzip.open(data / f"{table}.asc.gz", "rt", encoding="ascii", newline="") as text:
        return list(csv.DictReader(text, delimiter=";", quotechar='"'))


def _accounts(data: Path) -> list[Account]:
    clients = {row["client_id"]: row["birth_number"] for row in _rows(data, "client")}
    owners = {
        row["account_id"]: Owner(row["client_id"], *birth(clients[row["client_id"]]))
        for row in _rows(data, "disp")
        if row["type"] == "OWNER"
    }
    return [
        Account(
            row["account_id"], row["district_id"], raw_date(row["date"]), owners[row["account_id"]]
        )
        for row in _rows(data, "account")
    ]


def _loans(data: Path) -> list[Loan]:
    return [
        Loan(row["loan_id"], row["account_id"], raw_date(row["date"]))
        for row in _rows(data, "loan")
    ]


def _cards(data: Path) -> list[Card]:
    accounts = {row["disp_id"]: row["account_id"] for row in _rows(data, "disp")}
    return [
        Card(row["card_id"], accounts[row["disp_id"]], row["type"], raw_date(row["issued"]))
        for row in _rows(data, "card")
    ]


def _bookings(data: Path) -> list[Booking]:
    rows = pq.read_table(data / TRANSACTIONS, filters=[(SLICE, "=", True)]).to_pylist()
    return [_booking(row) for row in sorted(rows, key=lambda row: row["trans_id"])]


def _booking(row: dict[str, object]) -> Booking:
    booked_on = row["date"]
    assert isinstance(booked_on, date)
    bank, account = _text(row["bank"]), _text(row["account"])
    return Booking(
        trans_id=int(str(row["trans_id"])),
        account_id=str(row["account_id"]),
        booked_on=booked_on,
        kind=str(row["type"]),
        operation=_text(row["operation"]),
        amount=_money(row["amount"]),
        balance=_money(row["balance"]),
        symbol=_text(row["k_symbol"]),
        partner=f"{bank}-{account}" if bank and account else None,
    )


def _text(value: object) -> str | None:
    """No text and a single space both mean that nothing was said."""
    return str(value).strip() or None if value is not None else None


def _money(value: object) -> Decimal:
    # The file holds doubles, whose shortest notation is what the bank wrote.
    return Decimal(repr(value)).quantize(CENT)
