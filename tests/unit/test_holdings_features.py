"""Holdings: open or closed as of the cut, their age and their end."""

from __future__ import annotations

from pyspark.sql import SparkSession

from features.holdings import holdings_features
from tests.bank import PRODUCTS, snapshot, written


def test_a_holding_is_open_from_the_day_after_opening_until_its_last_day(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2\nC3\nC4",
        holdings="""
        holding_id | customer_id | product_id  | opened_on  | closed_on
        H1         | C1          | credit_card | 2024-03-31 |
        H2         | C2          | credit_card | 2024-04-01 |
        H3         | C3          | credit_card | 2023-01-01 | 2024-03-31
        H4         | C4          | credit_card | 2023-01-01 | 2024-04-01
        """,
    )
    found = snapshot(spark, bank, holdings_features(PRODUCTS))
    held = {name: row["has_credit_card"] for name, row in found.items()}
    assert held == {"C1": True, "C2": False, "C3": False, "C4": True}
    assert {name: row["product_count"] for name, row in found.items()} == {
        "C1": 1,
        "C2": 0,
        "C3": 0,
        "C4": 1,
    }
    assert {name: row["closed_count_12m"] for name, row in found.items()} == {
        "C1": 0,
        "C2": 0,
        "C3": 1,
        "C4": 0,
    }


def test_the_newest_open_holding_counts_in_completed_months(spark: SparkSession) -> None:
    bank = written(
        holdings="""
        holding_id | product_id      | opened_on  | closed_on  | matures_on
        H1         | credit_card     | 2023-02-28 |            | 2024-03-31
        H2         | credit_card     | 2023-03-02 |            | 2024-04-01
        H3         | credit_card     | 2024-03-01 | 2024-03-20 | 2024-04-01
        H4         | current_account | 2023-03-01 |            |
        """,
    )
    row = snapshot(spark, bank, holdings_features(PRODUCTS))["C1"]
    assert row["months_since_credit_card_opened"] == 12
    assert row["months_since_current_account_opened"] == 13
    assert row["months_since_travel_insurance_opened"] is None
    assert row["days_since_last_opening"] == 31
    assert row["opened_count_12m"] == 1
    assert row["days_to_next_maturity"] == 0
