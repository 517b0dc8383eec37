"""Closing balances found in one pass are those that the order of bookings gives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from pyspark.sql import SparkSession, functions as F

from features.sources import CLOSINGS, closing_balances, closings_in_order, last_balances
from jobs.scratch import kept

AS_OF = date(2024, 4, 1)
BOOKINGS = """
    A1 | T1 | 2024-03-30 | 2024-03-30 09:00:00.000001 | 10.00
    A1 | T2 | 2024-03-30 | 2024-03-30 09:00:00.000002 | -20.00
    A2 | T2 | 2024-03-30 | 2024-03-30 09:00:00        | 30.00
    A2 | T1 | 2024-03-30 | 2024-03-30 09:00:00        | 40.00
    A3 | T1 | 2024-03-30 | 2024-03-30 09:00:00        | -50.00
    A3 | T2 | 2024-03-30 | 2024-03-30 09:00:00        | -50.00
    A4 | T1 | 2024-03-29 | 2024-03-31 09:00:00        | 60.00
    A4 | T2 | 2024-03-30 | 1900-01-01 09:00:00        | -9999999999999999.99
    A5 | T1 | 2023-01-30 | 2023-01-30 09:00:00        | 9999999999999999.99
    A5 | T2 | 2024-04-01 | 2024-03-30 09:00:00        | 1.00
    A6 | T1 | 2024-03-30 | 2024-03-30 09:00:00        | null
"""
IN_DOUBT = {"A1", "A2"}


def test_one_pass_tells_the_same_balances_and_leaves_ties_to_identifiers(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [
        [None if v.strip() == "null" else v.strip() for v in line.split("|")]
        for line in BOOKINGS.strip().splitlines()
    ]
    given = spark.createDataFrame(
        rows, "account_id string, transaction_id string, day string, at string, amount string"
    ).select(
        "account_id",
        "transaction_id",
        F.col("day").cast("date").alias("booked_on"),
        F.col("at").cast("timestamp").alias("recorded_at"),
        F.col("amount").cast("decimal(18,2)").alias("balance_after"),
    )
    bookings = kept(given, tmp_path / "bookings")
    closings = kept(closing_balances(bookings, AS_OF), tmp_path / "closings", CLOSINGS)
    told = {row["account_id"]: row["balance"] for row in closings.collect()}
    assert {account for account, balance in told.items() if balance is None} == IN_DOUBT
    in_order = last_balances(closings_in_order(bookings, AS_OF)).collect()
    assert {row["account_id"]: row["balance"] for row in in_order} == {
        "A1": Decimal("-20.00"),
        "A2": Decimal("30.00"),
        "A3": Decimal("-50.00"),
        "A4": Decimal("-9999999999999999.99"),
        "A5": Decimal("9999999999999999.99"),
    }
    certain = [row for row in in_order if row["account_id"] not in IN_DOUBT]
    assert sorted(last_balances(closings.where("balance is not null")).collect()) == sorted(certain)
