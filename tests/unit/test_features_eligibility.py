"""Who may hold a product: each rule alone, and what an unknown value means."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conf.schema import EligibilityRules, Product
from features.eligibility import birthday, eligibility_failures, is_eligible, open_products
from tables.reason_codes import ReasonCode
from tables.sources import HOLDINGS
from tests.tables import table_rows

AS_OF = date(2024, 3, 1)
ROW_DDL = (
    "customer_id string, birth_date date, income_amount_3m decimal(18,2),"
    " balance_amount decimal(18,2), open_products array<string>"
)


def product(can_be_held_twice: bool = False, **rules: Any) -> Product:
    return Product(
        name="Card",
        kind="internal",
        business_line="cards",
        role="periphery",
        fatigue_class="credit",
        can_be_held_twice=can_be_held_twice,
        eligibility=EligibilityRules(**rules),
        client_benefit={"en": "Pays later."},
    )


def failed(
    spark: SparkSession,
    card: Product,
    born_on: date | None = date(1980, 1, 1),
    income: str | None = "9000.00",
    balance: str | None = "9000.00",
    held: list[str] | None = None,
) -> set[ReasonCode]:
    """The rules that one customer fails; also checks that the summary agrees."""
    money = [None if text is None else Decimal(text) for text in (income, balance)]
    customers = spark.createDataFrame([("C1", born_on, *money, held)], ROW_DDL)
    failures = eligibility_failures("card", card, AS_OF)
    row = customers.select(
        *(column.alias(code) for code, column in failures.items()),
        is_eligible("card", card, AS_OF).alias("is_eligible"),
    ).first()
    assert row is not None
    codes = {code for code in failures if row[code]}
    assert all(row[code] is not None for code in failures)
    assert row["is_eligible"] == (not codes)
    return codes


@pytest.mark.parametrize(
    ("as_of", "born_on", "birthday_on"),
    [
        (date(2024, 2, 29), date(2006, 2, 28), date(2024, 2, 28)),
        (date(2024, 2, 29), date(2006, 3, 1), date(2024, 3, 1)),
        (date(2026, 2, 28), date(2008, 2, 29), date(2026, 3, 1)),
        (date(2026, 3, 1), date(2008, 2, 29), date(2026, 3, 1)),
        (date(2024, 5, 14), date(2006, 5, 14), date(2024, 5, 14)),
        (date(2024, 5, 13), date(2006, 5, 14), date(2024, 5, 14)),
    ],
)
def test_an_age_is_reached_on_the_birthday_and_without_one_on_the_first_of_march(
    spark: SparkSession, as_of: date, born_on: date, birthday_on: date
) -> None:
    too_young = eligibility_failures("card", product(min_age=18), as_of)[ReasonCode.TOO_YOUNG]
    customers = spark.createDataFrame([(born_on,)], "birth_date date")
    row = customers.select(too_young, birthday("birth_date", 18)).collect()[0]
    assert tuple(row) == (as_of < birthday_on, birthday_on)


@pytest.mark.parametrize(
    ("born_on", "expected"),
    [
        (date(2006, 3, 2), {ReasonCode.TOO_YOUNG}),
        (date(2006, 3, 1), set()),
        (date(2004, 2, 29), set()),
        (date(1953, 3, 2), set()),
        (date(1953, 3, 1), {ReasonCode.TOO_OLD}),
        (None, {ReasonCode.AGE_UNKNOWN}),
    ],
)
def test_age_counts_completed_years_and_an_unknown_age_fails(
    spark: SparkSession, born_on: date | None, expected: set[ReasonCode]
) -> None:
    assert failed(spark, product(min_age=18, max_age=70), born_on=born_on) == expected


def test_an_unknown_age_does_not_matter_without_an_age_limit(spark: SparkSession) -> None:
    assert failed(spark, product(), born_on=None) == set()


@pytest.mark.parametrize(
    ("income", "expected"),
    [
        ("2400.00", set()),
        ("2399.99", {ReasonCode.INCOME_TOO_LOW}),
        (None, {ReasonCode.INCOME_TOO_LOW}),
    ],
)
def test_monthly_income_is_a_third_of_three_months_and_unknown_income_fails(
    spark: SparkSession, income: str | None, expected: set[ReasonCode]
) -> None:
    rules = product(min_monthly_income=Decimal("800.00"))
    assert failed(spark, rules, income=income) == expected


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ("1000.00", set()),
        ("999.99", {ReasonCode.BALANCE_TOO_LOW}),
        (None, {ReasonCode.BALANCE_TOO_LOW}),
    ],
)
def test_the_balance_limit_includes_itself_and_an_unknown_balance_fails(
    spark: SparkSession, balance: str | None, expected: set[ReasonCode]
) -> None:
    assert failed(spark, product(min_balance=Decimal("1000.00")), balance=balance) == expected


def test_a_product_already_held_fails_unless_it_can_be_held_twice(spark: SparkSession) -> None:
    assert failed(spark, product(), held=["card"]) == {ReasonCode.ALREADY_HELD}
    assert failed(spark, product(can_be_held_twice=True), held=["card"]) == set()


def test_one_of_the_required_products_is_enough_and_none_of_the_excluded_is_allowed(
    spark: SparkSession,
) -> None:
    card = product(requires_any=("account", "savings"), excludes=("gold",))
    assert failed(spark, card, held=["savings"]) == set()
    assert failed(spark, card, held=["savings", "gold"]) == {ReasonCode.HOLDS_EXCLUDED_PRODUCT}
    assert failed(spark, card, held=[]) == {ReasonCode.LACKS_REQUIRED_PRODUCT}


def test_unknown_holdings_count_as_none(spark: SparkSession) -> None:
    card = product(requires_any=("account",), excludes=("gold",))
    assert failed(spark, card, held=None) == {ReasonCode.LACKS_REQUIRED_PRODUCT}


def test_every_failed_rule_is_reported(spark: SparkSession) -> None:
    card = product(min_age=18, min_balance=Decimal(10), requires_any=("account",))
    codes = failed(spark, card, born_on=date(2020, 1, 1), balance="1.00", held=["card"])
    assert codes == {
        ReasonCode.TOO_YOUNG,
        ReasonCode.BALANCE_TOO_LOW,
        ReasonCode.ALREADY_HELD,
        ReasonCode.LACKS_REQUIRED_PRODUCT,
    }


def test_open_products_are_those_opened_before_and_not_ended_before_the_as_of_date(
    spark: SparkSession,
) -> None:
    holdings = table_rows(
        spark,
        HOLDINGS,
        """
        holding_id | customer_id | product_id | opened_on  | closed_on
        H1         | C1          | savings    | 2024-02-29 | null
        H2         | C1          | card       | 2023-01-01 | 2024-03-01
        H3         | C1          | card       | 2020-01-01 | null
        H4         | C2          | loan       | 2023-01-01 | 2024-02-29
        H5         | C3          | loan       | 2024-03-01 | null
        """,
    )
    held = {
        row["customer_id"]: row["open_products"] for row in open_products(holdings, AS_OF).collect()
    }
    assert held == {"C1": ["card", "savings"]}
