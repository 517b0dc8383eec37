"""A home with months of committed scores and what was bought after them; without an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from conf.load import config_json, load_config
from features.catalogue import customer_features_table
from jobs.home import Home
from tables.base import Table
from tables.delta import latest_version
from tables.derived import DECISIONS, DELIVERIES, PROPENSITY_SCORES
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMER_MERGES, CUSTOMERS, HOLDINGS, stored
from tests.fairness_home import add_merges, add_rows

CONFIG = load_config("local")
TABLE = customer_features_table(tuple(CONFIG.products))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OFFERS = {"mortgage": "mortgage_2026", "savings_account": "savings_account_2026"}
Scores = Mapping[tuple[str, str], float]  # by client and product
ALL_TABLES = (
    stored(CUSTOMERS), stored(HOLDINGS), stored(CUSTOMER_MERGES), DELIVERIES, TABLE,
    PROPENSITY_SCORES, DECISIONS,
)  # fmt: skip


def open_home(folder: Path, clients: Iterable[str]) -> Home:
    """With clients who were all born in 1985, and no holdings."""
    home = Home(folder)
    home.create()
    rows = [
        {
            "customer_id": who, "gender": "f", "branch_id": "B1", "birth_date": date(1985, 5, 5),
            "joined_on": date(2010, 1, 1), "is_employee": False, "language": "en",
            "recorded_at": LONG_AGO, "delivery": LONG_AGO.date(), "is_deleted": False,
        }
        for who in clients
    ]  # fmt: skip
    add_rows(home, stored(CUSTOMERS), rows, LONG_AGO.date())
    return home


def add_scores(home: Home, as_of: date, scores: Scores, version: int = 1, **features: Any) -> None:
    """Commit a month's scores.

    Args:
        home: Where.
        as_of: The month.
        scores: Propensity by client and product.
        version: Of every model.
        **features: By name a value of all clients, or values by client.
    """
    clients = sorted({who for who, _ in scores})
    usual = {"income_amount_3m": 9000, "balance_amount": 9000} | features
    rows = [
        {"as_of": as_of, "customer_id": who} | {k: _of(v, who) for k, v in usual.items()}
        for who in clients
    ]
    add_rows(home, TABLE, rows, as_of)
    told = [
        {
            "as_of": as_of, "customer_id": who, "product_id": what, "propensity": float(chance),
            "model_name": f"propensity_{what}", "model_version": version, "model_kind": "booster",
            "feature_version": 0,
        }
        for (who, what), chance in scores.items()
    ]  # fmt: skip
    add_rows(home, PROPENSITY_SCORES, told, as_of)
    record(home, "score", as_of, PROPENSITY_SCORES)


def add_purchases(
    home: Home,
    bought: Iterable[tuple[str, str, date]],
    known_after: int = 1,
    *,
    deleted_on: date | None = None,
) -> None:
    """Purchases, known some days after; or that they were none, as known from a day on."""
    rows = [
        {
            "holding_id": f"H{who}{what}{day}", "customer_id": who, "product_id": what,
            "opened_on": day, "recorded_at": _midnight(deleted_on or day + timedelta(known_after)),
            "delivery": day, "is_deleted": deleted_on is not None,
        }
        for who, what, day in bought
    ]  # fmt: skip
    add_rows(home, stored(HOLDINGS), rows, date(2020, 1, 1))


def add_campaign(
    home: Home,
    as_of: date,
    offered: Iterable[tuple[str, str]],
    withheld: Iterable[tuple[str, str]] = (),
    share: float = 0.2,
    **more: Any,
) -> None:
    """Commit a campaign that offered clients products, and withheld some from others."""
    config = CONFIG.model_copy(
        update={"campaign": CONFIG.campaign.model_copy(update={"control_share": share})}
    )
    parts = {"offered": offered, "control": withheld}
    rows = [
        {
            "as_of": as_of, "run_id": "c", "campaign_id": "monthly", "customer_id": who,
            "offer_id": OFFERS.get(what, what), "product_id": what, "branch_id": "B1",
            "move": "cross_sell_internal", "outcome": outcome, "failed_gates": [],
            "failed_rules": [], "margin": 90, "contact_cost": 5, "is_in_global_holdout": False,
            "is_in_control_group": outcome == "control", "contacts_left_30d": 1,
            "consent_checked_at": LONG_AGO, "rules_version": "1", "is_exploration": False,
        } | more
        for outcome, some in parts.items()
        for who, what in some
    ]  # fmt: skip
    add_rows(home, DECISIONS, rows, as_of)
    record(home, "campaign", as_of, DECISIONS, config_json(config))


def ingest(home: Home, as_of: date, merged: Mapping[str, str] | None = None) -> None:
    """Commit that holdings were delivered on the day; with records given up, from 15 October."""
    row = {
        "delivery": as_of, "table_name": HOLDINGS.name, "manifest_sha256": "0", "rows_in": 1,
        "rows_accepted": 1, "rows_quarantined": 0,
    }  # fmt: skip
    add_rows(home, DELIVERIES, [row], as_of)
    if merged:
        add_merges(home, merged)
    record(home, "ingest", as_of, DELIVERIES)


def record(home: Home, step: str, as_of: date, wrote: Table, config: str = "") -> RunRecord:
    """Commit a run that read every table there is."""
    versions = {one.name: latest_version(home.tables / one.name) for one in ALL_TABLES}
    count = len(Runs(home.tables).committed())
    return Runs(home.tables).append(
        RunRecord(
            run_id=hashlib.sha256(f"{step} {as_of} {count}".encode()).hexdigest(),
            step=step,
            as_of=as_of,
            campaign_id="monthly",
            supersedes=None,
            inputs={},
            pins={name: version for name, version in versions.items() if version is not None},
            outputs={wrote.name: {}},
            counts={},
            config_hash="",
            config=config or config_json(CONFIG),
            code_version="",
            engine="none",
            seconds=0.0,
        )
    )


def drawn_scores(clients: Iterable[str], product: str, mean: float, seed: int = 1) -> Scores:
    """Propensities around a mean."""
    random, names = np.random.default_rng(seed), list(clients)
    chances = random.beta(1, 1 / mean - 1, len(names))
    return {(who, product): float(chance) for who, chance in zip(names, chances, strict=True)}


def _of(value: Any, who: str) -> Any:
    return value.get(who) if isinstance(value, Mapping) else value


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
