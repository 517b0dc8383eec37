"""A past month is rebuilt as it was known, whatever later deliveries say of that time."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.run_month import run_steps
from jobs.steps import INGEST, MONTH
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, PROPENSITY_SCORES
from tables.files import sha256_of
from tables.sources import CUSTOMERS, TRANSACTIONS
from tables.store import Store
from tests.deliveries import csv_of
from tests.month import AS_OF

LATER = date(2026, 12, 1)
RECORDED = datetime(2026, 11, 20, 9, tzinfo=UTC)
# What names the run that made a row, and nothing else.
OF_THE_RUN = ("run_id", "log_leaf", "feature_version", "model_version")


def later_delivery(landing):
    """December: late and corrected bookings, customers who moved or are gone, a merge."""
    last, folder = landing / str(AS_OF), landing / str(LATER)
    folder.mkdir()
    for path in last.iterdir():
        if path.name.split(".")[0] not in ("transactions", "contacts", "consents", "manifest"):
            shutil.copy(path, folder / path.name)
    customers = pq.read_table(last / "customers.parquet")
    moved = pa.array(["B00000"] * customers.num_rows)
    place = customers.schema.get_field_index("branch_id")
    gone = customers.set_column(place, "branch_id", moved).slice(5)
    pq.write_table(gone, folder / "customers.parquet")
    bookings = pq.read_table(last / "transactions.parquet").slice(0, 300)
    pq.write_table(_corrected(bookings), folder / "transactions.parquet")
    for name in ("contacts", "consents"):
        nothing = pq.read_table(last / f"{name}.parquet").slice(0, 0)
        pq.write_table(nothing, folder / f"{name}.parquet")
    pair = customers["customer_id"].slice(10, 2).to_pylist()
    merge = "customer_id | survivor_id | merged_on | recorded_at\n"
    merge += f"{pair[0]} | {pair[1]} | 2026-11-05 | 2026-11-06T08:00:00Z"
    (folder / "customer_merges.csv").write_text(csv_of("customer_merges", merge))
    _write_manifest(folder)
    return pair


def _corrected(bookings):
    """Half of them with another amount, half as new ones that came years late."""
    half = bookings.num_rows // 2
    corrected, late = bookings.slice(0, half), bookings.slice(half)
    names = pa.array([f"LATE{number}" for number in range(late.num_rows)])
    long_ago = pa.array([date(2026, 9, 9)] * late.num_rows)
    late = late.set_column(0, "transaction_id", names)
    late = late.set_column(late.schema.get_field_index("booked_on"), "booked_on", long_ago)
    both = pa.concat_tables([corrected, late.cast(corrected.schema)])
    double = pc.multiply(both["amount"], pa.scalar(2)).cast(both.schema.field("amount").type)
    both = both.set_column(both.schema.get_field_index("amount"), "amount", double)
    recorded = pa.array([RECORDED] * both.num_rows, both.schema.field("recorded_at").type)
    return both.set_column(both.schema.get_field_index("recorded_at"), "recorded_at", recorded)


def _write_manifest(folder):
    files = {
        path.name: {"rows": _rows_in(path), "sha256": sha256_of(path)}
        for path in sorted(folder.iterdir())
    }
    content = json.dumps({"delivery": folder.name, "files": files})
    (folder / "manifest.json").write_text(content)


def _rows_in(path):
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    return path.read_bytes().count(b"\n") - 1


def published(home, spark):
    """What a month decided, without what names the run."""
    runs = Context(AS_OF, None, home, spark).runs
    store = Store(home.tables, spark, runs.current("campaign", AS_OF).pins)
    found = {}
    for table in (PROPENSITY_SCORES, DECISIONS, CAMPAIGN_LISTS, CARE_LISTS):
        rows = store.arrow(table, AS_OF)
        found[table.name] = rows.drop([name for name in OF_THE_RUN if name in rows.column_names])
    return found


def test_a_past_month_is_rebuilt_after_later_deliveries_with_identical_lists(
    bank, spark, registry_home
):
    home = Home(registry_home)
    home.create()
    shutil.copytree(bank.home.landing, home.landing, dirs_exist_ok=True)
    merged, survivor = later_delivery(home.landing)
    later = execute(Context(LATER, lenient(bank.config), home, spark), INGEST)
    store = Store(home.tables, spark, later.record.pins)
    assert merged not in _ids(store, LATER)
    assert {merged, survivor} <= _ids(store, AS_OF)
    assert store.versions(TRANSACTIONS).where("transaction_id like 'LATE%'").count() == 150

    run_steps(Context(AS_OF, bank.config, home, spark), MONTH)

    before, after = published(bank.home, spark), published(home, spark)
    assert {name: rows.num_rows for name, rows in before.items() if not rows.num_rows} == {}
    for name, rows in before.items():
        assert rows.equals(after[name]), name


def lenient(config):
    """December is made unlike any month before; that is not what is tested here."""
    trailing = config.checks.trailing.model_copy(
        update={"empty_from": 10**6, "max_unbalanced_share_critical": 1.0}
    )
    return config.model_copy(
        update={"checks": config.checks.model_copy(update={"trailing": trailing})}
    )


def _ids(store, as_of):
    return {row["customer_id"] for row in store.known_before(CUSTOMERS, as_of).collect()}
