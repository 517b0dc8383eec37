"""How many rows came of each table, by delivery and by month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, functions as F

from tables.base import Table

# Table name → day of the delivery → rows accepted.
Delivered = Mapping[str, Mapping[date, int]]


def delivered(records: DataFrame, as_of: date) -> Delivered:
    """Rows accepted of every table by every delivery up to the as-of date.

    Args:
        records: The table ``deliveries``.
        as_of: A delivery of that day counts; what it brings was recorded before.
    """
    rows: dict[str, dict[date, int]] = {}
    for row in records.where(F.col("delivery") <= F.lit(as_of)).collect():
        rows.setdefault(row["table_name"], {})[row["delivery"]] = row["rows_accepted"]
    return rows


def monthly_volumes(table: Table, came: Mapping[date, int], as_of: date) -> dict[int, int]:
    """Rows by how many months before ``as_of`` they came, 1 the last month.

    A whole table has as many rows as its last delivery of the month.
    """
    volumes: dict[int, int] = {}
    for day, rows in sorted(came.items()):
        month = month_of(day, as_of)
        volumes[month] = rows + (0 if table.kind == "whole" else volumes.get(month, 0))
    return volumes


def month_of(delivery: date, as_of: date) -> int:
    """How many months before ``as_of`` a delivery came; one on a first day ends a month."""
    months = (as_of.year - delivery.year) * 12 + as_of.month - delivery.month
    return months + (delivery.day == 1)
