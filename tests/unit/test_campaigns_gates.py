"""Consent, contact policy, care and value: each rule alone, at its boundary."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from pyspark.sql import Column, SparkSession, functions as F

from campaigns.care import PRECEDENCE, active_flags, care_treatment
from campaigns.consent import consent_basis, consent_gates, consented_channel, granted_consents
from campaigns.contact_policy import (
    contact_facts,
    contact_policy_gates,
    quiet_period_gates,
)
from campaigns.eligibility import is_active
from campaigns.gates import Gate, failed, failed_columns
from campaigns.rules import rules_in_force
from campaigns.value import expected_profit, response, response_basis, value_gates
from conf.fields import Flag
from conf.jurisdiction import Jurisdiction
from conf.load import load_config
from conf.schema import ContactPolicy, Offer
from tables.reason_codes import ReasonCode
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS
from tests.tables import table_rows

AS_OF = date(2024, 3, 1)
CONFIG = load_config("local")
EU = CONFIG.jurisdiction.in_force
INTERNAL = CONFIG.products["credit_card"]
PARTNER = CONFIG.products["travel_insurance"]
BY_PHONE_TOO = Offer(
    product="credit_card",
    channels=("branch", "phone"),
    contact_cost=Decimal(4),
    validity_days=30,
    talking_point_id="TP",
)


RULES = rules_in_force("credit_card_2026", CONFIG)


def failed_codes(gates: list[Gate]) -> Column:
    """The codes of the gates that fail."""
    return F.transform(failed(gates, RULES), lambda one: one["code"])


def granted(spark: SparkSession, changes: str) -> list[str]:
    """What one customer agrees to after these changes."""
    consents = table_rows(spark, CONSENTS, changes, customer_id="C1")
    return [item for row in granted_consents(consents, AS_OF).collect() for item in row.granted]


def test_the_latest_change_of_a_consent_decides(spark: SparkSession) -> None:
    assert granted(
        spark,
        """
        purpose            | channel | changed_at          | is_granted
        marketing_internal | branch  | 2024-01-01T00:00:00 | true
        marketing_internal | branch  | 2024-02-01T00:00:00 | false
        marketing_internal | phone   | 2024-01-01T00:00:00 | false
        marketing_internal | phone   | 2024-02-01T00:00:00 | true
        profiling          | branch  | 2024-02-29T23:59:59 | true
        """,
    ) == ["marketing_internal/phone", "profiling/branch"]


def test_a_grant_for_later_does_not_count_and_a_withdrawal_for_later_does(
    spark: SparkSession,
) -> None:
    assert (
        granted(
            spark,
            """
            purpose            | channel | changed_at          | is_granted
            marketing_internal | branch  | 2024-03-01T00:00:00 | true
            marketing_internal | phone   | 2024-01-01T00:00:00 | true
            marketing_internal | phone   | 2024-03-05T00:00:00 | false
            """,
        )
        == []
    )


@pytest.mark.parametrize(
    ("consents", "expected", "channel"),
    [
        (None, {"NO_CONSENT", "NO_PROFILING_CONSENT"}, None),
        (["marketing_internal/branch"], {"NO_PROFILING_CONSENT"}, None),
        (["profiling/branch"], {"NO_CONSENT"}, None),
        (["marketing_partner/branch", "profiling/branch"], {"NO_CONSENT"}, None),
        (["marketing_internal/branch", "profiling/phone"], {"NO_PROFILING_CONSENT"}, None),
        (["marketing_internal/email", "profiling/email"], {"NO_CONSENT", "NO_PROFILING_CONSENT"},
         None),
        (["marketing_internal/phone", "profiling/phone"], set(), "phone"),
        (["marketing_internal/phone", "profiling/phone", "marketing_internal/branch",
          "profiling/branch"], set(), "branch"),
    ],
)  # fmt: skip
def test_an_offer_needs_marketing_and_profiling_consent_for_one_of_its_channels(
    spark: SparkSession, consents: list[str] | None, expected: set[str], channel: str | None
) -> None:
    customer = spark.createDataFrame(
        [("C1", consents)], "customer_id string, granted array<string>"
    )
    chosen = consented_channel(BY_PHONE_TOO, INTERNAL, EU)
    row = customer.select(
        failed_codes(consent_gates(BY_PHONE_TOO, INTERNAL, EU)).alias("failed"),
        chosen.alias("channel"),
        consent_basis(INTERNAL, chosen, EU).alias("basis"),
    ).collect()[0]
    assert set(row.failed) == {str(ReasonCode[name]) for name in expected}
    assert row.channel == channel
    assert row.basis == (channel and f"marketing_internal/{channel}")


@pytest.mark.parametrize(
    ("granted_ones", "refused", "expected", "basis"),
    [
        (None, None, set(), "no_objection_to_marketing_internal/branch"),
        (["marketing_internal/branch"], [], set(), "marketing_internal/branch"),
        ([], ["marketing_internal/branch"], set(), "no_objection_to_marketing_internal/phone"),
        ([], ["marketing_internal/branch", "marketing_internal/phone"], {"NO_CONSENT"}, None),
        ([], ["profiling/branch", "profiling/phone"], {"NO_PROFILING_CONSENT"}, None),
        ([], ["profiling/branch", "marketing_internal/phone"], {"NO_PROFILING_CONSENT"}, None),
    ],
)
def test_where_the_law_lets_it_nothing_known_is_no_objection(
    spark: SparkSession,
    granted_ones: list[str] | None,
    refused: list[str] | None,
    expected: set[str],
    basis: str | None,
) -> None:
    law = CONFIG.jurisdiction.profiles["us_opt_out"]
    customer = spark.createDataFrame(
        [(granted_ones, refused)], "granted array<string>, refused array<string>"
    )
    channel = consented_channel(BY_PHONE_TOO, INTERNAL, law)
    row = customer.select(
        failed_codes(consent_gates(BY_PHONE_TOO, INTERNAL, law)).alias("failed"),
        consent_basis(INTERNAL, channel, law).alias("basis"),
    ).collect()[0]
    assert (set(row.failed), row.basis) == ({str(ReasonCode[name]) for name in expected}, basis)


def test_a_withdrawal_and_a_grant_for_later_are_refusals(spark: SparkSession) -> None:
    changes = """
        purpose            | channel | changed_at          | is_granted
        marketing_internal | branch  | 2024-01-01T00:00:00 | false
        marketing_internal | phone   | 2023-01-01T00:00:00 | false
        marketing_internal | phone   | 2024-03-01T00:00:00 | true
        marketing_internal | email   | 2024-02-01T00:00:00 | true
        """
    consents = table_rows(spark, CONSENTS, changes, customer_id="C1")
    [row] = granted_consents(consents, AS_OF).collect()
    assert row.granted == ["marketing_internal/email"]
    assert row.refused == ["marketing_internal/branch", "marketing_internal/phone"]


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


def test_a_partner_offer_needs_the_partner_purpose(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(["marketing_internal/branch", "profiling/branch"],)], "granted array<string>"
    )
    row = frame.select(
        failed_codes(consent_gates(BY_PHONE_TOO, PARTNER, EU)).alias("failed")
    ).first()
    assert row is not None
    assert row.failed == [str(ReasonCode.NO_CONSENT)]


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


def care(spark: SparkSession, flags: str, is_active: bool = True) -> str | None:
    """The help that one customer gets."""
    active = active_flags(table_rows(spark, FLAGS, flags, customer_id="C1"), AS_OF)
    customer = spark.createDataFrame([("C1", is_active)], "customer_id string, is_active boolean")
    known = customer.join(active, "customer_id", how="left")
    treatment: str | None = known.select(care_treatment(CONFIG.care)).collect()[0][0]
    return treatment


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "expected"),
    [
        ("2024-03-01", "", "personal_advice"),
        ("2024-03-02", "", None),
        ("2023-01-01", "2024-03-02", "personal_advice"),
        ("2023-01-01", "2024-03-01", None),
    ],
)
def test_a_flag_holds_from_its_first_day_until_the_day_it_ends(
    spark: SparkSession, valid_from: str, valid_to: str, expected: str | None
) -> None:
    flags = f"""
        flag       | valid_from   | valid_to
        vulnerable | {valid_from} | {valid_to}
        """
    assert care(spark, flags) == expected


def test_the_most_urgent_help_is_given_and_none_where_all_contact_is_stopped(
    spark: SparkSession,
) -> None:
    two = """
        flag           | valid_from
        complaint_open | 2024-01-01
        bereavement    | 2024-01-01
        """
    assert care(spark, two) == "bereavement_support"
    assert care(spark, two + "fraud_watch | 2024-01-01") is None


def test_who_is_no_longer_a_client_gets_no_help(spark: SparkSession) -> None:
    flags = """
        flag       | valid_from
        vulnerable | 2024-01-01
        """
    assert care(spark, flags, is_active=True) == "personal_advice"
    assert care(spark, flags, is_active=False) is None


def test_every_flag_has_its_place_among_the_others() -> None:
    assert sorted(PRECEDENCE) == sorted(get_args(Flag))


def test_who_has_not_joined_or_has_left_or_died_is_not_active(spark: SparkSession) -> None:
    customers = table_rows(
        spark,
        CUSTOMERS,
        """
        customer_id | joined_on  | left_on    | deceased_on
        here        | 2024-02-29 |            |
        too_new     | 2024-03-01 |            |
        leaving     | 2020-01-01 | 2024-03-01 |
        left        | 2020-01-01 | 2024-02-29 |
        dead        | 2020-01-01 |            | 2024-02-29
        """,
        branch_id="B1",
        is_employee=False,
    )
    active = customers.where(is_active(AS_OF)).select("customer_id").collect()
    assert sorted(row[0] for row in active) == ["here", "leaving"]


@pytest.mark.parametrize(
    ("response", "margin", "cost", "expected"),
    [
        (1.005, "1.00", "0.00", "1.01"),  # engines cast the double 1.005 to 1.00 or 1.01
        (0.125, "1.00", "0.00", "0.13"),
        (0.125, "1.00", "0.25", "-0.13"),
        (0.3333333333333333, "1800.00", "12.00", "588.00"),
        (1.0, "9999999999999999.99", "0.00", "9999999999999999.99"),
        (0.0, "85.00", "5.00", "-5.00"),
        (-0.125, "1.00", "0.00", "-0.13"),
        (-1.005, "1.00", "0.00", "-1.01"),
        (-0.3333333333333333, "1800.00", "12.00", "-612.00"),
        (None, "85.00", "5.00", None),
    ],
)
def test_expected_profit_is_rounded_once_half_away_from_zero(
    spark: SparkSession, response: float | None, margin: str, cost: str, expected: str | None
) -> None:
    offers = spark.createDataFrame(
        [(response, Decimal(margin), Decimal(cost))],
        "response double, margin decimal(18,2), contact_cost decimal(18,2)",
    )
    [row] = offers.select(expected_profit().alias("profit")).collect()
    assert row.profit == (None if expected is None else Decimal(expected))


def test_an_offer_below_the_least_profit_or_of_unknown_profit_is_not_made(
    spark: SparkSession,
) -> None:
    profits = [("0.00",), ("0.01",), (None,)]
    rows = spark.createDataFrame(profits, "text string").select(
        F.col("text").cast("decimal(18,2)").alias("expected_profit"), F.lit(0.1).alias("response")
    )
    [gate] = value_gates(Decimal("0.01"))
    assert [row[0] for row in rows.select(gate.fails).collect()] == [True, False, True]


def test_an_offer_that_puts_the_client_off_is_never_made(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(-1e-12,), (0.0,), (1e-12,)], "response double").select(
        "response", F.lit(Decimal("-1.00")).alias("expected_profit")
    )
    [gate] = value_gates(Decimal("-2.00"))
    assert [row[0] for row in rows.select(gate.fails).collect()] == [True, False, False]


def test_uplift_values_an_offer_where_it_is_known_else_propensity(spark: SparkSession) -> None:
    scores = [(0.3, 0.02), (0.3, -0.02), (0.3, 0.0), (0.3, None), (None, None)]
    rows = spark.createDataFrame(scores, "propensity double, uplift double")
    assert [tuple(row) for row in rows.select(response(), response_basis()).collect()] == [
        (0.02, "uplift"),
        (-0.02, "uplift"),
        (0.0, "uplift"),
        (0.3, "propensity"),
        (None, None),
    ]


def told(spark: SparkSession, gates: list[Gate]) -> Any:
    """What a decision says about gates that do not depend on the customer."""
    found = spark.range(1).select(failed(gates, RULES).alias("failed"))
    return found.select(*failed_columns("failed")).collect()[0]


def test_nothing_failed_where_all_pass(spark: SparkSession) -> None:
    gates = [Gate(ReasonCode.CARE, F.lit(False)), Gate(ReasonCode.EMPLOYEE, F.lit(False))]
    assert tuple(told(spark, gates)) == ([], [], None)


def test_each_failed_gate_is_told_with_its_rule_version_and_day(spark: SparkSession) -> None:
    first, last = date(2024, 3, 5), date(2024, 4, 1)
    row = told(
        spark,
        [
            Gate(ReasonCode.TOO_SOON, F.lit(True), first),
            Gate(ReasonCode.HOUSEHOLD_CAP, F.lit(False), date(2030, 1, 1)),
            Gate(ReasonCode.CARE, F.lit(True), F.lit(last)),
        ],
    )
    assert row.failed_gates == ["care.in_care", "contact_policy.too_soon"]
    assert [tuple(rule) for rule in row.failed_rules] == [
        (RULES[code].id, RULES[code].version, day)
        for code, day in zip(row.failed_gates, (last, first), strict=True)
    ]
    assert row.passes_again_on == last


def test_what_never_passes_by_time_alone_has_no_day(spark: SparkSession) -> None:
    row = told(
        spark,
        [
            Gate(ReasonCode.TOO_SOON, F.lit(True), date(2024, 3, 5)),
            Gate(ReasonCode.EMPLOYEE, F.lit(True)),
        ],
    )
    assert [rule.passes_on for rule in row.failed_rules] == [None, date(2024, 3, 5)]
    assert row.passes_again_on is None


def test_consent_is_asked_at_midnight_utc(spark: SparkSession) -> None:
    consents = spark.createDataFrame(
        [("C1", "profiling", "app", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), True)],
        "customer_id string, purpose string, channel string, changed_at timestamp,"
        " is_granted boolean",
    )
    assert granted_consents(consents, AS_OF).count() == 1
