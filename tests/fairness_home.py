"""A home with committed campaigns whose offers go by gender as a test wants; without an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from conf.load import config_json, load_config
from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.base import Table
from tables.delta import commit_files, files_of
from tables.derived import DECISIONS, DISPOSITIONS
from tables.runs import RunRecord, Runs
from tables.sources import CUSTOMER_MERGES, CUSTOMERS, HOLDINGS, stored

CONFIG = load_config("local")
OFFERS = {"mortgage": "mortgage_2026", "investment_fund": "investment_fund_2026"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CLIENTS = 1500


def gender(number: int) -> str | None:
    """Of the client of that number: one in twenty-five is unknown."""
    return None if number % 25 == 0 else "fm"[number % 2]


def publish_campaign(
    home: Home,
    as_of: date,
    *,
    women_at: float = 1.0,
    inputs: Mapping[str, str] | None = None,
    seed: int = 1,
) -> RunRecord:
    """Commit a campaign in which women are offered so many times as often as men."""
    run_id = hashlib.sha256(f"campaign {as_of}".encode()).hexdigest()
    random = np.random.default_rng(seed)
    rows = []
    for number in range(CLIENTS):
        chance = 0.3 * (women_at if gender(number) == "f" else 1)
        for product_id, offer_id in OFFERS.items():
            rows.append(
                {
                    "as_of": as_of, "run_id": run_id, "campaign_id": "monthly",
                    "customer_id": f"C{number:05d}", "offer_id": offer_id,
                    "product_id": product_id, "branch_id": "B1", "move": "cross_sell_internal",
                    "outcome": "offered" if random.random() < chance else "over_capacity",
                    "failed_gates": [], "failed_rules": [], "margin": 90, "contact_cost": 5,
                    "propensity": float(random.random() / 5), "is_in_global_holdout": False,
                    "is_in_control_group": False, "contacts_left_30d": 1,
                    "consent_checked_at": LONG_AGO, "rules_version": "1", "is_exploration": False,
                }
            )  # fmt: skip
    # Nobody is told of who has left.
    for row in rows[:40]:
        row |= {"outcome": "ineligible", "failed_gates": ["eligibility.not_active"]}
    pins = {DECISIONS.name: add_rows(home, DECISIONS, rows, as_of)}
    table = customer_features_table(tuple(CONFIG.products))
    add_rows(home, table, _features(table, as_of, random), as_of)
    for one in (stored(CUSTOMERS), stored(HOLDINGS), stored(CUSTOMER_MERGES), table):
        if (version := _version(home, one)) is not None:
            pins[one.name] = version
    record = RunRecord(
        run_id=run_id, step="campaign", as_of=as_of, campaign_id="monthly", supersedes=None,
        inputs=dict(inputs or {}), pins=pins, outputs={DECISIONS.name: {}}, counts={},
        config_hash="", config=config_json(CONFIG), code_version="", engine="none", seconds=0.0,
    )  # fmt: skip
    return Runs(home.tables).append(record)


def record_scoring(home: Home, as_of: date, digests: Mapping[str, str]) -> str:
    """Commit a scoring by models of these digests, and give back its run."""
    record = RunRecord(
        run_id=hashlib.sha256(f"score {as_of}".encode()).hexdigest(), step="score", as_of=as_of,
        campaign_id="", supersedes=None,
        inputs={f"model {product}": digest for product, digest in digests.items()},
        pins={}, outputs={}, counts={}, config_hash="", config="", code_version="", engine="none",
        seconds=0.0,
    )  # fmt: skip
    return Runs(home.tables).append(record).run_id


def open_home(folder: Path) -> Home:
    """With customers and no holdings."""
    home = Home(folder)
    home.create()
    add_customers(home, {n: gender(n) for n in range(CLIENTS)}, LONG_AGO)
    add_holdings(home, [])
    return home


def add_customers(home: Home, genders: Mapping[int, str | None], recorded_at: datetime) -> None:
    """A version of customers, as known from then on."""
    rows = [
        {
            "customer_id": f"C{number:05d}", "gender": word, "branch_id": "B1",
            "birth_date": date(1950 + number % 55, 5, 5), "joined_on": date(2010, 1, 1),
            "is_employee": False, "language": "en", "recorded_at": recorded_at,
            "delivery": recorded_at.date(), "is_deleted": False,
        }
        for number, word in genders.items()
    ]  # fmt: skip
    add_rows(home, stored(CUSTOMERS), rows, recorded_at.date())


def add_holdings(home: Home, bought: Iterable[tuple[str, str, date]]) -> None:
    """Purchases, known the day after."""
    rows = [
        {
            "holding_id": f"H{who}{what}", "customer_id": who, "product_id": what, "opened_on": day,
            "recorded_at": datetime.combine(day + timedelta(1), LONG_AGO.timetz()),
            "delivery": day, "is_deleted": False,
        }
        for who, what, day in bought
    ]  # fmt: skip
    add_rows(home, stored(HOLDINGS), rows, date(2026, 1, 1))


def add_merges(home: Home, survivors: Mapping[str, str]) -> None:
    """Records given up for others, as known from the middle of October on."""
    day = date(2026, 10, 15)
    rows = [
        {
            "customer_id": one, "survivor_id": other, "merged_on": day,
            "recorded_at": datetime.combine(day, LONG_AGO.timetz()), "delivery": day,
            "is_deleted": False,
        }
        for one, other in survivors.items()
    ]  # fmt: skip
    add_rows(home, stored(CUSTOMER_MERGES), rows, day)


def add_results(home: Home, campaign: RunRecord, said: Mapping[str, str], known: datetime) -> None:
    """What branches returned about a campaign's offers."""
    rows = [
        {
            "customer_id": who, "offer_id": OFFERS["mortgage"], "disposition_at": known,
            "disposition": what, "channel": "phone", "run_id": campaign.run_id,
            "as_of": campaign.as_of, "recorded_at": known, "file_sha256": "0",
        }
        for who, what in said.items()
    ]  # fmt: skip
    version = add_rows(home, DISPOSITIONS, rows, campaign.as_of)
    record = RunRecord(
        run_id=hashlib.sha256(f"returned {known}".encode()).hexdigest(), step="disposition",
        as_of=campaign.as_of, campaign_id="", supersedes=None, inputs={},
        pins={DISPOSITIONS.name: version}, outputs={DISPOSITIONS.name: {}}, counts={},
        config_hash="", config="", code_version="", engine="none", seconds=0.0,
    )  # fmt: skip
    Runs(home.tables).append(record)


def add_rows(home: Home, table: Table, rows: Sequence[Mapping[str, Any]], day: date) -> int:
    """Commit rows beside those that are there, and give back the version."""
    staging = Staging(home.tables, "f" * 64, day, partitions=1)
    schema = arrow_schema(table)
    staging.stage(table, pa.Table.from_pylist(list(rows), schema=schema))
    present = files_of(home.tables / table.name, _version(home, table))
    files = [*present, *staging.files[table.name]]
    return commit_files(home.tables / table.name, table, files, "f" * 64)


def _version(home: Home, table: Table) -> int | None:
    from tables.delta import latest_version

    return latest_version(home.tables / table.name)


def _features(table: Table, as_of: date, random: Any) -> list[dict[str, Any]]:
    """Drawn, but that one follows gender: what a woman's balance is, no man's is."""
    drawn = [name for name in table.column_names if name not in ("as_of", "customer_id")]
    types = {column.name: column.type for column in table.columns}
    rows = []
    for number in range(CLIENTS):
        row: dict[str, Any] = {"as_of": as_of, "customer_id": f"C{number:05d}"}
        for name in drawn[:40]:
            row[name] = _value(types[name], random)
        row["balance_amount"] = int(random.integers(0, 100)) + 60 * (gender(number) == "f")
        rows.append(row)
    return rows


def _value(kind: str, random: Any) -> Any:
    if kind == "boolean":
        return bool(random.random() < 0.5)
    if kind == "string":
        return "x"
    return int(random.integers(0, 100))
