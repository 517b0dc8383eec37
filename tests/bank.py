"""Small banks for feature tests, written as text in the test, and their features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from features.customer_features import SnapshotPlan, SourceTables
from features.feature import Feature
from features.product_facts import ProductFacts
from features.sources import MONTHS_APART, Cut
from tables.base import Table
from tables.sources import (
    ACCOUNTS,
    CONSENTS,
    CONTACTS,
    CUSTOMERS,
    FLAGS,
    FX_RATES,
    HOLDINGS,
    TRANSACTIONS,
)
from tables.windows import months_before
from tests.tables import columns_of, parse_rows

Rows = list[dict[str, Any]]
Bank = dict[str, Rows]

AS_OF = date(2024, 4, 1)
PRODUCT_FACTS = {
    "current_account": ProductFacts(False, (9000, 6000, 3000)),
    "credit_card": ProductFacts(False, tuple(range(2400, 600, -100))),
    "travel_insurance": ProductFacts(True, (0,)),
}
PRODUCTS = tuple(PRODUCT_FACTS)
TABLES = {
    table.name: table
    for table in (
        CUSTOMERS,
        ACCOUNTS,
        TRANSACTIONS,
        HOLDINGS,
        CONSENTS,
        FLAGS,
        CONTACTS,
        FX_RATES,
    )
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "customers": {"branch_id": "B1", "is_employee": False, "joined_on": date(2020, 1, 1)},
    "accounts": {
        "product_id": "current_account",
        "opened_on": date(2020, 1, 1),
        "currency": "EUR",
    },
    "transactions": {"currency": "EUR", "account_id": "A1", "customer_id": "C1"},
    "holdings": {"customer_id": "C1"},
    "contacts": {"channel": "phone", "product_id": "credit_card", "customer_id": "C1"},
    "consents": {"customer_id": "C1", "purpose": "marketing_internal"},
    "flags": {"customer_id": "C1"},
}


def written(**texts: str) -> Bank:
    """A bank from text tables; customer C1 is there unless the text says otherwise."""
    texts = {"customers": "customer_id\nC1", **texts}
    return {
        name: parse_rows(table, texts.get(name, ""), **DEFAULTS.get(name, {}))
        for name, table in TABLES.items()
    }


def snapshot(
    spark: SparkSession,
    bank: Bank,
    features: Sequence[Feature],
    as_of: date = AS_OF,
    partitions: int | None = None,
) -> dict[str, dict[str, Any]]:
    """The features by customer, from what the bank knew before ``as_of``."""
    cut = Cut(as_of, 12, "EUR", PRODUCT_FACTS)
    sources = source_tables(spark, bank, as_of, partitions)
    found = SnapshotPlan(features, cut).rows(sources).collect()
    return {row["customer_id"]: row.asDict() for row in found}


def source_tables(
    spark: SparkSession, bank: Bank, as_of: date = AS_OF, partitions: int | None = None
) -> SourceTables:
    """What the bank knew before ``as_of``."""

    def known(table: Table, until: date) -> DataFrame:
        columns = columns_of(table)
        rows = known_before(table, bank[table.name], until)
        frame = spark.createDataFrame(
            [tuple(row[column.name] for column in columns) for row in rows],
            ", ".join(f"{column.name} {column.type}" for column in columns),
        )
        return frame.repartition(partitions) if partitions else frame

    frames = {name: known(table, as_of) for name, table in TABLES.items()}
    before = known(CUSTOMERS, months_before(as_of, MONTHS_APART))
    return SourceTables(**frames, customers_before=before)


def known_before(table: Table, rows: Rows, as_of: date) -> Rows:
    """Per key the latest version recorded before the start of ``as_of``, as the store reads it."""
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in table.key)
        if row["recorded_at"] < midnight(as_of) and (
            key not in latest or row["recorded_at"] > latest[key]["recorded_at"]
        ):
            latest[key] = row
    return list(latest.values())


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
