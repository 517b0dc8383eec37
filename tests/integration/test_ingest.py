"""Deliveries go in, and what the bank knew on a day comes out; or nothing at all."""

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import functions as F

from conf.load import load_config
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import INGEST
from tables.delta import latest_version
from tables.derived import DELIVERIES, QUARANTINE
from tables.errors import ContractViolation
from tables.files import sha256_of
from tables.sources import ACCOUNTS, CONSENTS, CUSTOMERS, FLAGS, SOURCES, TRANSACTIONS
from tables.store import Store
from tests.deliveries import ANY_REASON, csv_of, write_delivery, write_manifest

CONFIG = load_config(
    "local", ["checks.max_quarantine_share=0.5", ANY_REASON, "bank.transaction_buckets=2"]
)
MILLION = 1_000_000
MARCH, APRIL = date(2024, 3, 1), date(2024, 4, 1)

BASE = {
    "branches": """
        branch_id | name  | region
        B1        | North | N
        B2        | South | S
    """,
    "customers": """
        customer_id | branch_id
        C1          | B1
        C2          | B1
        C3          | B2
    """,
    "accounts": """
        account_id | customer_id
        A1         | C1
        A2         | C2
    """,
    "transactions": """
        transaction_id | account_id | booked_on  | amount  | recorded_at
        T1             | A1         | 2024-02-10 | 100.00  | 2024-02-10T18:00:00Z
        T2             | A2         | 2024-02-11 | -7.50   | 2024-02-11T18:00:00Z
    """,
    "holdings": """
        holding_id | customer_id | product_id
        H1         | C1          | savings_account
    """,
    "consents": """
        customer_id | purpose   | channel | changed_at           | is_granted
        C1          | profiling | phone   | 2023-01-01T08:00:00Z | true
    """,
    "flags": """
        customer_id | flag       | valid_from
        C2          | vulnerable | 2023-06-01
    """,
}
OTHER_FLAG = """
    customer_id | flag        | valid_from
    C3          | bereavement | 2024-03-02
"""


@pytest.fixture
def bank(tmp_path, spark):
    """A home whose landing folder a test fills."""
    home = Home(tmp_path / "home")
    home.create()
    return Bank(home, spark)


@pytest.fixture(scope="module")
def in_march(tmp_path_factory, spark):
    """A home that has taken its first delivery."""
    home = Home(tmp_path_factory.mktemp("march") / "home")
    home.create()
    bank = Bank(home, spark)
    bank.deliver("2024-03-01")
    bank.ingest(MARCH)
    return home.path


@pytest.fixture
def ingested(tmp_path, spark, in_march):
    """A copy of it for one test."""
    shutil.copytree(in_march, tmp_path / "ingested")
    return Bank(Home(tmp_path / "ingested"), spark)


class Bank:
    def __init__(self, home, spark):
        self.home, self.spark = home, spark

    def deliver(self, day, **tables):
        return write_delivery(self.home.landing, day, BASE | tables)

    def ingest(self, as_of, **options):
        context = Context(as_of, CONFIG, self.home, self.spark, **options)
        return execute(context, INGEST)

    def store(self, result):
        return Store(self.home.tables, self.spark, result.record.pins)

    def refusal(self, as_of):
        with pytest.raises(ContractViolation) as refused:
            self.ingest(as_of)
        assert latest_version(self.home.tables / "runs") is None
        return str(refused.value)


def test_every_row_is_accounted_for(bank):
    bank.deliver("2024-03-01", accounts="""
        account_id | customer_id | opened_on
        A1         | C1          | 2023-01-01
        A2         | C2          | 2023-01-01
        A3         | C9          | 2023-01-01
        A4         | C1          | 1.1.2023
        A1         | C1          | 2023-01-01
    """)  # fmt: skip

    result = bank.ingest(MARCH)

    records = {
        row["table_name"]: (row["rows_in"], row["rows_accepted"], row["rows_quarantined"])
        for row in bank.store(result).records(DELIVERIES).collect()
    }
    assert set(records) == {table.name for table in SOURCES}
    assert records["accounts"] == (5, 3, 2)
    assert records["transactions"] == (2, 2, 0)
    quarantine = bank.store(result).records(QUARANTINE).orderBy("row_number").collect()
    assert [(row["rule"], row["column_name"], row["value"]) for row in quarantine] == [
        ("orphan", "customer_id", "C9"),
        ("type", "opened_on", "1.1.2023"),
    ]
    assert json.loads(quarantine[1]["raw_row"])["account_id"] == "A4"
    assert result.record.counts["rows_in"] == result.record.counts["rows_accepted"] + 2
    store = bank.store(result)
    accounts = store.known_before(ACCOUNTS, MARCH).collect()
    assert sorted(row["account_id"] for row in accounts) == ["A1", "A2"]
    bookings = store.known_before(TRANSACTIONS, MARCH).collect()
    assert {row["transaction_id"]: (row["customer_id"], row["amount"]) for row in bookings} == {
        "T1": ("C1", Decimal("100.00")), "T2": ("C2", Decimal("-7.50")),
    }  # fmt: skip
    [consent] = store.known_before(CONSENTS, MARCH).collect()
    assert consent["changed_at"].replace(tzinfo=UTC) == datetime(2023, 1, 1, 8, tzinfo=UTC)
    assert consent["is_granted"] is True


def test_a_second_delivery_adds_corrects_and_deletes_without_changing_the_past(ingested):
    bank = ingested
    first = bank.store(bank.ingest(MARCH))
    before = {table.name: _rows(first.known_before(table, MARCH)) for table in SOURCES}
    bank.deliver(
        "2024-04-01",
        customers="""
            customer_id | branch_id
            C1          | B2
            C2          | B1
        """,
        transactions="""
            transaction_id | account_id | booked_on  | amount  | recorded_at
            T1             | A1         | 2024-02-10 | 100.00  | 2024-02-10T18:00:00Z
            T2             | A2         | 2024-02-11 | -7.99   | 2024-03-05T18:00:00Z
            T3             | A2         | 2024-03-20 | 55.00   | 2024-03-20T18:00:00Z
        """,
        flags=OTHER_FLAG,
    )

    second = bank.store(bank.ingest(APRIL))

    after = {table.name: _rows(second.known_before(table, MARCH)) for table in SOURCES}
    assert after == before
    customers = second.known_before(CUSTOMERS, APRIL).collect()
    assert {row["customer_id"]: row["branch_id"] for row in customers} == {"C1": "B2", "C2": "B1"}
    bookings = second.known_before(TRANSACTIONS, APRIL).collect()
    assert {row["transaction_id"]: str(row["amount"]) for row in bookings} == {
        "T1": "100.00", "T2": "-7.99", "T3": "55.00",
    }  # fmt: skip
    [flag] = second.known_before(FLAGS, APRIL).collect()
    assert (flag["customer_id"], flag["flag"]) == ("C3", "bereavement")
    moved = second.versions(CUSTOMERS).where("customer_id = 'C1' and branch_id = 'B2'").collect()
    assert moved[0]["recorded_at"].replace(tzinfo=UTC) == datetime(2024, 3, 1, tzinfo=UTC)


def test_what_the_source_marks_as_deleted_is_gone_from_the_time_it_says(ingested):
    bank = ingested
    bank.deliver("2024-04-01", transactions="""
        transaction_id | account_id | booked_on  | amount | recorded_at          | is_deleted
        T1             | A1         | 2024-02-10 | 100.00 | 2024-03-15T08:00:00Z | true
        T3             | A1         | 2024-03-05 | 3.00   | 2024-03-05T08:00:00Z |
        T4             | A1         | 2024-03-06 | 4.00   | 2024-03-06T08:00:00Z | false
        T4             | A1         | 2024-03-06 | 4.00   | 2024-03-07T08:00:00Z | true
        T5             | A1         | 2024-03-06 | 5.00   | 2024-03-06T08:00:00Z | true
        T6             | A1         | 2024-03-06 | 6.00   | 2024-03-06T08:00:00Z | yes
    """, flags="""
        customer_id | flag        | valid_from | is_deleted
        C2          | vulnerable  | 2023-06-01 | true
        C3          | bereavement | 2024-03-02 | false
    """)  # fmt: skip
    store = bank.store(bank.ingest(APRIL))

    def keys(table, as_of):
        rows = store.known_before(table, as_of).collect()
        return sorted(row[table.key[0]] for row in rows)

    assert keys(TRANSACTIONS, MARCH) == ["T1", "T2"]
    assert keys(TRANSACTIONS, APRIL) == ["T2", "T3"]
    assert keys(FLAGS, MARCH) == ["C2"]
    assert keys(FLAGS, APRIL) == ["C3"]
    set_aside = store.records(QUARANTINE).select("rule", "column_name").collect()
    assert [tuple(row) for row in set_aside] == [("type", "is_deleted")]


def test_an_account_with_a_million_bookings_is_one_like_any_other(bank):
    folder = bank.deliver("2024-03-01")
    duckdb.execute(f"""
        COPY (SELECT 'M' || range AS transaction_id, 'A1' AS account_id,
            DATE '2024-02-01' + (range % 28)::int AS booked_on,
            if(range % 2 = 0, '-0.02', '0.01') AS amount,
            'EUR' AS currency, '' AS balance_after, '' AS category, '' AS channel,
            '' AS counterparty_id, '2024-02-29T12:00:00Z' AS recorded_at
            FROM range({MILLION})) TO '{folder}/transactions.csv' (FORMAT csv, HEADER)""")
    manifest = json.loads((folder / "manifest.json").read_text())
    path = folder / "transactions.csv"
    manifest["files"][path.name] = {"rows": MILLION, "sha256": sha256_of(path)}
    (folder / "manifest.json").write_text(json.dumps(manifest))

    known = bank.store(bank.ingest(MARCH)).known_before(TRANSACTIONS, MARCH)

    totals = known.groupBy("customer_id").agg(F.count("*"), F.sum("amount")).collect()
    assert [tuple(row) for row in totals] == [("C1", MILLION, Decimal("-5000.00"))]


def test_two_ingests_store_the_same_as_one_of_both_deliveries(bank, ingested):
    changed = BASE["customers"].replace("C2          | B1", "C2          | B2")
    bank.deliver("2024-03-01")
    stored_rows = []
    for one in (bank, ingested):
        one.deliver("2024-04-01", customers=changed, flags=OTHER_FLAG, transactions="""
            transaction_id | account_id | booked_on  | amount  | recorded_at
            T1             | A1         | 2024-02-10 | 100.00  | 2024-02-10T18:00:00Z
            T2             | A2         | 2024-02-11 | -8.00   | 2024-03-03T18:00:00Z
        """)  # fmt: skip
        store = one.store(one.ingest(APRIL))
        stored_rows.append(
            {table.name: _rows(store.versions(table).drop("is_revision")) for table in SOURCES}
        )

    assert stored_rows[0] == stored_rows[1]


def test_later_deliveries_wait_and_the_same_again_are_nothing_to_do(bank):
    bank.deliver("2024-03-01")
    bank.deliver("2024-04-01", customers="customer_id\nC1\nC2\nC3\nC4")

    first = bank.ingest(MARCH)
    again = bank.ingest(MARCH)

    assert bank.store(first).versions(CUSTOMERS).where("customer_id = 'C4'").count() == 0
    assert again.was_there_already
    assert again.record.run_id == first.record.run_id


def test_too_many_broken_rows_refuse_all_deliveries(bank):
    bank.deliver("2024-03-01", accounts="""
        account_id | customer_id
        A1         | C7
        A2         | C8
        A3         | C1
    """)  # fmt: skip

    message = bank.refusal(MARCH)

    assert "accounts 2024-03-01: 2 of 3 rows break a rule, 66.7%" in message
    # the bookings of accounts that are not believed are not believed either
    assert "transactions 2024-03-01: 2 of 2 rows break a rule" in message


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("consents", {"customer_id": "C1", "purpose": "spam", "channel": "phone"}),
        ("flags", {"customer_id": "C1", "flag": "happy", "valid_from": "2023-01-01"}),
        ("contacts", {"contact_id": "K1", "customer_id": "C9", "channel": "phone"}),
    ],
)
def test_one_doubtful_consent_flag_or_contact_stops_the_run(bank, table, row):
    filled = {"changed_at": "2023-01-01T08:00:00Z", "is_granted": "true", "product_id": "loan",
              "contacted_on": "2024-01-01"} | row  # fmt: skip
    names = [name for name in filled if name in csv_of(table)]
    text = f"{' | '.join(names)}\n{' | '.join(filled[name] for name in names)}"
    bank.deliver("2024-03-01", **{table: text})

    assert "1 doubtful row, and none is tolerated" in bank.refusal(MARCH)


def test_a_changed_file_is_refused_before_anything_is_read(bank):
    folder = bank.deliver("2024-03-01")
    (folder / "customers.csv").write_text("customer_id\n")

    assert "2024-03-01/customers.csv: SHA-256 is" in bank.refusal(MARCH)


def test_nothing_but_the_quarantine_shows_a_customer_s_values(bank, caplog, capsys):
    marker = "CANARY"
    folder = bank.deliver("2024-03-01", customers=f"""
        customer_id | branch_id | language
        C1          | {marker}1 | {marker}2
        C2          | B1        | {marker}3
    """, accounts=f"""
        account_id  | customer_id | opened_on
        {marker}4   | C1          | {marker}5
    """)  # fmt: skip
    with caplog.at_level("DEBUG"):
        message = bank.refusal(MARCH)
    (folder / "branches.csv").write_text(f"branch_id,name,region,recorded_at\n{marker},a\n")
    write_manifest(folder)
    with caplog.at_level("DEBUG"):
        message += bank.refusal(MARCH)

    output = capsys.readouterr()
    assert "has 2 fields" in message
    assert marker not in message + caplog.text + output.out + output.err
    assert not list(Path(bank.home.tables).glob(".ingest-*"))


def _rows(frame):
    return sorted(map(str, frame.collect()))


def test_merged_records_are_one_customer_from_the_day_it_was_known(bank):
    bank.deliver("2024-03-01")
    bank.deliver(
        "2024-04-01",
        customer_merges="""
            customer_id | survivor_id | merged_on  | recorded_at
            C1          | C3          | 2024-03-10 | 2024-03-10T09:00:00Z
        """,
    )

    store = bank.store(bank.ingest(APRIL))

    before = {row["customer_id"] for row in store.known_before(CUSTOMERS, MARCH).collect()}
    after = {row["customer_id"] for row in store.known_before(CUSTOMERS, APRIL).collect()}
    assert (before, after) == ({"C1", "C2", "C3"}, {"C2", "C3"})
    owners = {
        row["transaction_id"]: row["customer_id"]
        for row in store.known_before(TRANSACTIONS, APRIL).collect()
    }
    assert owners == {"T1": "C3", "T2": "C2"}


def test_records_merged_in_a_circle_stop_the_ingest(bank):
    bank.deliver(
        "2024-03-01",
        customer_merges="""
            customer_id | survivor_id | merged_on
            C1          | C3          | 2023-03-10
            C3          | C1          | 2023-03-10
        """,
    )
    assert "merged in a circle" in bank.refusal(MARCH)
