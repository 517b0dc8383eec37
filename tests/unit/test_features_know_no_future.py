"""Nothing recorded or happening on or after the as-of date changes any feature (DESIGN §2)."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from tables.categories import BookingChannel, Category
from tests.bank import (
    AS_OF,
    PRODUCTS,
    TABLES,
    Bank,
    Rows,
    known_before,
    midnight,
    snapshot,
)
from tests.drawn_bank import drawn

FEATURES = feature_catalogue(PRODUCTS)
NAMES = [feature.name for feature in FEATURES]
LATER = date(2024, 7, 1)
LONG_KNOWN = midnight(date(2024, 3, 1))
TOO_LATE = (midnight(AS_OF), midnight(AS_OF) + timedelta(days=20, hours=5))
END_DATES = {
    "customers": ("left_on", "deceased_on"),
    "accounts": ("closed_on",),
    "holdings": ("closed_on",),
}
Snapshots = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def snapshots(spark: SparkSession) -> Snapshots:
    """As of the date and three months later, with and without the poison."""
    clean = drawn(seed=7)
    poisoned = {name: rows + deepcopy(poison(clean)[name]) for name, rows in clean.items()}
    return {
        "clean": snapshot(spark, clean, FEATURES),
        "poisoned": snapshot(spark, poisoned, FEATURES),
        "clean later": snapshot(spark, clean, FEATURES, LATER),
        "poisoned later": snapshot(spark, poisoned, FEATURES, LATER),
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_future_changes_nothing(snapshots: Snapshots, name: str) -> None:
    assert values(snapshots["poisoned"], name) == values(snapshots["clean"], name)


def test_the_future_brings_no_customer_and_takes_none_away(snapshots: Snapshots) -> None:
    assert set(snapshots["poisoned"]) == set(snapshots["clean"])
    assert len(snapshots["clean"]) > 20


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_change_the_feature_once_they_are_past(
    snapshots: Snapshots, name: str
) -> None:
    """Otherwise the test above could not fail."""
    assert values(snapshots["poisoned later"], name) != values(snapshots["clean later"], name)


@pytest.mark.parametrize("name", NAMES)
def test_the_bank_of_this_test_gives_the_feature_several_values(
    snapshots: Snapshots, name: str
) -> None:
    assert len(set(values(snapshots["clean"], name).values())) > 1


def values(found: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return {customer: row[name] for customer, row in sorted(found.items())}


def poison(bank: Bank) -> Bank:
    """Rows that the as-of date must not see: recorded too late, or events yet to come."""
    late = {name: recorded_late(name, rows) for name, rows in bank.items()}
    return {name: rows + yet_to_come(name, bank[name]) for name, rows in late.items()}


def recorded_late(name: str, rows: Rows) -> Rows:
    """Rows about the past, and changed versions of known rows, that are recorded afterwards."""
    copies = []
    for place, row in enumerate(rows):
        copy = {**row, **CHANGES[name](place), "recorded_at": TOO_LATE[place % 2]}
        copies += [copy, *({**copy, **fresh} for fresh in NEW_KEYS[name](place))]
    return copies


def yet_to_come(name: str, rows: Rows) -> Rows:
    """Announced early: known before the date, happening on or after it."""
    announced = []
    standing = {id(row) for row in known_before(TABLES[name], rows, LONG_KNOWN.date())}
    for place, row in enumerate(rows):
        day = AS_OF + timedelta(days=place % 60)
        if id(row) in standing:
            ends = [{**row, **end} for end in endings(name, row, day)]
            announced += [{**end, "recorded_at": LONG_KNOWN} for end in ends]
        announced += [
            {**row, **CHANGES[name](place), **fresh, **began, "recorded_at": LONG_KNOWN}
            for fresh in NEW_KEYS[name](place + 100_000)
            for began in BEGINS[name](day)
        ]
    return announced


def endings(name: str, row: dict[str, Any], day: date) -> Rows:
    """What may be known in advance of a row that has no end or result yet."""
    if name == "contacts":
        result = {"disposition": "refused", "disposition_on": day}
        return [result] if row["disposition"] is None else []
    return [{column: day} for column in END_DATES.get(name, ()) if row[column] is None]


CHANGES: dict[str, Any] = {
    "customers": lambda n: {
        "segment": ("vip", "mass", "private")[n % 3],
        "household_id": "D0",
        "payroll_employer_id": ("E9", None)[n % 2],
        "advisor_id": ("V9", None)[n % 2],
        "branch_id": f"B{n % 3}",
        "birth_date": date(2006, 1 + n % 6, 15),
        "joined_on": date(2015, 1, 31),
    },
    "accounts": lambda n: {"currency": ("EUR", "USD")[n % 2], "closed_on": None},
    "transactions": lambda n: {
        "amount": Decimal(n % 997 - 700),
        "balance_after": Decimal(n % 1013 - 1500),
        "category": tuple(Category)[n % len(Category)],
        "channel": tuple(BookingChannel)[n % len(BookingChannel)],
        "currency": ("EUR", "USD")[n % 2],
    },
    "holdings": lambda n: {
        "product_id": PRODUCTS[n % 3],
        "closed_on": (None, date(2024, 3, 20))[n % 2],
        "matures_on": date(2024, 7, 9),
    },
    "consents": lambda n: {"is_granted": n % 2 == 0},
    "flags": lambda n: {"flag": "complaint_open"},
    "contacts": lambda n: {
        "disposition": ("refused", "sold", "interested", "no_answer")[n % 4],
        "disposition_on": None,
    },
    "fx_rates": lambda n: {"rate_to_base": Decimal(3)},
}
# Keys under which the same row is poison of its own, besides a new version of a known one.
NEW_KEYS: dict[str, Any] = {
    "customers": lambda n: [{"customer_id": f"N{n}"}],
    "accounts": lambda n: [{"account_id": f"N{n}"}],
    "transactions": lambda n: [{"transaction_id": f"N{n}", "booked_on": date(2024, 3, 1 + n % 31)}],
    "holdings": lambda n: [{"holding_id": f"N{n}", "opened_on": date(2024, 3, 1 + n % 31)}],
    "consents": lambda n: [{"changed_at": midnight(date(2024, 3, 1 + n % 31))}],
    "flags": lambda n: [{"valid_from": date(2024, 3, 1 + n % 31)}],
    "contacts": lambda n: [{"contact_id": f"N{n}", "contacted_on": date(2024, 3, 1 + n % 31)}],
    "fx_rates": lambda n: [{"month": date(2024, 1 + n % 3, 1)}],
}
BEGINS: dict[str, Any] = {
    "customers": lambda day: [{"joined_on": day}],
    "accounts": lambda day: [{"opened_on": day}],
    # Every other day has a counterparty of its own, whom nobody paid before.
    "transactions": lambda day: [
        {"booked_on": day} | ({"counterparty_id": f"Y{day.day}"} if day.day % 2 else {})
    ],
    "holdings": lambda day: [{"opened_on": day}],
    "consents": lambda day: [{"changed_at": midnight(day)}],
    "flags": lambda day: [{"valid_from": day}],
    "contacts": lambda day: [{"contacted_on": day}],
    "fx_rates": lambda day: [{"month": day.replace(day=1)}],
}
