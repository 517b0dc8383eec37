"""Channels, contacts, complaints and consents."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession

from features.engagement import channel_features, engagement_features
from tests.bank import snapshot, written


def test_contacts_are_counted_in_days_and_by_results_known_before_the_cut(
    spark: SparkSession,
) -> None:
    bank = written(
        contacts="""
        contact_id | contacted_on | disposition | disposition_on
        K1         | 2024-03-31   | refused     | 2024-04-01
        K2         | 2024-03-02   | refused     | 2024-03-31
        K3         | 2024-03-01   | interested  |
        K4         | 2024-01-02   | sold        | 2024-01-02
        K5         | 2024-01-01   | no_answer   | 2024-01-01
        K6         | 2023-03-31   | sold        | 2023-03-31
        """,
    )
    row = snapshot(spark, bank, engagement_features())["C1"]
    assert (row["contact_count_30d"], row["contact_count_90d"]) == (2, 4)
    results = ("refused", "interested", "sold", "no_answer")
    assert [row[f"{result}_count_12m"] for result in results] == [1, 1, 1, 1]
    assert row["days_since_last_contact"] == 1
    assert row["days_since_last_refusal"] == 30
    assert row["days_since_last_interest"] == 31


def test_the_last_decision_on_each_channel_counts(spark: SparkSession) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        consents="""
        customer_id | channel | purpose            | changed_at          | is_granted
        C1          | phone   | marketing_internal | 2023-01-01          | true
        C1          | phone   | marketing_internal | 2024-03-31T23:59:59 | false
        C1          | email   | marketing_internal | 2023-01-01          | false
        C1          | email   | marketing_internal | 2023-01-02          | true
        C1          | email   | marketing_internal | 2024-04-01          | false
        C1          | post    | marketing_partner  | 2023-01-02          | true
        C1          | branch  | marketing_internal | 2023-01-02          | true
        """,
        flags="""
        customer_id | flag           | valid_from | valid_to
        C1          | complaint_open | 2023-04-01 | 2023-05-01
        C1          | complaint_open | 2023-03-31 |
        C1          | complaint_open | 2024-04-01 |
        C1          | vulnerable     | 2024-01-01 |
        """,
    )
    found = snapshot(spark, bank, engagement_features())
    assert found["C1"]["consented_channel_count"] == 2
    assert found["C2"]["consented_channel_count"] == 0
    assert found["C1"]["complaint_count_12m"] == 1
    assert found["C2"]["days_since_last_contact"] is None


def test_bookings_are_counted_by_channel(spark: SparkSession) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | booked_on  | amount | channel | currency
        T1             | 2024-03-31 | -1.00  | app     | EUR
        T2             | 2024-02-29 | -1.00  | online  | EUR
        T3             | 2024-01-01 | 1.00   |         | USD
        T4             | 2024-01-01 | -1.00  | card    | EUR
        T5             | 2023-04-01 | -2.00  | card    | USD
        """,
        fx_rates="currency | month | rate_to_base\nUSD | 2023-04-01 | 0.5",
    )
    found = snapshot(spark, bank, channel_features())
    row = found["C1"]
    assert [row[f"booking_count_{months}m"] for months in (1, 3, 12)] == [1, 4, 5]
    assert (row["digital_count_3m"], row["card_count_3m"], row["atm_count_3m"]) == (2, 1, 0)
    assert row["digital_share_3m"] == 0.5
    assert row["booking_trend_3m"] == 16 / 5
    assert row["foreign_currency_count_12m"] == 2
    assert row["foreign_currency_amount_12m"] == Decimal("1.50")
    assert found["C2"]["digital_share_3m"] is None
    assert found["C2"]["booking_trend_3m"] is None
    assert found["C2"]["days_since_last_booking"] is None
