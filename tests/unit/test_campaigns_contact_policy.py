"""Caps, cool-off, days between contacts and quiet periods: each rule alone, at its boundary."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.contact_policy import (
    contact_facts,
    contact_policy_gates,
    quiet_period_gates,
)
from campaigns.gates import failed
from conf.jurisdiction import Jurisdiction
from conf.schema import ContactPolicy
from tables.reason_codes import ReasonCode
from tables.sources import CONTACTS, CUSTOMERS
from tests.gate_rules import AS_OF, CONFIG, RULES, failed_codes
from tests.tables import table_rows

INTERNAL = CONFIG.products["credit_card"]
QUIET = Jurisdiction(
    profile="eu_strict",
    profiles=CONFIG.jurisdiction.profiles,
    quiet_periods={
        "later": {"first_day": date(2024, 3, 12), "last_day": date(2024, 3, 13)},
        "first": {"first_day": date(2024, 3, 10), "last_day": date(2024, 3, 11)},
        "other": {"first_day": date(2024, 3, 15), "last_day": date(2024, 3, 20)},
    },
)


@pytest.mark.parametrize(
    ("as_of", "passes_on"),
    [
        (date(2024, 3, 2), None),
        (date(2024, 3, 3), date(2024, 3, 7)),
        (date(2024, 3, 6), date(2024, 3, 7)),
        (date(2024, 3, 7), None),
        (date(2024, 3, 13), date(2024, 3, 14)),
    ],
)
def test_no_offer_begins_on_a_quiet_day(
    spark: SparkSession, as_of: date, passes_on: date | None
) -> None:
    [gate] = quiet_period_gates(QUIET, 7, as_of)
    fails = spark.range(1).select(gate.fails).collect()[0][0]
    assert (fails, gate.passes_on) == (passes_on is not None, passes_on or as_of)


def test_without_quiet_periods_there_is_no_gate(spark: SparkSession) -> None:
    assert quiet_period_gates(CONFIG.jurisdiction, 7, AS_OF) == []


def contact_row(spark: SparkSession, contacts: str, customer: str = "C1") -> dict[str, Any]:
    """Contact facts of one customer, and the gates that fail for a credit card."""
    customers = table_rows(
        spark,
        CUSTOMERS,
        """
        customer_id | household_id
        C1          | H1
        C2          | H1
        C3          |
        C4          |
        """,
        branch_id="B1",
        joined_on=date(2020, 1, 1),
        is_employee=False,
    )
    rows = table_rows(spark, CONTACTS, contacts, channel="branch")
    policy = CONFIG.contact_policy
    facts = contact_facts(customers, rows, CONFIG.products, policy, AS_OF)
    gates = contact_policy_gates("credit_card", INTERNAL, policy, AS_OF)
    known = facts.join(customers.select("customer_id", "is_employee"), "customer_id", how="inner")
    found = known.where(F.col("customer_id") == customer).select(
        "*", failed_codes(gates).alias("failed"), failed(gates, RULES).alias("rules")
    )
    return found.collect()[0].asDict()


def test_contacts_count_from_30_days_back_whatever_came_of_them(spark: SparkSession) -> None:
    row = contact_row(
        spark,
        """
        contact_id | customer_id | product_id      | contacted_on | disposition
        1          | C1          | savings_account | 2024-01-30   | interested
        2          | C1          | savings_account | 2024-01-31   |
        3          | C1          | savings_account | 2024-02-10   | no_answer
        4          | C1          | savings_account | 2024-03-04   |
        """,
    )
    assert row["contacts_30d"] == 3, "pending and planned ones count, the one 31 days back not"
    assert row["contacts_90d_everyday"] == 4
    assert row["contacts_90d_credit"] == 0
    assert "contact_policy.contact_cap" in row["failed"]


def test_a_household_shares_its_cap_and_customers_without_one_live_alone(
    spark: SparkSession,
) -> None:
    contacts = """
        contact_id | customer_id | product_id      | contacted_on
        1          | C1          | savings_account | 2024-02-10
        2          | C2          | savings_account | 2024-02-10
        3          | C2          | savings_account | 2024-02-11
        4          | C3          | savings_account | 2024-02-11
        """
    found = {name: contact_row(spark, contacts, name) for name in ("C1", "C3", "C4")}
    counts = {name: row["household_contacts_30d"] for name, row in found.items()}
    assert counts == {"C1": 3, "C3": 1, "C4": 0}
    assert found["C1"]["failed"] == ["contact_policy.household_cap"]
    assert found["C3"]["failed"] == []


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("credit_card | 2023-12-03 | refused   |", True),
        ("credit_card | 2023-12-02 | refused   |", False),
        ("credit_card | 2023-11-20 | refused   | 2023-12-03", True),
        ("credit_card | 2023-12-03 | no_answer |", False),
        ("mortgage    | 2023-12-03 | refused   |", False),
        ("mortgage    | 2020-03-01 | opt_out   |", True),
    ],
)
def test_a_refusal_cools_off_its_product_for_90_days_and_an_opt_out_everything(
    spark: SparkSession, contact: str, expected: bool
) -> None:
    row = contact_row(
        spark,
        f"""
        contact_id | customer_id | product_id | contacted_on | disposition | disposition_on
        1 | C1 | {contact}
        """,
    )
    assert ("contact_policy.cool_off" in row["failed"]) is expected


@pytest.mark.parametrize(
    ("contacted_on", "expected"), [("2024-02-24", True), ("2024-02-23", False)]
)
def test_seven_days_lie_between_two_contacts(
    spark: SparkSession, contacted_on: str, expected: bool
) -> None:
    row = contact_row(
        spark,
        f"""
        contact_id | customer_id | product_id      | contacted_on
        1          | C1          | savings_account | {contacted_on}
        """,
    )
    assert ("contact_policy.too_soon" in row["failed"]) is expected


def test_an_employee_and_whoever_might_be_one_gets_no_offer(spark: SparkSession) -> None:
    people = spark.createDataFrame([(True,), (False,), (None,)], "is_employee boolean")
    gates = contact_policy_gates("credit_card", INTERNAL, CONFIG.contact_policy, AS_OF)
    [employee] = [gate for gate in gates if gate.code == ReasonCode.EMPLOYEE]
    assert [row[0] for row in people.select(employee.fails).collect()] == [True, False, True]


def test_a_policy_without_cool_off_has_nobody_cooling(spark: SparkSession) -> None:
    policy = ContactPolicy(**{**CONFIG.contact_policy.model_dump(), "cool_off_days_after": {}})
    customers = table_rows(
        spark,
        CUSTOMERS,
        "customer_id\nC1",
        branch_id="B1",
        joined_on=date(2020, 1, 1),
        is_employee=False,
    )
    contacts = table_rows(
        spark,
        CONTACTS,
        """
        contact_id | customer_id | product_id | contacted_on | disposition
        1          | C1          | mortgage   | 2024-02-01   | refused
        """,
        channel="branch",
    )
    [row] = contact_facts(customers, contacts, CONFIG.products, policy, AS_OF).collect()
    assert (row.cools_until_mortgage, row.opted_out_until) == (None, None)
