"""Regular income: what counts, when, and what its absence means."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession

from features.income import income_features
from tests.bank import snapshot, written

NOBODY_PAID = {
    "income_amount_3m": Decimal("0.00"),
    "income_count_3m": 0,
    "income_months_12m": 0,
    "income_months_6m": 0,
    "days_since_last_income": None,
    "income_change_3m": None,
    "income_variation_12m": None,
    "largest_credit_amount_3m": None,
}


def test_income_is_salary_pension_and_own_work_within_the_half_open_window(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2\nC3",
        transactions="""
        transaction_id | customer_id | booked_on  | amount   | category
        T1             | C1          | 2024-03-31 | 1000.00  | salary
        T2             | C1          | 2024-02-29 | 500.50   | pension
        T3             | C1          | 2024-01-01 | 20.00    | self_employment
        T4             | C1          | 2023-12-31 | 800.00   | salary
        T5             | C1          | 2023-03-31 | 9999.00  | salary
        T6             | C1          | 2024-03-30 | -50.00   | salary
        T7             | C1          | 2024-03-30 | 7000.00  | benefit
        T8             | C1          | 2024-03-30 | 90000.00 | savings
        T9             | C2          | 2024-03-01 | 0.00     | salary
        """,
    )
    found = snapshot(spark, bank, income_features())
    expected = {
        "income_amount_1m": Decimal("1000.00"),
        "income_amount_3m": Decimal("1520.50"),
        "income_amount_6m": Decimal("2320.50"),
        "income_amount_12m": Decimal("2320.50"),
        "income_count_3m": 3,
        "income_months_12m": 4,
        "income_months_6m": 4,
        "days_since_last_income": 1,
        "income_change_3m": 1520.5 / 800,
        "largest_credit_amount_3m": Decimal("7000.00"),
    }
    assert {name: found["C1"][name] for name in expected} == expected
    assert {name: found["C2"][name] for name in NOBODY_PAID} == NOBODY_PAID
    assert {name: found["C3"][name] for name in NOBODY_PAID} == NOBODY_PAID


def test_several_incomes_of_a_month_are_one_month_and_variation_is_exact(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | customer_id | booked_on  | amount | category
        T1             | C1          | 2024-03-01 | 0.01   | salary
        T2             | C1          | 2024-03-31 | 0.03   | salary
        T3             | C1          | 2023-09-30 | 0.02   | salary
        T4             | C2          | 2024-03-01 | 0.10   | salary
        T5             | C2          | 2024-02-01 | 0.10   | salary
        T6             | C2          | 2024-01-01 | 0.10   | salary
        """,
    )
    found = snapshot(spark, bank, income_features())
    assert found["C1"]["income_months_12m"] == 2
    assert found["C1"]["income_months_6m"] == 1
    assert found["C1"]["income_variation_12m"] == 6**0.5 / 6  # cents 1, 3, 2: sqrt(3*14 - 36) / 6
    assert found["C2"]["income_variation_12m"] == 0.0
