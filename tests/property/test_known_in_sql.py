"""What is asked in SQL over files is what the engine knows: late, corrected, deleted, merged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.measurement.known_in_sql import known_in_sql
from tables.sources import CONTACTS, HOLDINGS
from tests.bank import AS_OF
from tests.versions_bank import stored_bank

COLUMNS = {
    HOLDINGS: ["holding_id", "product_id", "opened_on", "closed_on"],
    CONTACTS: ["contact_id", "product_id", "contacted_on", "disposition"],
}


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_in_sql_are_those_the_engine_gives(spark, tmp_path, seed):
    store = stored_bank(spark, tmp_path, seed)
    for day in (AS_OF, AS_OF - timedelta(100)):
        with known_in_sql(store, day) as known:
            assert known.sql.execute("SELECT count(*) FROM persons").fetchall() != [(0,)]
            for table, columns in COLUMNS.items():
                found = known.sql.sql(known.known(table, columns)).fetchall()
                rows = store.known_before(table, day).select(*columns, "customer_id").collect()
                assert rows, f"{table.name}: a test of nothing"
                assert sorted(map(repr, found)) == sorted(repr(tuple(row)) for row in rows)
