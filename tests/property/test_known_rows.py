"""What an export is checked with is what the engine knows: late, corrected, deleted and merged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.known_rows import known_rows, persons_before
from tables.sources import CONSENTS, CONTACTS, CUSTOMER_MERGES, CUSTOMERS, FLAGS, stored
from tables.store import Store
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


def test_of_flags_of_one_day_on_merged_records_the_longest_holds(tmp_path):
    """Drawn banks hardly ever have such a pair."""
    known = datetime(2024, 1, 2, tzinfo=UTC)
    common = {"recorded_at": known, "delivery": AS_OF, "is_deleted": False, "is_revision": False}
    flag = common | {"flag": "vulnerable", "valid_from": date(2024, 1, 1)}
    merge = common | {"customer_id": "C1", "survivor_id": "C2", "merged_on": date(2024, 1, 1)}
    rows = {
        FLAGS: [
            flag | {"customer_id": "C2", "valid_to": date(2024, 2, 1)},
            flag | {"customer_id": "C1", "valid_to": None},
        ],
        CUSTOMER_MERGES: [merge],
    }
    staging = Staging(tmp_path, "0" * 12, AS_OF, 1)
    for table, added in rows.items():
        schema = arrow_schema(stored(table))
        whole = [{name: row.get(name) for name in schema.names} for row in added]
        staging.stage(stored(table), pa.Table.from_pylist(whole, schema=schema))
    store = Store(tmp_path, None, {}, staging.files)
    [found] = known_rows(store, FLAGS, ["C1"], AS_OF, persons_before(store, AS_OF))["C2"]
    assert (found["customer_id"], found["valid_to"]) == ("C2", None)
