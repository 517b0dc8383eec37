"""Tiny tables for tests, written as text with one row per line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from tables.base import Column, Table

KNOWN_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BOOLEANS = {"true": True, "false": False}


def table_rows(spark: SparkSession, table: Table, text: str, **defaults: Any) -> DataFrame:
    """Read ``a | b | c`` lines under a header line into a DataFrame of the table's types.

    Args:
        spark: The session.
        table: Gives order and types; bookings may also name their owner, ``customer_id``.
        text: Header and rows; an empty cell or ``null`` is null.
        **defaults: Values of columns that the text leaves out; otherwise null, where the table
            allows it, and ``recorded_at`` long ago.

    Raises:
        ValueError: A column is unknown, a row has the wrong length, or a value is missing.
    """
    columns = columns_of(table)
    rows = parse_rows(table, text, **defaults)
    values = [tuple(row[column.name] for column in columns) for row in rows]
    return spark.createDataFrame(values, ", ".join(f"{c.name} {c.type}" for c in columns))


def parse_rows(table: Table, text: str, **defaults: Any) -> list[dict[str, Any]]:
    """The same as typed values, one dictionary per row."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    header = [name.strip() for name in lines[0].split("|")] if lines else []
    columns = {column.name: column for column in columns_of(table)}
    if unknown := (set(header) | set(defaults)) - set(columns):
        raise ValueError(f"{table.name} has no {sorted(unknown)}")
    return [_row(columns, header, line, defaults) for line in lines[1:]]


def columns_of(table: Table) -> tuple[Column, ...]:
    """The table's columns; bookings also carry their owner, as the store reads them."""
    if table.name != "transactions":
        return table.columns
    return (*table.columns, Column("customer_id", "string", True, "owner at booking"))


def _row(
    columns: dict[str, Column], header: list[str], line: str, defaults: dict[str, Any]
) -> dict[str, Any]:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) != len(header):
        raise ValueError(f"{len(header)} columns, but {len(cells)} values: {line!r}")
    given = {"recorded_at": KNOWN_LONG_AGO, **defaults}
    row = {name: given.get(name) for name in columns}
    row |= {
        name: _value(columns[name].type, cell) for name, cell in zip(header, cells, strict=True)
    }
    missing = [
        name for name, column in columns.items() if not column.is_nullable and row[name] is None
    ]
    if missing:
        raise ValueError(f"no value for {missing}: {line!r}")
    return row


def _value(type_name: str, cell: str) -> Any:
    if cell in ("", "null"):
        return None
    return PARSERS.get(type_name.partition("(")[0], str)(cell)


def _timestamp(cell: str) -> datetime:
    moment = datetime.fromisoformat(cell)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PARSERS: dict[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "timestamp": _timestamp,
    "boolean": BOOLEANS.__getitem__,
    "int": int,
    "bigint": int,
    "double": float,
    "decimal": Decimal,
}
