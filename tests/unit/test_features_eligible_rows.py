"""The rules of eligibility on arrays say what those on columns of an engine say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from conf.load import load_config
from conf.schema import Product
from features.eligibility import is_eligible
from features.eligible_rows import columns_needed, eligible_rows
from tests.unit.test_features_eligibility import ROW_DDL, product

PRODUCTS = load_config("local").products
NAMES = tuple(PRODUCTS)
DAYS = (date(2024, 3, 1), date(2024, 2, 29), date(2023, 3, 1))
MADE_UP = {
    "mortgage": product(min_age=18, max_age=18, min_balance=Decimal("0.01")),
    "gold_card": product(can_be_held_twice=True, requires_any=("mortgage", "car_leasing")),
    "credit_card": product(min_monthly_income=Decimal("1000.10"), excludes=("gold_card",)),
}


def drawn_clients(clients: int) -> list[tuple]:
    """Birthdays and amounts at the limits and beside them, or unknown."""
    random = np.random.default_rng(2)

    def one_of(*values):
        return values[random.integers(len(values))]

    rows = []
    for place in range(clients):
        age = one_of(15, 18, 21, 58, 60, 75, 80)
        day = one_of(*DAYS, date(2024, 3, 2), date(2024, 2, 28))
        born = date(day.year - age, 2 if day.month == 2 else 3, min(day.day, 28))
        income, balance = (
            one_of(None, *map(Decimal, ("0", "0.01", "1000", "2000", "3000.30", "3000.29", "9000")))
            for _ in range(2)
        )
        held = [name for name in NAMES if random.random() < 0.2]
        rows.append((f"C{place}", one_of(None, born, born, born), income, balance, held or None))
    return rows


def as_features(rows: list[tuple]) -> pa.Table:
    """The same clients as the columns of features and customers."""
    _, born, income, balance, held = zip(*rows, strict=True)
    has = {f"has_{name}": [None if one is None else name in one for one in held] for name in NAMES}
    money = pa.decimal128(18, 2)
    return pa.table(
        {
            "birth_date": pa.array(born, pa.date32()),
            "income_amount_3m": pa.array(income, money),
            "balance_amount": pa.array(balance, money),
            **has,
        }
    )


@pytest.mark.engine
@pytest.mark.parametrize("as_of", DAYS)
def test_both_ways_say_the_same_of_every_rule(spark: SparkSession, as_of: date) -> None:
    rows = drawn_clients(600)
    wanted: list[tuple[str, Product]] = [*PRODUCTS.items(), *MADE_UP.items()]
    told = (
        spark.createDataFrame(rows, ROW_DDL)
        .select("customer_id", *(is_eligible(name, one, as_of) for name, one in wanted))
        .toPandas()
        .set_index("customer_id")
        .loc[[row[0] for row in rows]]
    )
    clients = as_features(rows)
    for place, (name, one) in enumerate(wanted):
        found = eligible_rows(name, one, clients.select(columns_needed(name, one)), as_of)
        assert found.tolist() == told.iloc[:, place].tolist(), (name, one.eligibility)
        assert 0 < found.sum() < len(rows)
