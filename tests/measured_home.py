"""A home with a few clients, past campaigns and what followed, by hand; without an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from conf.load import config_json, load_config
from jobs.home import Home
from jobs.measurement.campaigns import measured_campaigns
from jobs.measurement.offers import offers_and_clients
from tables.base import Table
from tables.delta import latest_version
from tables.derived import DECISIONS, DELIVERIES, DISPOSITIONS
from tables.runs import RunRecord, Runs
from tables.sources import SOURCES, stored
from tables.store import Store
from tests.fairness_home import add_rows
from tests.tables import parse_rows

KNOWN = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = load_config("local")
USUAL = {
    "campaign_id": "monthly", "branch_id": "B1", "household_id": None,
    "move": "cross_sell_internal", "channel": "phone", "outcome": "offered", "failed_gates": [],
    "propensity": 0.1, "response": 0.1, "margin": 90, "contact_cost": 5,
    "is_in_global_holdout": False, "contacts_left_30d": 1, "consent_checked_at": KNOWN,
    "is_exploration": False,
}  # fmt: skip
CUSTOMER = {"joined_on": date(2020, 1, 1), "is_employee": False, "branch_id": "B1"}


def open_home(folder: Path, until: date) -> Home:
    """Deliveries of holdings until a day, and nothing else."""
    home = Home(folder)
    home.create()
    row = {
        "delivery": until, "table_name": "holdings", "manifest_sha256": "0", "rows_in": 1,
        "rows_accepted": 1, "rows_quarantined": 0,
    }  # fmt: skip
    add_rows(home, DELIVERIES, [row], until)
    return home


def campaign(
    home: Home, as_of: date, rows: Sequence[dict[str, Any]], overrides: Sequence[str] = ()
) -> RunRecord:
    """Commit a campaign; a row says what matters of a decision, at least client and offer."""
    runs = len(Runs(home.tables).committed())
    run_id = hashlib.sha256(f"campaign {as_of} {runs}".encode()).hexdigest()
    config = load_config("local", overrides) if overrides else CONFIG
    decisions = [
        {"as_of": as_of, "run_id": run_id}
        | USUAL
        | {"product_id": config.offers[row["offer_id"]].product}
        | {"is_in_control_group": row.get("outcome") == "control"}
        | row
        for row in rows
    ]
    version = add_rows(home, DECISIONS, decisions, as_of)
    return Runs(home.tables).append(
        RunRecord(
            run_id=run_id, step="campaign", as_of=as_of, campaign_id="monthly", supersedes=None,
            inputs={}, pins={DECISIONS.name: version}, outputs={DECISIONS.name: {}}, counts={},
            config_hash="", config=config_json(config), code_version="", engine="none",
            seconds=0.0,
        )
    )  # fmt: skip


def know(home: Home, table: Table, text: str, **defaults: Any) -> None:
    """Rows of a source table or of returned results, as ``tests.tables`` reads them."""
    more = {"delivery": date(2026, 1, 1), "is_deleted": False, "is_revision": False}
    usual = {"recorded_at": KNOWN} | (CUSTOMER if table.name == "customers" else {}) | defaults
    if table == DISPOSITIONS:
        add_rows(home, table, parse_rows(table, text, **usual, file_sha256="0"), KNOWN.date())
        return
    one = stored(table)
    usual |= {name: value for name, value in more.items() if name in one.column_names}
    add_rows(home, one, parse_rows(one, text, **usual), KNOWN.date())


def pins_of(home: Home) -> dict[str, int]:
    """The newest versions of source tables and deliveries."""
    names = [*(table.name for table in SOURCES), DELIVERIES.name]
    found = {name: latest_version(home.tables / name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


def store_of(home: Home) -> Store:
    """What measuring reads, returned results included."""
    returned = latest_version(home.tables / DISPOSITIONS.name)
    more = {} if returned is None else {DISPOSITIONS.name: returned}
    return Store(home.tables, None, pins_of(home) | more)


def measured(home: Home, as_of: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Offers and clients as rows."""
    store = store_of(home)
    campaigns = measured_campaigns(home, store, as_of, CONFIG.measurement.effect.months)
    found = offers_and_clients(store, campaigns, CONFIG, as_of)
    return found[0].to_pylist(), found[1].to_pylist()
