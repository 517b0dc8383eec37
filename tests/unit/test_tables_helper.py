"""The helper that reads tiny tables must not hide a mistake in a test."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from tables.sources import FX_RATES, TRANSACTIONS
from tests.tables import parse_rows, table_rows


def test_cells_become_values_of_the_column_types() -> None:
    [row] = parse_rows(
        FX_RATES,
        """
        currency | month      | rate_to_base | recorded_at
        USD      | 2024-02-01 | 0.92         | 2024-02-03T06:30:00
        """,
    )
    assert row == {
        "currency": "USD",
        "month": date(2024, 2, 1),
        "rate_to_base": Decimal("0.92"),
        "recorded_at": datetime(2024, 2, 3, 6, 30, tzinfo=UTC),
    }


def test_columns_left_out_are_null_or_take_their_default(spark: SparkSession) -> None:
    frame = table_rows(
        spark,
        TRANSACTIONS,
        """
        transaction_id | account_id | booked_on  | amount | customer_id
        T1             | A1         | 2024-02-29 | -3.50  | C1
        """,
        currency="EUR",
    )
    row = frame.first()
    assert row is not None
    assert (row["amount"], row["currency"], row["category"]) == (Decimal("-3.50"), "EUR", None)
    assert row["customer_id"] == "C1"
    assert frame.schema["amount"].dataType.simpleString() == "decimal(18,2)"


def test_an_unknown_column_a_short_row_and_a_missing_value_are_refused() -> None:
    with pytest.raises(ValueError, match="has no"):
        parse_rows(FX_RATES, "currency | mouth\nUSD | 2024-02-01")
    with pytest.raises(ValueError, match="2 columns, but 1 values"):
        parse_rows(FX_RATES, "currency | month\nUSD")
    with pytest.raises(ValueError, match="rate_to_base"):
        parse_rows(FX_RATES, "currency | month\nUSD | 2024-02-01")
