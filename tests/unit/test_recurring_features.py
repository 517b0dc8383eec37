"""Regular payers and payees: told by their months, whatever the bookings are called."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from features.recurring import payee_features, payer_features
from tests.bank import Bank, snapshot, written

FEATURES = (*payer_features(), *payee_features())


def paid(rows: list[tuple[str, str, str, str]], customers: str = "C1") -> Bank:
    """Day, amount, counterparty and category of bookings of C1."""
    lines = [f"T{n} | {' | '.join(row)}" for n, row in enumerate(rows)]
    header = "transaction_id | booked_on | amount | counterparty_id | category"
    return written(customers=f"customer_id\n{customers}", transactions="\n".join([header, *lines]))


def monthly(
    other: str, amount: str, months: list[str], day: int = 27, category: str = ""
) -> list[tuple[str, str, str, str]]:
    return [(f"{month}-{day:02d}", amount, other, category) for month in months]


LAST_4 = ["2023-12", "2024-01", "2024-02", "2024-03"]
LAST_5 = ["2023-11", *LAST_4]


def test_a_payer_is_regular_with_four_of_six_months_and_needs_no_category(
    spark: SparkSession,
) -> None:
    rows = [
        *monthly("EMP", "2000.00", LAST_4),
        *monthly("AUNT", "900.00", LAST_4[1:]),
        *monthly("", "800.00", LAST_5),
        *monthly("OWN", "700.00", LAST_5, category="savings"),
    ]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert row["regular_payer_count_6m"] == 1
    assert row["regular_payer_amount_6m"] == Decimal("8000.00")
    assert row["main_payer_months_12m"] == 4
    assert row["main_payer_share_6m"] == 8000 / (8000 + 2700 + 4000)
    assert row["main_payer_range_6m"] == 0.0
    assert row["main_payer_day"] == 27
    assert row["days_since_main_payer"] == 5


def test_the_main_payer_is_the_one_of_the_largest_sum_and_a_tie_goes_to_one_of_them(
    spark: SparkSession,
) -> None:
    rows = [
        *monthly("A", "100.00", LAST_4, day=3),
        *monthly("B", "100.00", LAST_4, day=4),
        *monthly("C", "99.00", LAST_4, day=5),
    ]
    for order in (rows, rows[::-1]):
        assert snapshot(spark, paid(order), FEATURES)["C1"]["main_payer_day"] == 4


def test_a_raise_shows_in_the_means_and_an_uneven_credit_in_the_range(spark: SparkSession) -> None:
    rows = [
        *monthly("EMP", "2000.00", ["2023-10", "2023-11", "2023-12"]),
        *monthly("EMP", "2200.00", ["2024-01", "2024-02"]),
        *monthly("EMP", "2300.00", ["2024-03"]),
    ]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert row["main_payer_change_3m"] == (670_000 * 3) / (600_000 * 3)
    assert row["main_payer_range_6m"] == (30_000 * 6) / 1_270_000


def test_the_end_and_the_start_of_a_month_are_neighbouring_pay_days(spark: SparkSession) -> None:
    days = ["2023-12-31", "2024-01-31", "2024-03-01", "2024-03-30"]
    rows = [(day, "2000.00", "EMP", "") for day in [*days, "2023-11-30"]]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert row["main_payer_day"] == 30
    assert row["main_payer_day_range_6m"] == 2  # the 30th to the 1st, over the 31st


@pytest.mark.parametrize(
    ("months", "began", "ended"),
    [
        (["2024-02", "2024-03"], True, False),
        (["2024-03"], False, False),
        (["2023-04", "2024-02", "2024-03"], False, False),
        (["2023-10", "2023-11", "2023-12", "2024-01"], False, True),
        (["2023-09", "2023-10", "2023-11", "2023-12"], False, True),
        (["2023-08", "2023-09", "2023-10", "2023-11"], False, False),
        (["2023-10", "2023-11", "2023-12", "2024-02"], False, False),
    ],
)
def test_a_payer_or_payee_begins_and_ends_by_its_months(
    spark: SparkSession, months: list[str], began: bool, ended: bool
) -> None:
    rows = [*monthly("EMP", "2000.00", months), *monthly("GYM", "-30.00", months)]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert (row["has_new_payer_3m"], row["has_ended_payer_3m"]) == (began, ended)
    assert (row["new_payee_count_3m"], row["ended_payee_count_3m"]) == (began, ended)


def test_a_shop_is_paid_too_often_to_be_a_regular_payee(spark: SparkSession) -> None:
    rows = [
        *monthly("GYM", "-30.00", LAST_5),
        *monthly("GYM", "-5.00", LAST_5[:1], day=2),
        *monthly("SHOP", "-50.00", LAST_5),
        *monthly("SHOP", "-50.00", LAST_5[:2], day=2),
        *monthly("FOUR", "-10.00", LAST_4),
    ]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert row["regular_payee_count_6m"] == 1
    assert row["regular_payee_amount_6m"] == Decimal("155.00")
    assert row["regular_payee_share_6m"] == 15_500 / (15_500 + 35_000 + 4_000)
    assert (row["payee_count_3m"], row["payee_count_12m"]) == (3, 3)


def test_competitors_are_counted_by_who_is_paid(spark: SparkSession) -> None:
    rows = [
        *monthly("INS1", "-30.00", LAST_4, category="insurance"),
        *monthly("INS2", "-30.00", ["2023-05"], category="insurance"),
        *monthly("INS2", "30.00", ["2023-06"], category="insurance"),
        *monthly("LEN", "-90.00", ["2023-03"], category="loan_payment"),
    ]
    row = snapshot(spark, paid(rows), FEATURES)["C1"]
    assert (row["other_insurer_count_12m"], row["other_lender_count_12m"]) == (2, 0)


def test_without_bookings_counts_are_nothing_and_facts_of_a_main_payer_unknown(
    spark: SparkSession,
) -> None:
    row = snapshot(spark, paid([("2024-03-01", "1.00", "X", "")], "C1\nC2"), FEATURES)["C2"]
    for feature in FEATURES:
        assert row[feature.name] is None if feature.is_nullable else not row[feature.name]
