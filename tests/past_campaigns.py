"""Committed campaigns of past months and what was bought after them, for tests of uplift."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from conf.schema import RunConfig
from jobs.run import Run
from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.delta import commit_files, files_of
from tables.derived import DECISIONS
from tables.runs import RunRecord, Runs
from tables.sources import HOLDINGS, stored
from tables.store import Store

Row = Mapping[str, Any]
KNOWN = datetime(2023, 1, 1, tzinfo=UTC)


def publish_campaign(
    tables: Path,
    as_of: date,
    rows: Iterable[Row],
    *,
    control_share: float = 0.2,
    run_id: str = "",
) -> str:
    """Commit the decisions of a month, as `xsell campaign` does; a row says what matters of it."""
    run_id = run_id or hashlib.sha256(as_of.isoformat().encode()).hexdigest()
    decisions = [_decision(as_of, run_id, row) for row in rows]
    staging = Staging(tables, run_id, as_of, partitions=1)
    staging.stage(DECISIONS, pa.Table.from_pylist(decisions, schema=arrow_schema(DECISIONS)))
    present = files_of(tables / DECISIONS.name, Runs(tables).head(DECISIONS.name))
    files = [*present, *staging.files[DECISIONS.name]]
    version = commit_files(tables / DECISIONS.name, DECISIONS, files, run_id)
    record = RunRecord(
        run_id=run_id, step="campaign", as_of=as_of, campaign_id="monthly", supersedes=None,
        inputs={}, pins={DECISIONS.name: version}, outputs={DECISIONS.name: {}}, counts={},
        config_hash="", config=json.dumps({"campaign": {"control_share": control_share}}),
        code_version="", engine="embedded", seconds=0.0,
    )  # fmt: skip
    Runs(tables).append(record)
    return run_id


def _decision(as_of: date, run_id: str, row: Row) -> dict[str, Any]:
    usual = {
        "as_of": as_of, "run_id": run_id, "campaign_id": "monthly", "branch_id": "B1",
        "move": "cross_sell_internal", "outcome": "offered", "failed_gates": [], "margin": 90,
        "contact_cost": 5, "propensity": 0.1, "is_in_global_holdout": False,
        "is_in_control_group": row.get("outcome") == "control", "contacts_left_30d": 1,
        "offer_id": f"{row['product_id']}_offer", "consent_checked_at": KNOWN,
    }  # fmt: skip
    return usual | dict(row)


def training_run(
    tables: Path,
    spark: SparkSession,
    as_of: date,
    config: RunConfig,
    opened: Iterable[tuple[str, str, date, datetime]],
    run_id: str = "t" * 64,
) -> Run:
    """A training run over a store that holds these purchases: who, what, when, known from when."""
    rows = [
        {
            "holding_id": f"{run_id[:4]}{place}", "customer_id": who, "product_id": what,
            "opened_on": day, "recorded_at": known, "delivery": day, "is_deleted": False,
        }
        for place, (who, what, day, known) in enumerate(opened)
    ]  # fmt: skip
    holdings = stored(HOLDINGS)
    staging = Staging(tables, run_id, as_of, partitions=1)
    staging.stage(holdings, pa.Table.from_pylist(rows, schema=arrow_schema(holdings)))
    files = staging.files[HOLDINGS.name]
    version = commit_files(tables / HOLDINGS.name, holdings, files, run_id)
    store = Store(tables, spark, {HOLDINGS.name: version})
    return Run("train", as_of, run_id, config, tables.parent, spark, store, staging)
