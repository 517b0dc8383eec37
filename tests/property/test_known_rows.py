"""What an export is checked with is what the engine knows: late, corrected, deleted and merged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tables.known_rows import known_rows, persons_before
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS
from tests.bank import AS_OF
from tests.versions_bank import stored_bank


def in_order(rows):
    return sorted(map(repr, (sorted(row.items()) for row in rows)))


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_of_some_customers_are_those_the_engine_gives(spark, tmp_path, seed):
    store = stored_bank(spark, tmp_path, seed)
    asked = [f"C{number}" for number in range(0, 40, 3)]
    for day in (AS_OF, AS_OF - timedelta(100)):
        persons = persons_before(store, day)
        wanted = {persons.person(customer) for customer in asked}
        for table in (CUSTOMERS, CONSENTS, FLAGS, CONTACTS):
            engine = [
                row
                for row in store.known_before(table, day).toArrow().to_pylist()
                if row["customer_id"] in wanted
            ]
            found = known_rows(store, table, asked, day, persons)
            assert engine, f"{table.name}: a test of nothing"
            assert in_order(row for rows in found.values() for row in rows) == in_order(engine)
            assert all(row["customer_id"] == who for who, rows in found.items() for row in rows)
        assert persons.survivor, "nobody was merged"
