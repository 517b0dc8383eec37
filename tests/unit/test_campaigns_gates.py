"""Care, activity and value, each at its boundary; and what is told of gates that failed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.care import PRECEDENCE, active_flags, care_treatment
from campaigns.eligibility import is_active
from campaigns.gates import Gate, failed, failed_columns
from campaigns.value import expected_profit, response, response_basis, value_gates
from conf.fields import Flag
from tables.reason_codes import ReasonCode
from tables.sources import CUSTOMERS, FLAGS
from tests.gate_rules import AS_OF, CONFIG, RULES
from tests.tables import table_rows


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
    way = F.struct(
        "contact_cost",
        *(
            F.lit(0).cast("decimal(18,2)").alias(f"cost_if_{when}")
            for when in ("accepted", "offered")
        ),
    )
    profit = expected_profit(F.col("response"), F.col("response"), way)
    [row] = offers.select(profit.alias("profit")).collect()
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
