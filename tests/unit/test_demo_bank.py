"""The synthetic bank: same seed, same bytes; deliveries in the shape and order of a real one."""

from __future__ import annotations

import csv
import json
from datetime import date
from hashlib import sha256

import duckdb
import pyarrow.parquet as pq
import pytest

import demo.bank
from tables.arrow import arrow_schema
from tables.errors import UserError
from tables.sources import CUSTOMER_MERGES, SOURCES
from tests.demo_bank import PRODUCTS, SMALL, UNTIL, digests, make, query

DELIVERED = [table for table in SOURCES if table != CUSTOMER_MERGES]


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def sql(bank):
    return query(bank[0])


def test_the_same_seed_gives_the_same_bytes(bank, tmp_path):
    folder, _ = bank
    again, _ = make(tmp_path)
    assert digests(again) == digests(folder)


def test_another_seed_gives_another_bank(bank, tmp_path):
    folder, _ = bank
    other, _ = make(tmp_path, seed=8, months=1)
    name = f"landing/{UNTIL}/transactions.parquet"
    assert digests(other)[name] != digests(folder)[name]


def test_the_size_of_the_chunks_changes_no_row(tmp_path, monkeypatch):
    whole, _ = make(tmp_path / "whole", customers=500, months=3)
    monkeypatch.setattr(demo.bank, "CHUNK_SIZE", 200)
    parts, _ = make(tmp_path / "parts", customers=500, months=3)
    for table, key in (("transactions", "transaction_id"), ("customers", "customer_id")):
        assert rows_of(parts, f"{table}/*", key) == rows_of(whole, table, key)


def test_a_customer_does_not_depend_on_how_large_the_bank_is(bank, tmp_path):
    folder, _ = bank
    small, _ = make(tmp_path, customers=100)
    mine = rows_of(folder, "holdings", "holding_id", "where customer_id < 'C0000100'")
    assert rows_of(small, "holdings", "holding_id") == mine


def rows_of(folder, table, key, where=""):
    file = f"{folder}/landing/{UNTIL}/{table}.parquet"
    return duckdb.sql(f"from '{file}' {where} order by {key}").fetchall()


def test_parts_of_two_processes_are_the_parts_of_one(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.bank, "CHUNK_SIZE", 200)
    told = []
    one, _ = make(tmp_path / "one", customers=500, months=1, progress=told.append)
    two, summary = make(tmp_path / "two", customers=500, months=1, processes=2)
    assert digests(one) == digests(two)
    assert sum(told) == summary.rows["transactions"]


def test_every_file_has_its_rows_and_digest_in_the_manifest(bank):
    folder, summary = bank
    rows = dict.fromkeys(summary.rows, 0)
    for delivery in (folder / "landing").iterdir():
        manifest = json.loads((delivery / "manifest.json").read_text())
        assert manifest["delivery"] == delivery.name
        assert set(manifest["files"]) == {path.name for path in delivery.iterdir()} - {
            "manifest.json"
        }
        for name, facts in manifest["files"].items():
            path = delivery / name
            assert sha256(path.read_bytes()).hexdigest() == facts["sha256"]
            assert rows_in(path) == facts["rows"]
            rows[path.stem] += facts["rows"]
    assert rows == summary.rows


def rows_in(path):
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    with path.open(newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1


def test_every_table_has_the_columns_and_types_of_the_contract(bank):
    folder, _ = bank
    for table in DELIVERED:
        if table.name in SMALL:
            header = (folder / f"landing/{UNTIL}/{table.name}.csv").read_text().splitlines()[0]
            assert header.split(",") == list(table.column_names)
        else:
            schema = pq.read_schema(folder / f"landing/{UNTIL}/{table.name}.parquet")
            assert schema.remove_metadata() == arrow_schema(table)


def test_only_what_may_be_null_is_null(sql):
    for table in DELIVERED:
        needed = [column.name for column in table.columns if not column.is_nullable]
        nulls = " or ".join(f"{name} is null" for name in needed)
        assert sql(f"select count(*) from {table.name} where {nulls}") == [(0,)], table.name


def test_keys_are_unique(sql):
    for table in DELIVERED:
        key = ", ".join(table.key)
        assert sql(f"select {key} from {table.name} group by all having count(*) > 1") == []


@pytest.mark.parametrize(
    ("table", "column", "parent"),
    [
        ("accounts", "customer_id", "customers"),
        ("holdings", "customer_id", "customers"),
        ("holdings", "account_id", "accounts"),
        ("flags", "customer_id", "customers"),
        ("consents", "customer_id", "customers"),
        ("contacts", "customer_id", "customers"),
        ("transactions", "account_id", "accounts"),
        ("customers", "branch_id", "branches"),
        ("customers", "advisor_id", "advisors"),
        ("advisors", "branch_id", "branches"),
    ],
)
def test_every_reference_is_to_something_that_exists(sql, table, column, parent):
    lost = f"from {table} anti join {parent} using ({column}) where {column} is not null"
    assert sql(f"select count(*) {lost}") == [(0,)]
    assert sql(f"select count({column}) > 0 from {table}") == [(True,)]


def test_a_delivery_brings_what_was_recorded_before_it_and_an_increment_nothing_older(bank):
    folder, _ = bank
    deliveries = sorted(path.name for path in (folder / "landing").iterdir())
    increments = [table for table in DELIVERED if table.name not in SMALL]
    for before, day in zip(["", *deliveries], deliveries, strict=False):
        for table in increments:
            [(first, last)] = duckdb.sql(
                "select min(recorded_at at time zone 'UTC')::text,"
                " max(recorded_at at time zone 'UTC')::text"
                f" from '{folder}/landing/{day}/{table.name}.parquet'"
            ).fetchall()
            assert last is None or last < day
            assert first is None or first >= before or table.kind == "whole"


def test_no_row_of_a_whole_table_changes_without_a_new_recorded_at(bank):
    folder, _ = bank
    before, after = (f"{folder}/landing/{day}" for day in ("2026-09-01", "2026-10-01"))
    keys = {"customers": "customer_id", "holdings": "holding_id", "accounts": "account_id"}
    for table, key in keys.items():
        [(changed, silently)] = duckdb.sql(
            "select count(*), count(*) filter (b.recorded_at < '2026-09-01 00:00:00+00')"
            f" from (from '{before}/{table}.parquet' except from '{after}/{table}.parquet') a"
            f" join '{after}/{table}.parquet' b using ({key})"
        ).fetchall()
        assert changed > 0
        assert silently == 0


def test_balances_follow_from_the_amounts(sql):
    """Of the last month some bookings are still to come."""
    [(errors, rows)] = sql("""
        with ordered as (
          select booked_on, amount, balance_after, lag(balance_after) over w as before
          from transactions
          window w as (partition by account_id order by booked_on, transaction_id))
        select count(*) filter (before + amount <> balance_after), count(*) from ordered
        where before is not null and balance_after is not null and booked_on < '2026-10-01'""")
    assert rows > 10_000
    assert errors == 0


def test_the_bookings_of_a_day_are_recorded_in_their_order(sql):
    """So that who looks for the last balance of a day finds it."""
    assert sql("""
        with punctual as (
          select account_id, booked_on, recorded_at, lag(recorded_at) over w as before
          from transactions where recorded_at::date = booked_on
          window w as (partition by account_id, booked_on order by transaction_id))
        select count(before) > 100, count(*) filter (recorded_at <= before)
        from punctual""") == [(True, 0)]


def test_bookings_lie_within_the_life_of_their_account_and_customer(sql):
    assert sql("""
        select count(*)
        from transactions join accounts using (account_id) join customers using (customer_id)
        where booked_on < opened_on or booked_on > closed_on
           or booked_on > left_on or booked_on > deceased_on""") == [(0,)]


def test_a_few_bookings_are_recorded_late_some_in_the_next_delivery(sql, bank):
    folder, _ = bank
    [(share,)] = sql("select avg((recorded_at::date > booked_on)::int) from transactions")
    assert 0.002 < share < 0.01
    late = f"from '{folder}/landing/2026-10-01/transactions.parquet' where booked_on < '2026-09-01'"
    assert len(duckdb.sql(late).fetchall()) > 0


def test_the_bank_looks_like_one(sql, bank):
    [(left, died)] = sql("select count(left_on), count(deceased_on) from customers")
    assert left > 10
    assert died >= 1
    [(with_account,)] = sql("""
        select count(distinct customer_id) / 1500 from holdings
        where product_id = 'current_account'""")
    assert 0.85 < with_account < 0.97
    _, summary = bank
    assert 3.7 < summary.rows["transactions"] / 1_500 / 12 < 5
    raised = {flag for (flag,) in sql("select distinct flag from flags")}
    assert raised >= {"financial_difficulty", "complaint_open", "bereavement"}
    assert len(sql("select distinct currency from accounts")) == 4
    assert len(sql("select distinct category from transactions")) > 20


def test_most_customers_allow_marketing_and_fewer_that_of_partners(sql):
    shares = dict(
        sql("""
        with now as (select customer_id, purpose, arg_max(is_granted, changed_at) as yes
                     from consents where channel = 'branch' group by 1, 2)
        select purpose, avg(yes::int) from now group by 1""")
    )
    assert 0.70 < shares["marketing_internal"] < 0.82
    assert 0.48 < shares["marketing_partner"] < 0.64
    assert 0.85 < shares["profiling"] < 0.96


def test_a_complete_bank_is_not_overwritten_and_an_interrupted_one_is_made_again(tmp_path):
    folder, _ = make(tmp_path, customers=50, months=2)
    before = digests(folder)
    with pytest.raises(UserError, match="already holds these deliveries"):
        make(tmp_path, customers=50, months=2)
    last = folder / "landing" / str(UNTIL)
    (last / "manifest.json").unlink()
    (last / "stray.parquet").write_bytes(b"half")
    make(tmp_path, customers=50, months=2)
    assert digests(folder) == before


@pytest.mark.parametrize(("customers", "months"), [(0, 3), (5, 0)])
def test_a_bank_needs_customers_and_months(tmp_path, customers, months):
    with pytest.raises(UserError, match="needs customers and months"):
        make(tmp_path, customers=customers, months=months)


def test_the_last_delivery_is_on_the_first_of_a_month(tmp_path):
    with pytest.raises(UserError, match="not the first day of a month"):
        demo.bank.make_demo_bank(
            tmp_path,
            truth=tmp_path,
            customers=5,
            months=1,
            seed=1,
            until=date(2026, 11, 2),
            products=PRODUCTS,
        )
