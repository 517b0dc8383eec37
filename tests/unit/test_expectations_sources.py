"""Each rule of a source table goes red for the row that breaks it, and for no other."""

from dataclasses import replace
from datetime import date

import pytest

from expectations.check import check
from expectations.sources import MEANINGS, NEVER_EMPTY, ever_brought, never_null, source_suites
from tables.sources import BRANCHES, SOURCES
from tests.unit.expectation_rows import failures, only_facts, only_rules, rows_with, warnings

AS_OF = date(2024, 4, 1)
RECORDED = {"recorded_at": "timestamp'2024-03-31 23:59:59'"}
OWNER = {"customer_id": "concat('C', id)"}
GOOD = {
    "branches": {"branch_id": "concat('B', id)", "name": "'Main Street'", "region": "'North'"},
    "advisors": {
        "advisor_id": "concat('V', id)",
        "branch_id": "'B0'",
        "name": "'Kim'",
        "role": "'advisor'",
    },
    "fx_rates": {
        "currency": "'USD'",
        "month": "add_months(date'2020-01-01', cast(id as int))",
        "rate_to_base": "0.9",
    },
    "customers": OWNER
    | {
        "birth_date": "date'1980-02-29'",
        "branch_id": "'B0'",
        "segment": "'mass'",
        "joined_on": "date'2020-01-01'",
        "is_employee": "false",
        "advisor_id": "'V0'",
        "language": "'en'",
    },
    "accounts": OWNER
    | {
        "account_id": "concat('A', id)",
        "product_id": "'loan'",
        "opened_on": "date'2020-01-01'",
        "currency": "'EUR'",
    },
    "transactions": {
        "transaction_id": "concat('T', id)",
        "account_id": "'A0'",
        "booked_on": "date'2024-02-29'",
        "amount": "-1.50",
        "currency": "'EUR'",
        "category": "'groceries'",
        "channel": "'card'",
    },
    "holdings": OWNER
    | {
        "holding_id": "concat('H', id)",
        "product_id": "'loan'",
        "opened_on": "date'2020-01-01'",
        "matures_on": "date'2030-01-01'",
    },
    "consents": OWNER
    | {
        "purpose": "'profiling'",
        "channel": "'phone'",
        "changed_at": "timestamp'2024-01-01 10:00:00'",
        "is_granted": "true",
    },
    "flags": OWNER | {"flag": "'vulnerable'", "valid_from": "date'2024-01-01'"},
    "contacts": OWNER
    | {
        "contact_id": "concat('K', id)",
        "product_id": "'loan'",
        "channel": "'phone'",
        "contacted_on": "date'2024-01-02'",
        "disposition": "'refused'",
        "disposition_on": "date'2024-01-03'",
    },
    "customer_merges": OWNER | {"survivor_id": "'C0'", "merged_on": "date'2024-01-02'"},
}
# Table → (column, the value that breaks a rule, the rule).
CRITICAL = {
    "branches": [("name", "'  '", "name is not blank")],
    "fx_rates": [
        ("currency", "'usd'", "currency is an ISO 4217 code"),
        ("rate_to_base", "0", "rate_to_base lies between 1e-08 and 1000000"),
    ],
    "customers": [
        ("segment", "'gold'", "segment is a known code"),
        ("birth_date", "date'1080-02-29'", "birth_date lies between 1850-01-01 and 2200-01-01"),
    ],
    "accounts": [("currency", "'EURO'", "currency is an ISO 4217 code")],
    "transactions": [
        ("currency", "'€'", "currency is an ISO 4217 code"),
        ("booked_on", "date'9999-12-31'", "booked_on lies between 1850-01-01 and 2200-01-01"),
    ],
    "consents": [
        ("purpose", "'marketing'", "purpose is a known code"),
        ("channel", "'fax'", "channel is a known code"),
    ],
    "flags": [("flag", "'vip'", "flag is a known code")],
    "contacts": [
        ("channel", "'fax'", "channel is a known code"),
        ("disposition", "'maybe'", "disposition is a known code"),
    ],
}
WARNINGS = {
    "advisors": [
        ("branch_id", "'B77'", "branch_id names a row of branches"),
        ("name", "''", "name is not blank"),
        ("role", "''", "role is not blank"),
    ],
    "customers": [
        ("left_on", "date'2019-12-31'", "left_on is not before joined_on"),
        ("birth_date", "date'2020-01-02'", "joined_on is not before birth_date"),
        ("deceased_on", "date'1980-02-28'", "deceased_on is not before birth_date"),
        ("language", "'english'", "language is an ISO 639-1 code"),
        ("branch_id", "'B77'", "branch_id names a row of branches"),
        ("advisor_id", "'V77'", "advisor_id names a row of advisors"),
    ],
    "accounts": [
        ("closed_on", "date'2019-12-31'", "closed_on is not before opened_on"),
        ("product_id", "'lone'", "product_id is a known code"),
        ("customer_id", "'C77'", "customer_id names a row of customers"),
    ],
    "transactions": [
        ("category", "'food'", "category is a known code"),
        ("channel", "'fax'", "channel is a known code"),
        ("account_id", "'A77'", "account_id names a row of accounts"),
    ],
    "holdings": [
        ("closed_on", "date'2019-12-31'", "closed_on is not before opened_on"),
        ("matures_on", "date'2019-12-31'", "matures_on is not before opened_on"),
        ("product_id", "'lone'", "product_id is a known code"),
        ("customer_id", "'C77'", "customer_id names a row of customers"),
    ],
    "consents": [
        ("changed_at", "timestamp'2024-04-01 00:00:00'", "recorded_at is not before changed_at"),
        ("customer_id", "'C77'", "customer_id names a row of customers"),
    ],
    "flags": [
        ("valid_to", "date'2023-12-31'", "valid_to is not before valid_from"),
        ("customer_id", "'C77'", "customer_id names a row of customers"),
    ],
    "contacts": [
        ("disposition_on", "date'2024-01-01'", "disposition_on is not before contacted_on"),
        ("product_id", "'lone'", "product_id is a known code"),
        ("customer_id", "'C77'", "customer_id names a row of customers"),
    ],
}
BY_NAME = pytest.mark.parametrize("table", SOURCES, ids=lambda table: table.name)


@pytest.fixture(scope="module")
def bank(spark):
    """Every source table with good rows."""
    return {table.name: rows_with(spark, table, GOOD[table.name] | RECORDED) for table in SOURCES}


@pytest.fixture(scope="module")
def suites(bank):
    return {suite.table.name: suite for suite in source_suites(bank, AS_OF, ["loan"])}


def test_there_is_a_contract_for_every_source_table(suites):
    assert set(suites) == {table.name for table in SOURCES} == set(MEANINGS)


@BY_NAME
def test_good_rows_keep_every_rule(bank, suites, table):
    report = check(suites[table.name], bank[table.name])
    assert failures(report) == warnings(report) == {}


@BY_NAME
def test_every_broken_rule_is_told_with_its_severity_and_none_hides_another(spark, suites, table):
    required = [column.name for column in table.columns if not column.is_nullable]
    critical = CRITICAL.get(table.name, [])
    critical += [(name, "null", f"{name} is never null") for name in required]
    late = ("recorded_at", "timestamp'2024-04-01 00:00:00'")
    critical.append((*late, "nothing was recorded on or after the as-of date"))
    told = [*critical, *WARNINGS.get(table.name, [])]
    breaks = [(column, value) for column, value, _ in told]
    rows = rows_with(spark, table, GOOD[table.name] | RECORDED, breaks)
    suite = suites[table.name]
    if table.kind == "increment":
        suite = replace(suite, facts=(*suite.facts, *never_null(table)))
    report = check(suite, rows)
    assert failures(report) == {sentence: 1 for *_, sentence in critical}
    assert warnings(report) == {sentence: 1 for *_, sentence in WARNINGS.get(table.name, [])}


def test_nulls_that_are_counted_already_are_not_counted_again(spark):
    facts = never_null(BRANCHES, {"branch_id": 2, "name": 0})
    assert [fact.measure for fact in facts][:2] == [2, 0]


@pytest.mark.parametrize(
    "table", [table for table in SOURCES if table.kind == "whole"], ids=lambda table: table.name
)
def test_a_repeated_key_stops_publication(bank, suites, table):
    rows = bank[table.name]
    report = check(only_facts(suites[table.name]), rows.union(rows.limit(1)))
    assert failures(report) == {"no key occurs twice": 1}


@BY_NAME
def test_an_empty_table_is_told(bank, suites, table):
    suite = only_rules(suites[table.name])
    if table.kind == "increment":
        suite = replace(suite, facts=(ever_brought(table, 0),))
    report = check(suite, bank[table.name].limit(0))
    told = {"there is at least one row": 0}
    is_needed = table in NEVER_EMPTY
    assert failures(report) == (told if is_needed else {})
    assert warnings(report) == ({} if is_needed else told)
