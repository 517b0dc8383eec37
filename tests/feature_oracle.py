"""Features computed once more in DuckDB, from tables as a bank knew them before a date.

A database to be asked has the tables `customers`, `customers_before` (as known half a year
earlier), `accounts`, `transactions` with their owner, `holdings`, `consents`, `flags`, `contacts`,
`fx_rates` as in `tables/sources.py`, and `margins`: what is still expected in `cents` of a holding
of `product_id` from so many completed `months` on, and whether it `is_partner`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from features.product_facts import ProductFacts
from tests.property.feature_queries import (
    BOOKED,
    EXPECTED,
    LAST_BALANCES,
    WITHOUT_ROWS,
    product_queries,
)
from tests.property.rhythm_queries import MORE_EXPECTED, MORE_WITHOUT_ROWS, VIEWS

NOTHING = WITHOUT_ROWS | MORE_WITHOUT_ROWS
MACROS = """
create macro months_before(n) as (as_of() - to_months(n))::date;
create macro cents(euros) as (euros * 100)::bigint;
create macro money(c) as (c::decimal(20, 0) / 100)::decimal(18, 2);
create macro held_for(day) as datediff('month', day, as_of()) - (day(day) > 1)::int;
"""
OPEN = """
create view active as select * from customers where joined_on < as_of()
    and (left_on is null or left_on >= as_of())
    and (deceased_on is null or deceased_on >= as_of());
create view held as select * from holdings
where opened_on < as_of() and (closed_on is null or closed_on >= as_of());
"""
MARGINS = "create table margins (product_id varchar, is_partner boolean, months int, cents bigint)"


def queries(products: Sequence[str]) -> dict[str, str]:
    """All of them, by feature."""
    return EXPECTED | MORE_EXPECTED | product_queries(tuple(products))


def database(as_of: date, base_currency: str) -> duckdb.DuckDBPyConnection:
    """An empty one that knows the date; fill in the tables, then `describe` them."""
    opened = duckdb.connect()
    opened.execute("set timezone = 'UTC'")
    opened.execute(f"create macro as_of() as date '{as_of}'")
    opened.execute(f"create macro base() as '{base_currency}'")
    opened.execute(MACROS)
    return opened


def describe(tables: duckdb.DuckDBPyConnection) -> None:
    """What the queries have in common."""
    for statement in (BOOKED, LAST_BALANCES, OPEN, *VIEWS):
        tables.execute(statement)


def write_margins(tables: duckdb.DuckDBPyConnection, facts: Mapping[str, ProductFacts]) -> None:
    """Margins as a test states them, month by month."""
    tables.execute(MARGINS)
    rows = [
        (product, fact.is_partner, months, cents)
        for product, fact in facts.items()
        for months, cents in enumerate(fact.remaining_cents)
    ]
    tables.executemany("insert into margins values (?, ?, ?, ?)", rows)


def recomputed(
    tables: duckdb.DuckDBPyConnection, asked: Mapping[str, str], customers: Collection[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each feature with its value by customer, none left out."""
    for name, query in asked.items():
        rows = dict(tables.execute(query).fetchall())
        yield name, {one: _or(rows.get(one), NOTHING.get(name)) for one in customers}


def same_for_all(
    snapshot: pa.Table, tables: duckdb.DuckDBPyConnection, asked: Mapping[str, str]
) -> set[str]:
    """Assert that `customer_features` says the same of every customer.

    Returns:
        Features that have one value for all of them, so that little is shown.
    """
    customers = snapshot["customer_id"].to_pylist()
    active = tables.execute("select customer_id from active order by 1").fetchall()
    assert [(customer,) for customer in sorted(customers)] == active
    alike = set()
    for name, expected in recomputed(tables, asked, customers):
        assert dict(zip(customers, snapshot[name].to_pylist(), strict=True)) == expected, name
        alike |= {name} if len(set(expected.values())) == 1 else set()
    return alike


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
