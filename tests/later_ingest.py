"""What a later delivery would bring of clients: a committed ingest, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa

from jobs.home import Home
from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.base import Table
from tables.delta import commit_files, files_of
from tables.runs import RunRecord, Runs
from tables.sources import stored


def learn(home: Home, day: date, rows: Mapping[Table, list[dict[str, Any]]]) -> RunRecord:
    """Commit versions of source rows that a delivery of ``day`` brings."""
    runs = Runs(home.tables)
    base = runs.newest("ingest", lambda _: True)
    run_id = f"{base.run_id[:40]}{day:%Y%m%d}".ljust(64, "0")
    staging = Staging(home.tables, run_id, day, 1)
    common = {
        "recorded_at": datetime.combine(day, time(), tzinfo=UTC).replace(day=day.day - 1),
        "delivery": day,
        "is_deleted": False,
        "is_revision": True,
    }
    pins, outputs = dict(base.pins), {}
    for table, added in rows.items():
        schema = arrow_schema(stored(table))
        whole = [{name: (common | row).get(name) for name in schema.names} for row in added]
        staging.stage(stored(table), pa.Table.from_pylist(whole, schema=schema))
        files = [*files_of(home.tables / table.name, base.pins[table.name])]
        files += staging.files[table.name]
        pins[table.name] = commit_files(home.tables / table.name, stored(table), files, run_id)
        outputs[table.name] = {}
    return runs.append(
        replace(
            base,
            run_id=run_id,
            inputs={**base.inputs, str(day): "0" * 64},
            pins=pins,
            outputs=outputs,
        )
    )


def present(home: Home, table: Table, customer_id: str) -> dict[str, Any]:
    """The stored row of a client, to be changed."""
    from tables.known_rows import known_rows, persons_before
    from tables.store import Store

    store = Store(home.tables, None, Runs(home.tables).newest("ingest", lambda _: True).pins)
    persons = persons_before(store, date(2100, 1, 1))
    [row] = known_rows(store, table, [customer_id], date(2100, 1, 1), persons)[customer_id]
    return row
