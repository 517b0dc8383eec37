"""Rows of some customers on several dates are those a reader of each date sees of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tables.merges import MERGED
from tables.slices import (
    ASKED_FOR,
    former_owners,
    known_rows,
    records_of,
    under_former_owners,
)
from tables.sources import ACCOUNTS, CONTACTS, TRANSACTIONS, stored
from tests.tables import table_rows

# By another name: text tables give bookings an owner of their own accord.
STORED_BOOKINGS = replace(stored(TRANSACTIONS), name="stored bookings")
MARCH, APRIL = date(2024, 3, 1), date(2024, 4, 1)


def asked_for(spark, *rows):
    return spark.createDataFrame([(*row, None)[:3] for row in rows], ASKED_FOR)


def contacts(spark, text):
    return table_rows(
        spark, stored(CONTACTS), text, product_id="loan", channel="phone",
        contacted_on=date(2024, 1, 10), delivery=date(2024, 2, 1), is_deleted=False,
        is_revision=False,
    )  # fmt: skip


def bookings(spark, text):
    return table_rows(
        spark, STORED_BOOKINGS, text, booked_on=date(2024, 1, 10), amount=Decimal(1),
        currency="EUR", delivery=date(2024, 2, 1), is_deleted=False, is_revision=False,
    )  # fmt: skip


def found(frame, *names):
    return sorted((row["cohort"], *(row[name] for name in names)) for row in frame.collect())


def known(table, versions, asked, has_revisions=True):
    return known_rows(table, versions, asked, has_revisions=has_revisions)


def test_each_cohort_has_what_was_recorded_before_it_of_its_own_customers(spark):
    rows = contacts(
        spark,
        """
        contact_id | customer_id | recorded_at
        K1         | C1          | 2024-02-29 23:59:59
        K2         | C1          | 2024-03-01 00:00:00
        K3         | C2          | 2024-01-01 00:00:00
        K4         | C3          | 2024-01-01 00:00:00
    """,
    )
    asked = asked_for(spark, (MARCH, "C1"), (APRIL, "C1"), (APRIL, "C2"))
    expected = [(MARCH, "K1"), (APRIL, "K1"), (APRIL, "K2"), (APRIL, "K3")]
    for has_revisions in (True, False):
        assert found(known(CONTACTS, rows, asked, has_revisions), "contact_id") == expected


def test_a_revision_replaces_what_it_revises_once_it_is_known(spark):
    rows = contacts(
        spark,
        """
        contact_id | customer_id | disposition | recorded_at | is_revision | is_deleted
        K1         | C1          | refused     | 2024-01-10  | false       | false
        K1         | C1          | interested  | 2024-02-10  | true        | false
        K1         | C1          | sold        | 2024-03-10  | true        | false
        K2         | C1          | refused     | 2024-01-10  | false       | false
        K2         | C1          | refused     | 2024-03-31  | true        | true
    """,
    )
    frame = known(CONTACTS, rows, asked_for(spark, (MARCH, "C1"), (APRIL, "C1")))
    assert found(frame, "contact_id", "disposition") == [
        (MARCH, "K1", "interested"), (MARCH, "K2", "refused"), (APRIL, "K1", "sold"),
    ]  # fmt: skip
    assert frame.columns == ["cohort", *CONTACTS.column_names[:-1], "recorded_at"]


def test_a_row_that_moves_to_another_customer_leaves_the_first(spark):
    rows = contacts(
        spark,
        """
        contact_id | customer_id | recorded_at | is_revision
        K1         | C1          | 2024-01-10  | false
        K1         | C9          | 2024-03-10  | true
        K2         | C9          | 2024-01-10  | false
        K2         | C1          | 2024-03-10  | true
    """,
    )
    frame = known(CONTACTS, rows, asked_for(spark, (MARCH, "C1"), (APRIL, "C1")))
    assert found(frame, "contact_id") == [(MARCH, "K1"), (APRIL, "K2")]


def test_of_a_former_owner_only_the_bookings_of_that_account_are_read(spark):
    rows = bookings(
        spark,
        """
        transaction_id | account_id | customer_id | recorded_at
        T1             | A1         | C1          | 2024-02-10
        T2             | A1         | C9          | 2024-01-10
        T3             | A2         | C9          | 2024-01-10
    """,
    )
    asked = asked_for(spark, (MARCH, "C1"), (MARCH, "C9", "A1"))
    assert found(known(TRANSACTIONS, rows, asked), "transaction_id") == [
        (MARCH, "T1"), (MARCH, "T2"),
    ]  # fmt: skip


@pytest.fixture
def records(spark):
    customers = spark.createDataFrame([("C1",), ("C2",)], "customer_id string")
    merged = spark.createDataFrame([("C7", "C1", MARCH), ("C8", "C3", MARCH)], MERGED)
    return records_of(customers, APRIL, merged)


def test_records_given_up_for_a_customer_are_the_customers(records):
    assert found(records, "record_id") == [(APRIL, "C1"), (APRIL, "C2"), (APRIL, "C7")]
    assert {row["only_account_id"] for row in records.collect()} == {None}


def test_former_owners_whose_rows_are_read_anyhow_are_left_out(spark, records):
    versions = table_rows(
        spark,
        stored(ACCOUNTS),
        """
        account_id | customer_id | recorded_at
        A1         | C9          | 2024-01-10
        A1         | C1          | 2024-02-10
        A1         | C7          | 2024-02-20
        A1         | C9          | 2024-02-25
        A2         | C2          | 2024-01-10
        A2         | C2          | 2024-02-10
    """,
        product_id="current_account",
        opened_on=date(2020, 1, 1),
        currency="EUR",
        delivery=date(2024, 2, 1),
        is_deleted=False,
    )
    owners = former_owners(versions)
    assert sorted(tuple(row) for row in owners.collect()) == [
        ("A1", "C1"), ("A1", "C7"), ("A1", "C9"),
    ]  # fmt: skip
    accounts = spark.createDataFrame([("A1",), ("A2",)], "account_id string")
    others = under_former_owners(accounts, owners, records, APRIL)
    assert found(others, "record_id", "only_account_id") == [(APRIL, "C9", "A1")]
