"""Balances and cash flow: the last booking of each open account, foreign money, own transfers."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession

from features.cash_flow import balance_features, cash_flow_features
from tests.bank import snapshot, written


def test_balance_is_the_last_known_one_of_every_open_account(spark: SparkSession) -> None:
    bank = written(
        customers="customer_id\nC1\nC2\nC3",
        accounts="""
        account_id | customer_id | opened_on  | closed_on
        A1         | C1          | 2020-01-01 |
        A2         | C1          | 2020-01-01 | 2024-04-01
        A3         | C1          | 2020-01-01 | 2024-03-31
        A4         | C2          | 2020-01-01 |
        """,
        transactions="""
        transaction_id | account_id | booked_on  | amount | balance_after | recorded_at
        T1             | A1         | 2022-12-31 | 1.00   | 400.00        | 2023-01-01
        T2             | A1         | 2024-03-05 | 1.00   | 100.00        | 2024-03-05T08:00
        T3             | A1         | 2024-03-05 | 1.00   | 250.50        | 2024-03-05T09:00
        T4             | A1         | 2024-03-06 | 1.00   |               | 2024-03-06
        T5             | A2         | 2020-02-29 | 1.00   | 70.00         | 2020-02-29
        T6             | A3         | 2024-03-01 | 1.00   | 9999.00       | 2024-03-01
        T7             | A1         | 2024-03-05 | 1.00   | 7.00          | 2024-03-05T08:59
        """,
    )
    found = snapshot(spark, bank, balance_features())
    assert found["C1"]["balance_amount"] == Decimal("320.50")
    assert found["C1"]["account_count"] == 2
    assert found["C1"]["balance_change_amount_1m"] == Decimal("-149.50")  # 470.00 a month before
    assert found["C2"]["balance_amount"] is None
    assert found["C2"]["account_count"] == 1
    assert found["C3"]["balance_amount"] is None
    assert found["C3"]["account_count"] == 0


def test_an_account_opened_since_has_no_earlier_balance(spark: SparkSession) -> None:
    bank = written(
        accounts="account_id | customer_id\nA1 | C1",
        transactions="""
        transaction_id | booked_on  | amount | balance_after
        T1             | 2024-02-10 | 5.00   | 5.00
        """,
    )
    row = snapshot(spark, bank, balance_features())["C1"]
    assert row["balance_change_amount_1m"] == Decimal("0.00")
    assert row["balance_change_amount_3m"] is None


def test_mean_balance_rounds_half_cents_away_from_zero(spark: SparkSession) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | customer_id | booked_on  | amount | balance_after
        T1             | C1          | 2024-03-01 | 1.00   | 0.01
        T2             | C1          | 2024-03-02 | 1.00   | 0.02
        T3             | C2          | 2024-03-01 | 1.00   | -0.01
        T4             | C2          | 2024-03-02 | 1.00   | -0.02
        T5             | C2          | 2024-03-03 | 1.00   |
        """,
    )
    found = snapshot(spark, bank, balance_features())
    assert found["C1"]["mean_balance_amount_3m"] == Decimal("0.02")
    assert found["C2"]["mean_balance_amount_3m"] == Decimal("-0.02")
    assert found["C2"]["min_balance_amount_12m"] == Decimal("-0.02")
    assert found["C1"]["overdrawn_count_3m"] == 0
    assert found["C2"]["overdrawn_count_3m"] == 2
    assert found["C2"]["days_since_overdrawn"] == 30
    assert found["C1"]["days_since_overdrawn"] is None


def test_foreign_money_is_converted_at_the_rate_of_its_month_or_the_last_before(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | customer_id | booked_on  | amount  | currency
        T1             | C1          | 2024-01-31 | -100.00 | USD
        T2             | C1          | 2024-02-01 | -0.05   | USD
        T3             | C1          | 2024-03-31 | -1.00   | USD
        T4             | C2          | 2024-03-31 | -1.00   | XXX
        T5             | C2          | 2023-11-30 | -1.00   | USD
        """,
        fx_rates="""
        currency | month      | rate_to_base
        USD      | 2023-12-01 | 0.9
        USD      | 2024-02-01 | 0.5
        EUR      | 2024-02-01 | 2
        """,
    )
    found = snapshot(spark, bank, cash_flow_features())
    assert found["C1"]["outflow_amount_3m"] == Decimal("90.53")  # 90.00 + 0.03 + 0.50
    assert found["C2"]["outflow_amount_12m"] == Decimal("0.00")
    assert found["C2"]["largest_debit_amount_3m"] is None


def test_own_transfers_are_neither_earned_nor_spent(spark: SparkSession) -> None:
    bank = written(
        transactions="""
        transaction_id | booked_on  | amount   | category
        T1             | 2024-03-01 | 1000.00  | salary
        T2             | 2024-03-02 | -400.00  | savings
        T3             | 2024-03-02 | 400.00   | savings
        T4             | 2024-03-03 | -250.00  |
        T5             | 2024-03-04 | 5000.00  | loan_payout
        T6             | 2024-03-05 | -100.00  | investment
        """,
    )
    row = snapshot(spark, bank, cash_flow_features())["C1"]
    assert row["inflow_amount_1m"] == Decimal("1000.00")
    assert row["outflow_amount_1m"] == Decimal("250.00")
    assert row["net_flow_amount_3m"] == Decimal("750.00")
    assert row["savings_rate_3m"] == 0.75
    assert row["savings_amount_3m"] == Decimal("400.00")
    assert row["investment_amount_12m"] == Decimal("100.00")
