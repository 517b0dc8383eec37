"""Spending by category and recurring bills."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from features.spending import bill_features, spending_features
from tests.bank import PRODUCTS, snapshot, written


def test_shares_and_trends_compare_a_category_with_all_spending_and_with_the_year(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | customer_id | booked_on  | amount  | category
        T1             | C1          | 2024-03-31 | -100.00 | travel
        T2             | C1          | 2024-01-01 | -50.00  | travel
        T3             | C1          | 2023-12-31 | -150.00 | travel
        T4             | C1          | 2024-02-29 | -150.00 | unheard
        T5             | C1          | 2024-02-29 | 30.00   | travel
        T6             | C1          | 2024-02-29 | -999.00 | savings
        """,
    )
    found = snapshot(spark, bank, spending_features())
    travel = {name: value for name, value in found["C1"].items() if name.startswith("travel")}
    assert travel == {
        "travel_amount_3m": Decimal("150.00"),
        "travel_amount_12m": Decimal("300.00"),
        "travel_count_3m": 2,
        "travel_share_3m": 0.5,
        "travel_trend_3m": 2.0,
    }
    assert found["C1"]["groceries_share_3m"] == 0.0
    assert found["C1"]["groceries_trend_3m"] is None
    assert found["C2"]["travel_share_3m"] is None
    assert found["C2"]["travel_amount_3m"] == Decimal("0.00")


def test_bills_are_added_up_and_compared_with_income(spark: SparkSession) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | customer_id | booked_on  | amount  | category
        T1             | C1          | 2024-03-01 | 1000.00 | salary
        T2             | C1          | 2024-03-02 | -300.00 | rent
        T3             | C1          | 2024-03-03 | -100.00 | loan_payment
        T4             | C1          | 2024-02-03 | -100.00 | loan_payment
        T5             | C1          | 2023-04-01 | -40.00  | insurance
        T6             | C1          | 2024-03-03 | -60.00  | groceries
        T7             | C2          | 2024-03-03 | -10.00  | rent
        """,
    )
    found = snapshot(spark, bank, bill_features())
    row = found["C1"]
    assert row["bill_amount_3m"] == Decimal("500.00")
    assert row["bill_to_income_3m"] == 0.5
    assert (row["loan_payment_amount_3m"], row["loan_payment_months_12m"]) == (Decimal(200), 2)
    assert (row["insurance_amount_3m"], row["insurance_months_12m"]) == (Decimal(0), 1)
    assert found["C2"]["bill_to_income_3m"] is None


def test_no_feature_is_about_health() -> None:
    features = feature_catalogue(PRODUCTS)
    read = {
        value for f in features for m in f.value.measures for _, v in m.rows.allowed for value in v
    }
    assert "travel" in read
    assert "health" not in read
