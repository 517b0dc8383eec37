"""Labels: which cohorts, which window, who could buy, and nothing known too late."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from conf.schema import EligibilityRules, Product, TimeSettings
from models.labels import (
    cohorts,
    label_rows,
    outcome_codes,
    outcome_column,
    outcome_window,
    with_outcomes,
)
from tables.arrow import arrow_schema
from tables.derived import LABELS
from tables.sources import CUSTOMERS, HOLDINGS
from tests.tables import table_rows

COHORT = date(2024, 2, 1)
TIME = TimeSettings(observation_months=12, gap_days=7, outcome_months=2, train_cohorts=4)


def product(**rules: object) -> Product:
    return Product(
        name="Any",
        kind="internal",
        business_line="cards",
        role="periphery",
        fatigue_class="credit",
        eligibility=EligibilityRules.model_validate(rules),
        client_benefit={"en": "Something."},
    )


PRODUCTS = {"card": product(min_age=18), "gold": product(requires_any=("card",))}


def test_each_part_begins_when_the_outcomes_of_the_part_before_are_over() -> None:
    chosen = cohorts(date(2026, 11, 1), TIME)

    assert chosen.test == date(2026, 8, 1)  # its outcomes end on 8 October
    assert chosen.calibration == date(2026, 5, 1)
    assert chosen.train == (
        date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1),
    )  # fmt: skip


def test_without_a_gap_an_outcome_may_end_on_the_very_day() -> None:
    no_gap = TIME.model_copy(update={"gap_days": 0})
    assert cohorts(date(2026, 11, 1), no_gap).test == date(2026, 9, 1)


@pytest.mark.parametrize(
    ("cohort", "gap_days", "expected"),
    [
        (date(2024, 2, 1), 7, (date(2024, 2, 8), date(2024, 4, 8))),
        (date(2023, 12, 1), 30, (date(2023, 12, 31), date(2024, 2, 29))),  # clipped
    ],
)
def test_the_outcome_window_opens_after_the_gap_and_clips_at_short_months(
    cohort: date, gap_days: int, expected: tuple[date, date]
) -> None:
    time = TIME.model_copy(update={"gap_days": gap_days})
    assert outcome_window(cohort, time) == expected


def outcomes(
    spark: SparkSession, holdings: str, customers: str = "", known_at_cohort: str | None = None
) -> dict[str, dict[str, bool | None]]:
    """Outcome by customer and product; all customers are adults unless said otherwise."""
    people = table_rows(
        spark,
        CUSTOMERS,
        customers or "customer_id | birth_date\nC1 | 1980-01-01\nC2 | 1980-01-01",
        branch_id="B1",
        joined_on=date(2020, 1, 1),
        is_employee=False,
    )
    later = holding_rows(spark, holdings)
    held = later if known_at_cohort is None else holding_rows(spark, known_at_cohort)
    snapshot = people.selectExpr(
        "customer_id", "cast(0 as decimal(18,2)) income_amount_3m",
        "cast(0 as decimal(18,2)) balance_amount",
    )  # fmt: skip
    rows = with_outcomes(
        snapshot, customers=people, held=held, bought=later, products=PRODUCTS, cohort=COHORT,
        time=TIME,
    )  # fmt: skip
    assert rows.columns[:3] == snapshot.columns
    return {
        row["customer_id"]: {name: row[outcome_column(name)] for name in PRODUCTS}
        for row in rows.collect()
    }


def holding_rows(spark: SparkSession, text: str) -> DataFrame:
    header = "holding_id | customer_id | product_id | opened_on | closed_on\n"
    return table_rows(spark, HOLDINGS, header + text)


@pytest.mark.parametrize(
    ("opened_on", "has_bought"),
    [
        ("2024-02-07", False),  # within the gap: nobody's success
        ("2024-02-08", True),
        ("2024-04-07", True),
        ("2024-04-08", False),
    ],
)
def test_only_a_purchase_in_the_outcome_window_counts(
    spark: SparkSession, opened_on: str, has_bought: bool
) -> None:
    found = outcomes(spark, f"H1 | C1 | card | {opened_on} | null")
    assert found["C1"]["card"] is has_bought
    assert found["C2"]["card"] is False


def test_who_holds_the_product_could_not_buy_it(spark: SparkSession) -> None:
    found = outcomes(
        spark,
        """H1 | C1 | card | 2023-01-01 | null
           H2 | C2 | card | 2022-01-01 | 2023-06-30
           H3 | C2 | card | 2024-03-01 | null""",
    )
    assert found["C1"]["card"] is None
    assert found["C2"]["card"] is True


def test_rules_of_eligibility_are_judged_at_the_cohort(spark: SparkSession) -> None:
    customers = """customer_id | birth_date
                   C1 | 2006-02-01
                   C2 | 2006-02-02"""
    found = outcomes(spark, "H1 | C1 | card | 2024-02-08 | null", customers)
    assert found["C1"] == {"card": True, "gold": None}
    assert found["C2"] == {"card": None, "gold": None}


def test_a_holding_recorded_after_the_cohort_does_not_make_anybody_eligible(
    spark: SparkSession,
) -> None:
    known_later = "H1 | C1 | card | 2023-01-01 | null\nH2 | C1 | gold | 2024-03-01 | null"
    assert outcomes(spark, known_later)["C1"]["gold"] is True
    unknown_then = outcomes(
        spark, known_later, known_at_cohort="H9 | C2 | gold | 2023-01-01 | null"
    )
    assert unknown_then["C1"]["gold"] is None


def test_labels_are_the_rows_of_those_who_could_buy() -> None:
    rows = pa.table(
        {
            "cohort": pa.array([COHORT] * 3, pa.date32()),
            "customer_id": ["C1", "C2", "C3"],
            outcome_column("card"): pa.array([True, None, False]),
        }
    )
    found = label_rows(rows, "card", date(2024, 6, 1))
    assert found.schema.names == arrow_schema(LABELS).names
    assert found["customer_id"].to_pylist() == ["C1", "C3"]
    assert found["has_bought"].to_pylist() == [True, False]
    assert outcome_codes(rows, "card").tolist() == [1, -1, 0]
