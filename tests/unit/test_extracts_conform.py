"""Every rule sets aside the rows that break it, with the reason, and no others."""

from datetime import date
from typing import get_args

import pytest
from pyspark.sql import functions as F

from conf.fields import QuarantineRule
from extracts.conform import (
    broken_rows,
    duplicate_rows,
    orphan_rows,
    quarantine_rows,
    sound_rows,
)
from extracts.landed import numbered
from extracts.outcome import Broken, Outcome, all_problems, outcome_of
from extracts.owners import first_deliveries, owner_intervals, with_owner
from extracts.rules import Rule
from tables.buckets import customer_bucket
from tables.sources import ACCOUNTS, BRANCHES, CONSENTS, CONTACTS, stored
from tests.tables import table_rows

DAY = date(2024, 3, 1)
CONSENT = {"customer_id": "C1", "purpose": "profiling", "channel": "phone", "is_granted": "true"}
TIMES = {"changed_at": "2024-02-10T08:00:00", "recorded_at": "2024-02-10T09:00:00"}


def landed(spark, table, *rows, unreadable=None, raw_row=None):
    """Rows as ``land`` leaves them, numbered from 1; only columns that matter are given."""
    types = {column.name: column.type for column in numbered(table).columns}
    values = []
    for number, row in enumerate(rows, start=1):
        given = {"delivery": str(DAY), "file_name": "f.csv", "row_number": str(number), **row}
        values.append(tuple(given.get(name) for name in types))
    texts = spark.createDataFrame(values, ", ".join(f"{name} string" for name in types))
    columns = [
        (F.lit(None) if name == "unreadable" else F.col(name)).cast(kind).alias(name)
        for name, kind in types.items()
    ]
    frame = texts.select(*columns)
    if unreadable:
        marked = F.array(*[F.lit(name) for name in unreadable])
        frame = frame.withColumns({"unreadable": marked, "raw_row": F.lit(raw_row)})
    return frame


def reasons(frame):
    return sorted(
        (row["row_number"], row["rule"], row["column_name"], row["value"])
        for row in frame.collect()
    )


def test_a_row_that_breaks_no_rule_is_sound(spark):
    rows = landed(spark, CONSENTS, CONSENT | TIMES)

    assert broken_rows(rows, CONSENTS).count() == 0
    assert sound_rows(rows, CONSENTS).count() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_granted": None}, ("missing", "is_granted", None)),
        ({"customer_id": ""}, ("missing", "customer_id", "")),
        ({"purpose": "marketing"}, ("code", "purpose", "marketing")),
        ({"channel": "Phone"}, ("code", "channel", "Phone")),
        (
            {"recorded_at": "2024-03-01T00:00:00"},
            ("recorded_too_late", "recorded_at", "2024-03-01 00:00:00"),
        ),
    ],
)
def test_a_broken_rule_sets_the_row_aside_with_its_reason(spark, change, reason):
    rows = landed(spark, CONSENTS, CONSENT | TIMES, CONSENT | TIMES | change)

    assert reasons(broken_rows(rows, CONSENTS)) == [(2, *reason)]
    assert [row["row_number"] for row in sound_rows(rows, CONSENTS).collect()] == [1]


def test_all_rules_a_row_breaks_are_told(spark):
    rows = landed(spark, CONSENTS, CONSENT | TIMES | {"purpose": "x", "channel": None})

    assert [reason[1] for reason in reasons(broken_rows(rows, CONSENTS))] == ["code", "missing"]


def test_an_unreadable_value_is_a_reason_of_its_own_with_its_text(spark):
    raw = '{"customer_id": "C1", "changed_at": "10.2.24"}'
    row = CONSENT | TIMES | {"changed_at": None}
    rows = landed(spark, CONSENTS, row, unreadable=["changed_at"], raw_row=raw)

    assert reasons(broken_rows(rows, CONSENTS)) == [(1, "type", "changed_at", "10.2.24")]
    assert sound_rows(rows, CONSENTS).count() == 0
    [quarantined] = quarantine_rows(rows, broken_rows(rows, CONSENTS), CONSENTS).collect()
    assert quarantined["raw_row"] == raw
    assert quarantined["table_name"] == "consents"


def test_a_null_in_a_coded_column_that_may_be_null_is_sound(spark):
    contact = {
        "contact_id": "K1", "customer_id": "C1", "product_id": "loan", "channel": "phone",
        "contacted_on": "2024-02-10", "recorded_at": "2024-02-10T09:00:00",
    }  # fmt: skip

    rows = landed(spark, CONTACTS, contact)

    assert broken_rows(rows, CONTACTS).count() == 0
    assert sound_rows(rows, CONTACTS).count() == 1


def branch(branch_id, name, recorded_at="2024-01-01T00:00:00"):
    return {"branch_id": branch_id, "name": name, "region": "N", "recorded_at": recorded_at}


def duplicates(spark, *rows, is_whole=True):
    sound = sound_rows(landed(spark, BRANCHES, *rows), BRANCHES)
    return [row[0] for row in reasons(duplicate_rows(sound, BRANCHES, is_whole))]


def test_a_key_with_two_contents_in_one_delivery_is_set_aside_altogether(spark):
    assert duplicates(spark, branch("B1", "x"), branch("B2", "x"), branch("B1", "y")) == [1, 3]


def test_a_key_with_the_same_content_again_is_only_repeated(spark):
    assert duplicates(spark, branch("B1", "x"), branch("B1", "x")) == []


def test_an_increment_may_bring_a_row_and_its_correction(spark):
    row, correction = branch("B1", "x"), branch("B1", "y", "2024-02-01T00:00:00")

    assert duplicates(spark, row, correction, is_whole=False) == []
    assert duplicates(spark, row, correction, is_whole=True) == [1, 2]


def test_the_same_key_in_two_deliveries_is_no_duplicate(spark):
    assert (
        duplicates(spark, branch("B1", "x"), branch("B1", "y") | {"delivery": "2024-02-01"}) == []
    )


def test_a_reference_to_a_key_that_nobody_has_delivered_yet_is_an_orphan(spark):
    known = first_deliveries("customer_id", spark.createDataFrame(
        [("C1", date(2024, 2, 1)), ("C1", DAY), ("C2", date(2024, 4, 1))],
        "customer_id string, delivery date",
    ))  # fmt: skip
    rows = sound_rows(
        landed(
            spark, CONSENTS, *[CONSENT | TIMES | {"customer_id": c} for c in ("C1", "C2", "C3")]
        ),
        CONSENTS,
    )

    assert reasons(orphan_rows(rows, "customer_id", known)) == [
        (2, "orphan", "customer_id", "C2"),
        (3, "orphan", "customer_id", "C3"),
    ]


def test_a_row_that_broke_two_rules_counts_once(spark):
    rows = landed(spark, CONSENTS, CONSENT | TIMES | {"purpose": "x", "channel": "y"})

    found = outcome_of("consents", {DAY: 1}, broken_rows(rows, CONSENTS))

    assert found.quarantined == {DAY: 1}
    assert sorted(one.column_name for one in found.broken) == ["channel", "purpose"]


@pytest.mark.parametrize(
    ("table_name", "quarantined", "is_refused"),
    [("holdings", 1, False), ("holdings", 2, True), ("consents", 1, True), ("flags", 1, True),
     ("contacts", 1, True)],
)  # fmt: skip
def test_too_many_rows_in_quarantine_or_one_doubtful_consent_refuse_the_delivery(
    table_name, quarantined, is_refused
):
    found = Outcome(table_name, {DAY: 100}, {DAY: quarantined})

    assert bool(all_problems([found], 0.01, {})) is is_refused


def test_one_reason_may_be_too_frequent_though_all_in_all_few_rows_are_set_aside():
    reasons = [
        Broken(DAY, Rule.ORPHAN, "account_id", 6, "f.csv", 3),
        Broken(DAY, Rule.TYPE, "amount", 2, "f.csv", 4),
    ]
    found = Outcome("transactions", {DAY: 1000}, {DAY: 8}, reasons)

    assert all_problems([found], 0.01, {"orphan": 0.006, "type": 0.002}) == []
    assert all_problems([found], 0.01, {"orphan": 0.005, "code": 0.0}) == [
        "transactions 2024-03-01: 0.6% of 1000 rows; checks.max_quarantine_share_by_rule is 0.5%"
        " for orphan: orphan (account_id) in 6, e.g. f.csv row 3: deliver the row that it refers"
        " to, in the same delivery or before"
    ]
    assert len(all_problems([found], 0.01, {"orphan": 0.0, "type": 0.0})) == 2


def test_the_settings_know_every_rule():
    assert set(get_args(QuarantineRule)) == set(Rule)


def test_a_refusal_names_rule_count_place_and_fix_but_no_value(spark):
    rows = landed(spark, CONSENTS, CONSENT | TIMES, CONSENT | TIMES | {"purpose": "SECRET"})

    [problem] = outcome_of("consents", {DAY: 2}, broken_rows(rows, CONSENTS)).problems(1.0, {})

    assert problem == (
        "consents 2024-03-01: 1 doubtful row, and none is tolerated: code (purpose) in 1,"
        " e.g. f.csv row 2: use the codes of the contract, or extend the contract"
    )


def test_a_booking_belongs_to_the_owner_at_the_time_of_its_delivery(spark):
    accounts = table_rows(spark, stored(ACCOUNTS), """
        account_id | customer_id | opened_on  | recorded_at | delivery   | is_deleted
        A1         | C1          | 2023-01-01 | 2023-01-01  | 2024-01-01 | false
        A1         | C2          | 2023-01-01 | 2024-02-10  | 2024-03-01 | false
        A1         | C2          | 2023-01-01 | 2024-03-31  | 2024-04-01 | true
        A2         | C3          | 2023-01-01 | 2023-01-01  | 2024-01-01 | false
    """, product_id="current_account", currency="EUR")  # fmt: skip
    bookings = spark.createDataFrame(
        [("T1", "A1", date(2024, 2, 1)), ("T2", "A1", date(2024, 3, 1)),
         ("T3", "A1", date(2024, 5, 1)), ("T4", "A2", date(2024, 5, 1))],
        "transaction_id string, account_id string, delivery date",
    )  # fmt: skip

    owned = with_owner(bookings, owner_intervals(accounts, buckets=4)).collect()

    assert {row["transaction_id"]: row["customer_id"] for row in owned} == {
        "T1": "C1", "T2": "C2", "T3": "C2", "T4": "C3",
    }  # fmt: skip
    assert len(owned) == 4


def test_buckets_are_the_same_on_every_engine(spark):
    import hashlib

    ids = ["C1", "C2", "Č3", ""]
    rows = spark.createDataFrame([(one,) for one in ids], "customer_id string")

    found = rows.select("customer_id", customer_bucket(7).alias("bucket")).collect()

    assert {row["customer_id"]: row["bucket"] for row in found} == {
        one: f"{int(hashlib.sha256(one.encode()).hexdigest()[:8], 16) % 7}-of-7" for one in ids
    }
