"""Who is in a snapshot, and what is known about the relationship."""

from __future__ import annotations

from pyspark.sql import SparkSession

from features.profile import profile_features
from tests.bank import snapshot, written


def test_a_snapshot_holds_customers_who_joined_and_neither_left_nor_died(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="""
        customer_id | joined_on  | left_on    | deceased_on
        joined      | 2024-03-31 |            |
        too_late    | 2024-04-01 |            |
        left        | 2020-01-01 | 2024-03-31 |
        leaving     | 2020-01-01 | 2024-04-01 |
        dead        | 2020-01-01 |            | 2024-03-31
        """,
    )
    assert set(snapshot(spark, bank, profile_features())) == {"joined", "leaving"}


def test_profile_counts_completed_months_and_active_people_of_the_household(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="""
        customer_id | joined_on  | left_on    | household_id | segment | advisor_id
        C1          | 2023-03-01 |            | D1           | vip     | V1
        C2          | 2024-03-02 |            | D1           | mass    |
        C3          | 2020-02-29 | 2024-01-01 | D1           | mass    |
        C4          | 2020-02-29 |            |              | affluent|
        C5          | 2020-02-29 |            |              |         |
        """,
    )
    found = snapshot(spark, bank, profile_features())
    assert {name: row["household_size"] for name, row in found.items()} == {
        "C1": 2,
        "C2": 2,
        "C4": 1,
        "C5": 1,
    }
    assert {name: row["months_since_joined"] for name, row in found.items()} == {
        "C1": 13,
        "C2": 0,
        "C4": 49,
        "C5": 49,
    }
    assert [found[name]["segment_rank"] for name in ("C1", "C2", "C4", "C5")] == [4, 1, 2, None]
    assert (found["C1"]["has_advisor"], found["C2"]["has_advisor"]) == (True, False)
    assert found["C1"]["has_payroll_employer"] is False
