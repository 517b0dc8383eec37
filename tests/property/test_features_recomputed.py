"""Key features again, in SQL: two engines that agree on our code do not make it right."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from tables.windows import months_before
from tests.bank import AS_OF, PRODUCTS, TABLES, Bank, known_before, snapshot
from tests.drawn_bank import drawn
from tests.property.feature_queries import BOOKED, EXPECTED, LAST_BALANCES, WITHOUT_ROWS
from tests.property.rhythm_queries import MORE_EXPECTED, MORE_WITHOUT_ROWS, VIEWS
from tests.tables import columns_of

SEEDS = (1, 2)
QUERIES = EXPECTED | MORE_EXPECTED
NOTHING = WITHOUT_ROWS | MORE_WITHOUT_ROWS


@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_an_independent_computation_exactly(spark: SparkSession, seed: int) -> None:
    bank = drawn(seed)
    features = [f for f in feature_catalogue(PRODUCTS) if f.name in QUERIES]
    assert len(features) == len(QUERIES) >= 45
    found = snapshot(spark, bank, features)
    with _database(bank) as database:
        for name, query in QUERIES.items():
            rows = dict(database.execute(query).fetchall())
            expected = {c: _or(rows.get(c), NOTHING.get(name)) for c in found}
            assert {customer: row[name] for customer, row in found.items()} == expected, name
            assert len(set(expected.values())) > 1, name


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _database(bank: Bank) -> duckdb.DuckDBPyConnection:
    """The rows known before the date, as the bank delivers them."""
    database = duckdb.connect()
    database.execute("set timezone = 'UTC'")
    known = {name: (table, AS_OF) for name, table in TABLES.items()}
    known["customers_before"] = (TABLES["customers"], months_before(AS_OF, 6))
    for name, (table, until) in known.items():
        rows = known_before(table, bank[table.name], until)
        names = [column.name for column in columns_of(table)]
        columns = {column: [row[column] for row in rows] for column in names}
        database.register(f"{name}_rows", pa.table(columns))
        typed = ", ".join(f"{c.name}::{_type(c.type)} as {c.name}" for c in columns_of(table))
        database.execute(f"create table {name} as select {typed} from {name}_rows")
    database.execute("create macro cents(euros) as (euros * 100)::bigint")
    database.execute("create macro money(c) as (c::decimal(20, 0) / 100)::decimal(18, 2)")
    database.execute(BOOKED)
    database.execute(LAST_BALANCES)
    database.execute("""
        create view active as select * from customers where joined_on < date '2024-04-01'
            and (left_on is null or left_on >= date '2024-04-01')
            and (deceased_on is null or deceased_on >= date '2024-04-01')""")
    database.execute("""
        create view held as select * from holdings where opened_on < date '2024-04-01'
            and (closed_on is null or closed_on >= date '2024-04-01')""")
    for view in VIEWS:
        database.execute(view)
    return database


def _type(spark_type: str) -> str:
    return {"string": "varchar", "timestamp": "timestamptz"}.get(spark_type, spark_type)
