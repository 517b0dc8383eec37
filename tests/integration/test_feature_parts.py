"""Customers in parts have the features that they have all at once, wherever their bookings lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from conf.load import load_config
from features.catalogue import customer_features_table
from jobs.build_features import plan_of, source_tables
from jobs.features.parts import parts_of, stage_parts
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.run import Run
from jobs.runs.staging import Staging
from jobs.steps import INGEST
from tables.buckets import customer_bucket
from tables.delta import DataFile
from tables.sources import TRANSACTIONS
from tables.store import Store
from tests.deliveries import ANY_REASON, write_delivery

BUCKETS = 5
COUNT = "booking_count_12m"
CONFIG = load_config(
    "local",
    [
        f"bank.transaction_buckets={BUCKETS}",
        "checks.max_quarantine_share=1.0",
        ANY_REASON,
        "checks.trailing.max_unbalanced_share_critical=1.0",
    ],
)
MARCH, APRIL = date(2024, 3, 1), date(2024, 4, 1)
PEOPLE = [f"C{number}" for number in range(1, 13)]
# Record C1 is given up for C2, account A3 goes from C3 to C4, and a booking of C5 was one of C6.
BEFORE = {f"A{number}": f"C{number}" for number in range(1, 13)}
AFTER = BEFORE | {"A3": "C4"}


def bookings(month, numbers, recorded=""):
    lines = ["transaction_id | account_id | booked_on | amount | balance_after | recorded_at"]
    for number, account in numbers:
        day = f"2024-{month:02}-{1 + number % 20:02}"
        when = recorded or f"{day}T18:00:00Z"
        lines.append(
            f"T{month}-{number} | {account} | {day} | {10 + number}.50 | {number}.25 | {when}"
        )
    return "\n".join(lines)


def bank_of(month, owners):
    customers = ["customer_id | household_id", *(f"{c} | F{int(c[1:]) % 4}" for c in PEOPLE)]
    accounts = ["account_id | customer_id", *(f"{a} | {c}" for a, c in owners.items())]
    holdings = ["holding_id | customer_id", *(f"H{c} | {c}" for c in PEOPLE[::2])]
    return {
        "branches": "branch_id | name | region\nB1 | North | N",
        "customers": "\n".join(customers),
        "accounts": "\n".join(accounts),
        "holdings": "\n".join(holdings),
        "transactions": bookings(month, enumerate([*owners] * 3)),
    }


@pytest.fixture(scope="module")
def stored(spark, tmp_path_factory):
    """The store of a bank in which rows of one customer lie in several buckets."""
    home = Home(tmp_path_factory.mktemp("parts"))
    home.create()
    write_delivery(home.landing, str(MARCH), bank_of(2, BEFORE))
    merge = "customer_id | survivor_id | merged_on\nC1 | C2 | 2024-03-05"
    moved = bookings(2, [(5, "A5")], recorded="2024-03-09T08:00:00Z")
    later = bank_of(3, AFTER)
    later["transactions"] += "\n" + moved.splitlines()[1]
    write_delivery(home.landing, str(APRIL), later | {"customer_merges": merge})
    ended = execute(Context(APRIL, CONFIG, home, spark), INGEST)
    return home, Store(home.tables, spark, ended.record.pins)


def features_of(stored, spark, folder, parts, *, has_scattered_bookings=True):
    """The staged table in order, all at once or in parts."""
    home, store = stored
    table = customer_features_table(tuple(CONFIG.products))
    staging = Staging(home.tables, folder, APRIL, 2)
    run = Run("features", APRIL, folder, CONFIG, home.path, spark, store, staging)
    sources, plan = source_tables(run, APRIL), plan_of(run, APRIL)
    if not has_scattered_bookings:  # those of the other customers are read from the store
        sources = replace(sources, transactions=sources.transactions.where("false"))
    if parts is None:
        run.stage(table, plan.rows(sources))
    else:
        stage_parts(run, table, plan, sources, parts)
    return store.with_staged(staging.files).arrow(table, APRIL)


def test_parts_give_what_all_at_once_gives(stored, spark):
    parts = parts_of(stored[1].files(TRANSACTIONS), at_once=1)
    assert len(parts) == BUCKETS
    at_once = features_of(stored, spark, "whole", None)
    in_parts = features_of(stored, spark, "parts", parts)
    assert at_once.num_rows == len(PEOPLE) - 1
    assert in_parts.equals(at_once)


def test_scattered_customers_may_have_no_booking(stored, spark):
    parts = parts_of(stored[1].files(TRANSACTIONS), at_once=1)
    found = features_of(stored, spark, "without", parts, has_scattered_bookings=False)
    counts = dict(zip(*(found[name].to_pylist() for name in ("customer_id", COUNT)), strict=True))
    assert counts["C2"] == counts["C4"] == 0
    assert counts["C7"] > 0


def test_the_bank_has_what_makes_parts_hard(stored, spark):
    """Or the test above would show little."""
    _, store = stored
    places = {
        row["customer_id"]: row["bucket"]
        for row in spark.createDataFrame([(c,) for c in PEOPLE], "customer_id string")
        .withColumn("bucket", customer_bucket(BUCKETS))
        .collect()
    }
    assert places["C1"] != places["C2"]
    assert places["C3"] != places["C4"]
    assert places["C5"] != places["C6"]
    twice = store.versions(TRANSACTIONS).where("transaction_id = 'T2-5'").collect()
    assert {row["customer_id"] for row in twice} == {"C5", "C6"}


def test_parts_are_as_many_as_the_bookings_need():
    def files(*buckets, rows=10):
        return [DataFile(f"data/x/bucket={bucket}/part.parquet", rows, 1) for bucket in buckets]

    four = files("0-of-4", "1-of-4", "2-of-4", "3-of-4")
    assert parts_of(four, at_once=40) == [("0-of-4", "1-of-4", "2-of-4", "3-of-4")]
    assert parts_of(four, at_once=20) == [("0-of-4", "2-of-4"), ("1-of-4", "3-of-4")]
    assert len(parts_of(four, at_once=1)) == 4
    mixed = [*four, *files("0-of-2")]
    assert len(parts_of(mixed, at_once=1)) == 1
    assert parts_of([], at_once=1) == [()]
