"""Key features again, in SQL: two engines that agree on our code do not make it right."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from tables.windows import months_before
from tests.bank import AS_OF, PRODUCT_FACTS, PRODUCTS, TABLES, Bank, known_before, snapshot
from tests.drawn_bank import drawn
from tests.feature_oracle import database, describe, queries, recomputed, write_margins
from tests.tables import columns_of

SEEDS = (1, 2)
QUERIES = queries(PRODUCTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_an_independent_computation_exactly(spark: SparkSession, seed: int) -> None:
    bank = drawn(seed)
    features = [f for f in feature_catalogue(PRODUCTS) if f.name in QUERIES]
    assert len(features) == len(QUERIES) >= 70
    found = snapshot(spark, bank, features)
    with database(AS_OF, "EUR") as tables:
        write_tables(tables, bank)
        for name, expected in recomputed(tables, QUERIES, found):
            assert {customer: row[name] for customer, row in found.items()} == expected, name
            assert len(set(expected.values())) > 1, name


def write_tables(tables: duckdb.DuckDBPyConnection, bank: Bank) -> None:
    """The rows known before the date, as the bank delivers them."""
    known = {name: (table, AS_OF) for name, table in TABLES.items()}
    known["customers_before"] = (TABLES["customers"], months_before(AS_OF, 6))
    for name, (table, until) in known.items():
        rows = known_before(table, bank[table.name], until)
        names = [column.name for column in columns_of(table)]
        columns = {column: [row[column] for row in rows] for column in names}
        tables.register(f"{name}_rows", pa.table(columns))
        typed = ", ".join(f"{c.name}::{_type(c.type)} as {c.name}" for c in columns_of(table))
        tables.execute(f"create table {name} as select {typed} from {name}_rows")
    write_margins(tables, PRODUCT_FACTS)
    describe(tables)


def _type(spark_type: str) -> str:
    return {"string": "varchar", "timestamp": "timestamptz"}.get(spark_type, spark_type)
