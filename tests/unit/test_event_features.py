"""Events: what changed within half a year, majority, large credits, and what ends soon."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from conf.schema import LifetimeValueSettings, Product
from features.events import event_features
from features.monthly import monthly_features
from features.product_facts import product_facts, remaining_cents
from features.value import value_features
from tests.bank import snapshot, written

TERMS = LifetimeValueSettings(discount_rate=0.21, least_remaining_share=0.5)


def test_changes_are_those_since_the_customer_was_known_half_a_year_before(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="""
        customer_id | branch_id | advisor_id | household_id | segment | joined_on  | recorded_at
        C1          | B1        |            | D1           | mass    | 2020-01-01 | 2020-01-01
        C1          | B2        | V1         | D1           | private | 2020-01-01 | 2023-10-01
        C2          | B1        | V1         | D1           | mass    | 2020-01-01 | 2020-01-01
        C2          | B9        | V9         | D9           | vip     | 2020-01-01 | 2023-09-30
        C3          | B1        | V1         | D1           | mass    | 2023-10-01 | 2023-10-01
        """
    )
    found = snapshot(spark, bank, event_features())
    names = (
        "has_branch_changed_6m",
        "has_advisor_changed_6m",
        "household_size_change_6m",
        "segment_rank_change_6m",
    )
    assert {c: tuple(row[name] for name in names) for c, row in found.items()} == {
        "C1": (True, True, 1, 2),
        "C2": (False, False, 0, 0),
        "C3": (False, False, None, None),
    }


def test_majority_is_reached_on_the_day_itself_and_is_news_for_a_year(spark: SparkSession) -> None:
    bank = written(
        customers="""
        customer_id | birth_date
        C1          | 2006-04-01
        C2          | 2006-04-02
        C3          | 2005-04-02
        C4          | 2005-04-01
        C5          |
        """
    )
    found = snapshot(spark, bank, event_features())
    turned = {name: row["has_turned_18_12m"] for name, row in found.items()}
    assert turned == {"C1": True, "C2": False, "C3": True, "C4": False, "C5": False}


def test_a_large_credit_is_held_beside_a_mean_month_and_ends_are_counted(
    spark: SparkSession,
) -> None:
    bank = written(
        transactions="""
        transaction_id | booked_on  | amount   | category
        T1             | 2024-03-10 | 9000.00  |
        T2             | 2024-03-11 | 50000.00 | term_deposit
        T3             | 2023-05-11 | 3000.00  |
        """,
        holdings="""
        holding_id | product_id  | opened_on  | matures_on
        H1         | credit_card | 2023-03-01 | 2024-06-30
        H2         | credit_card | 2023-03-01 | 2024-07-01
        H3         | credit_card | 2023-03-01 | 2024-03-31
        """,
    )
    row = snapshot(spark, bank, event_features())["C1"]
    assert row["largest_credit_to_inflow_1m"] == 9000 / 1000
    assert row["maturing_count_90d"] == 1


def test_months_vary_around_their_mean_and_the_coming_one_is_known_from_last_year(
    spark: SparkSession,
) -> None:
    bank = written(
        customers="customer_id\nC1\nC2",
        transactions="""
        transaction_id | booked_on  | amount  | balance_after | account_id
        T1             | 2024-03-31 | 300.00  | -1.00         | A1
        T2             | 2024-03-31 | -100.00 | -1.00         | A2
        T3             | 2024-03-01 | -50.00  | -1.00         | A1
        T4             | 2024-01-31 | -150.00 | 1.00          | A1
        T5             | 2023-04-30 | -900.00 | -1.00         | A1
        T6             | 2023-03-31 | -900.00 | -1.00         | A1
        """,
    )
    found = snapshot(spark, bank, monthly_features())
    row, nobody = found["C1"], found["C2"]
    assert row["inflow_variation_6m"] == (6 * 30_000**2 - 30_000**2) ** 0.5 / 30_000
    assert row["outflow_variation_6m"] == (6 * 2 * 15_000**2 - 30_000**2) ** 0.5 / 30_000
    assert row["net_flow_deviation_amount_6m"] == Decimal("86.60")  # of 150, -150, four times 0
    assert (row["deficit_months_3m"], row["deficit_months_12m"]) == (1, 2)
    assert (row["overdrawn_day_count_3m"], row["overdrawn_day_count_12m"]) == (2, 3)
    assert row["outflow_season_12m"] == 12 * 900 / 1200
    assert row["inflow_season_12m"] == 0.0
    assert row["max_outflow_month_amount_12m"] == Decimal("900.00")
    assert nobody["inflow_variation_6m"] is None
    assert nobody["net_flow_deviation_amount_12m"] == Decimal("0.00")


def product(**terms: object) -> Product:
    return Product.model_validate(
        {
            "name": "Card",
            "kind": "internal",
            "business_line": "cards",
            "role": "core",
            "fatigue_class": "everyday",
            "client_benefit": {"en": "Pays."},
            **terms,
        }
    )


def test_remaining_margin_is_discounted_month_by_month_and_never_under_its_least_share() -> None:
    yearly = product(margin_per_year=Decimal("120.00"), horizon_months=24)
    found = remaining_cents(yearly, TERMS)
    monthly = [1000 / 1.21 ** (k / 12) for k in range(1, 25)]
    assert found == tuple(round(sum(monthly[:n])) for n in range(24, 11, -1))
    undiscounted = LifetimeValueSettings(discount_rate=0.0, least_remaining_share=0.25)
    assert remaining_cents(yearly, undiscounted)[0] == 24_000
    assert remaining_cents(yearly, undiscounted)[-1] == 6_000
    assert remaining_cents(product(margin_per_sale=Decimal("320.00")), TERMS) == (0,)


def test_a_product_is_a_partners_by_its_kind() -> None:
    facts = product_facts({"a": product(), "b": product(kind="partner", partner="p")}, TERMS)
    assert {name: each.is_partner for name, each in facts.items()} == {"a": False, "b": True}


@pytest.mark.parametrize(
    ("opened_on", "closed_on", "expected"),
    [
        (date(2024, 3, 15), "", "90.00"),
        (date(2024, 3, 1), "", "60.00"),
        (date(2024, 1, 15), "", "30.00"),
        (date(2010, 1, 1), "", "30.00"),
        (date(2024, 3, 15), "2024-03-20", "0.00"),
    ],
)
def test_margin_is_looked_up_by_completed_months_of_open_holdings(
    spark: SparkSession, opened_on: date, closed_on: str, expected: str
) -> None:
    bank = written(
        holdings=f"""
        holding_id | product_id      | opened_on   | closed_on
        H1         | current_account | {opened_on} | {closed_on}
        H2         | unheard         | 2020-01-01  |
        """
    )
    row = snapshot(spark, bank, value_features())["C1"]
    assert row["remaining_margin_amount"] == Decimal(expected)


def test_partner_products_are_those_of_partners(spark: SparkSession) -> None:
    bank = written(
        holdings="""
        holding_id | product_id       | opened_on  | closed_on
        H1         | travel_insurance | 2023-03-01 |
        H2         | travel_insurance | 2024-03-01 | 2024-03-15
        H3         | credit_card      | 2024-03-15 |
        """,
        transactions="""
        transaction_id | booked_on  | amount  | category
        T1             | 2024-03-31 | -30.00  | travel
        T2             | 2023-12-31 | -40.00  | insurance
        T3             | 2024-03-31 | -50.00  | groceries
        """,
    )
    row = snapshot(spark, bank, value_features())["C1"]
    assert row["partner_product_count"] == 1
    assert row["months_since_partner_product_opened"] == 1
    assert row["partner_field_amount_3m"] == Decimal("30.00")
    assert row["partner_field_amount_12m"] == Decimal("70.00")
