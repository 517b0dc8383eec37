"""A demo bank whose branches have worked through the lists of three campaigns; without an engine.

Ingest, models and gates are left out, so that it takes seconds: deliveries are taken as they come,
each client is offered what is worth most by its planted propensity, chance keeps some back, and
`xsell demo --react` itself does the rest. What was planted is in ``<home>/truth``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from conf.load import config_json, load_config
from conf.schema import RunConfig
from demo.bank import make_demo_bank
from jobs.demo.marker import Made, write_marker
from jobs.demo.react import react
from jobs.home import Home
from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.base import Table
from tables.delta import commit_files, files_of, latest_version
from tables.derived import CAMPAIGN_LISTS, DECISIONS, DELIVERIES
from tables.files import sha256_of
from tables.runs import RunRecord, Runs
from tables.sources import CONSENTS, CONTACTS, CUSTOMER_MERGES, CUSTOMERS, FLAGS, HOLDINGS, stored

CAMPAIGNS = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
UNTIL = date(2026, 8, 1)
CUSTOMERS_MADE, MONTHS, SEED = 1_500, 10, 11
CAPACITY = 60  # of each of five branches
SETTINGS = ("campaign.control_share=0.3", "campaign.global_holdout_share=0.1")
TAKEN = (CUSTOMERS, HOLDINGS, CONSENTS, FLAGS, CONTACTS)
# Who may be offered what: what is allowed and not held, by clients who agree to be called.
CANDIDATES = """
    WITH said AS (
        SELECT customer_id, purpose, channel, is_granted FROM consents
        QUALIFY row_number() OVER (
            PARTITION BY customer_id, purpose, channel ORDER BY changed_at DESC, is_granted) = 1
    )
    SELECT t.customer_id, t.product_id, t.propensity, c.branch_id, c.advisor_id,
        EXISTS (FROM said s WHERE s.customer_id = t.customer_id AND s.channel = 'branch'
            AND s.purpose = 'marketing_internal' AND s.is_granted) AS allows_bank,
        EXISTS (FROM said s WHERE s.customer_id = t.customer_id AND s.channel = 'branch'
            AND s.purpose = 'marketing_partner' AND s.is_granted) AS allows_partner
    FROM truth t JOIN customers c USING (customer_id)
    WHERE t.as_of = DATE '{as_of}' AND t.propensity > 0
    ORDER BY ALL
"""


@dataclass(frozen=True)
class ReactedBank:
    """A home with everything delivered and taken.

    Attributes:
        home: Where.
        config: Of the campaigns and of whoever measures them.
        as_of: When all campaigns have matured.
    """

    home: Home
    config: RunConfig
    as_of: date = UNTIL

    def truth(self) -> pa.Table:
        """What was planted of each line of a list (`demo.truth`)."""
        folder = self.home.path / "truth/reactions.parquet"
        return duckdb.sql(f"from '{folder}/*.parquet' order by all").to_arrow_table()


def reacted_bank(folder: Path, campaigns: Sequence[date] = CAMPAIGNS) -> ReactedBank:
    """Make one in an empty folder: 1,500 clients, 300 offers a campaign, three in ten kept back."""
    bank = delivered_demo(folder)
    before: set[str] = set()
    for as_of in campaigns:
        take_deliveries(bank, as_of)
        before = publish_campaign(bank, as_of, before)
        is_last = as_of == campaigns[-1]
        react(bank.home, bank.home.landing, bank.config.products, with_alone=is_last)
    take_deliveries(bank, UNTIL)
    return bank


def delivered_demo(folder: Path) -> ReactedBank:
    """The same before its first campaign: delivered, and nothing taken."""
    bank = ReactedBank(Home(folder), load_config("local", SETTINGS))
    bank.home.create()
    made = Made(CUSTOMERS_MADE, MONTHS, SEED, UNTIL)
    make_demo_bank(
        bank.home.landing,
        truth=folder / "truth",
        customers=made.customers,
        months=made.months,
        seed=made.seed,
        until=made.until,
        products=bank.config.products,
    )
    write_marker(bank.home.landing, made)
    return bank


def take_deliveries(bank: ReactedBank, until: date) -> None:
    """What an ingest does with sound deliveries of this bank: every row is a version."""
    home = bank.home
    newest = Runs(home.tables).newest("ingest", lambda _: True)
    done = dict(newest.inputs) if newest else {}
    days = sorted(path.name for path in home.landing.iterdir() if path.is_dir())
    pending = [day for day in days if day not in done and day <= str(until)]
    pins = {}
    for table in TAKEN:
        pins[table.name] = _commit(home, stored(table), _versions(home, table, done, pending))
    merges = stored(CUSTOMER_MERGES)
    pins[CUSTOMER_MERGES.name] = _commit(home, merges, arrow_schema(merges).empty_table())
    digests = {day: sha256_of(home.landing / day / "manifest.json") for day in pending}
    rows = [
        {"delivery": date.fromisoformat(day), "table_name": table.name, "manifest_sha256": digest,
         "rows_in": 0, "rows_accepted": 0, "rows_quarantined": 0}
        for day, digest in digests.items() for table in TAKEN
    ]  # fmt: skip
    deliveries = pa.Table.from_pylist(rows, arrow_schema(DELIVERIES))
    pins[DELIVERIES.name] = _commit(home, DELIVERIES, deliveries)
    _record(home, "ingest", until, done | digests, pins, "")


def publish_campaign(bank: ReactedBank, as_of: date, rested: set[str]) -> set[str]:
    """Decisions and lists of a month; nobody of ``rested`` is offered anything. Gives the new."""
    home, run_id = bank.home, _digest("campaign", str(as_of))
    rows = decisions(bank, as_of, run_id, rested)
    table = pa.Table.from_pylist([_only(row, DECISIONS) for row in rows], arrow_schema(DECISIONS))
    offered = [row for row in rows if row["outcome"] == "offered"]
    lists = [_line(bank.config, row) for row in offered]
    newest = Runs(home.tables).newest("ingest", lambda _: True)
    pins = {
        **newest.pins,
        DECISIONS.name: _commit(home, DECISIONS, table, as_of),
        CAMPAIGN_LISTS.name: _commit(
            home, CAMPAIGN_LISTS, pa.Table.from_pylist(lists, arrow_schema(CAMPAIGN_LISTS)), as_of
        ),
    }
    _record(home, "campaign", as_of, {}, pins, config_json(bank.config), run_id)
    return {row["customer_id"] for row in offered}


def decisions(
    bank: ReactedBank, as_of: date, run_id: str, rested: set[str]
) -> list[dict[str, Any]]:
    """Of every client the offer that is worth most by the planted truth, and the others."""
    rows = candidates(bank, as_of)
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    share = bank.config.campaign
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        row |= {
            "as_of": as_of, "run_id": run_id, "outcome": "outranked",
            "is_in_global_holdout": _share("holdout", row) < share.global_holdout_share,
            "is_in_control_group": False, "consent_checked_at": midnight,
        }  # fmt: skip
        if row["is_allowed"] and row["customer_id"] not in rested:
            known = best.setdefault(row["customer_id"], row)
            if row["expected_profit"] > known["expected_profit"]:
                best[row["customer_id"]] = row
    places = dict.fromkeys((row["branch_id"] for row in rows), 0)
    for row in sorted(best.values(), key=lambda row: (-row["expected_profit"], row["customer_id"])):
        is_control = _share(f"control {as_of}", row) < share.control_share
        if row["is_in_global_holdout"]:
            row["outcome"] = "suppressed"
        elif places[row["branch_id"]] == CAPACITY:
            row["outcome"] = "over_capacity"
        elif is_control:
            row |= {"outcome": "control", "is_in_control_group": True}
        else:
            places[row["branch_id"]] += 1
            row |= {"outcome": "offered", "rank_in_branch": places[row["branch_id"]]}
    return rows


def candidates(bank: ReactedBank, as_of: date) -> list[dict[str, Any]]:
    """Every client with every product that may be held, as the month begins."""
    sql, landing = duckdb.connect(), bank.home.landing
    sql.execute(f"create view customers as from '{landing}/{as_of}/customers.parquet'")
    truth = f"{bank.home.path}/truth/propensity.parquet/*.parquet"
    sql.execute(f"create view truth as from '{truth}'")
    folders = [f"{landing}/{path.name}/consents.parquet" for path in landing.iterdir()
               if path.is_dir() and path.name <= str(as_of)]  # fmt: skip
    sql.execute(f"create view consents as from read_parquet({sorted(folders)})")
    rows = sql.sql(CANDIDATES.format(as_of=as_of)).to_arrow_table().to_pylist()
    return [row | _terms(bank.config, row) for row in rows]


def _terms(config: RunConfig, row: Mapping[str, Any]) -> dict[str, Any]:
    product = config.products[row["product_id"]]
    offer_id = next(
        name for name, offer in config.offers.items()
        if offer.products == (row["product_id"],) and not offer.trigger
    )  # fmt: skip
    offer, is_partner = config.offers[offer_id], product.kind == "partner"
    profit = float(product.expected_margin) * row["propensity"] - float(offer.contact_cost)
    return {
        "campaign_id": config.campaign.campaign_id, "offer_id": offer_id, "kind": product.kind,
        "partner_id": product.partner,
        "move": "cross_sell_partner" if is_partner else
        "up_sell" if product.upgrade_of else "cross_sell_internal",
        "channel": "branch", "failed_gates": [], "failed_rules": [], "rules_version": "1",
        "margin": product.expected_margin, "contact_cost": offer.contact_cost,
        "expected_profit": Decimal(f"{profit:.2f}"), "response": row["propensity"],
        "contacts_left_30d": 2, "is_exploration": False,
        "is_allowed": row["allows_partner" if is_partner else "allows_bank"],
    }  # fmt: skip


def _line(config: RunConfig, row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a list: what measuring and branches look at is right, the rest is there."""
    begins = row["as_of"] + timedelta(config.time.gap_days)
    days = config.offers[row["offer_id"]].validity_days
    texts = ("reason_1", "client_benefit", "talking_point_id", "consent_basis", "log_leaf")
    return dict.fromkeys(texts, "x") | _only(row, CAMPAIGN_LISTS) | {
        "valid_from": begins, "valid_to": begins + timedelta(days - 1), "caller": "advisor",
        "credit_owner": row["advisor_id"] or row["branch_id"], "credit_share": 1.0,
    }  # fmt: skip


def _versions(home: Home, table: Table, done: Mapping[str, str], pending: list[str]) -> pa.Table:
    """New rows of a table; of one that is delivered whole those that changed since."""
    schema = arrow_schema(stored(table))
    keys = ", ".join((*table.key, "recorded_at"))
    days = pending if table.kind == "increment" else [*sorted(done)[-1:], *pending]
    parts = " union all ".join(
        f"select *, date '{day}' as delivery from '{home.landing}/{day}/{table.name}.parquet'"
        for day in days
    )
    rows = duckdb.sql(f"""
        select *, false as is_deleted, false as is_revision from ({parts})
        qualify row_number() over (partition by {keys} order by delivery) = 1""")
    rows = rows.filter(f"delivery >= date '{pending[0]}'")
    return rows.to_arrow_table().select(schema.names).cast(schema)


def _commit(home: Home, table: Table, rows: pa.Table, day: date = UNTIL) -> int:
    staging = Staging(home.tables, "f" * 64, day, partitions=1)
    staging.stage(table, rows)
    present = files_of(home.tables / table.name, latest_version(home.tables / table.name))
    files = [*present, *staging.files[table.name]]
    return commit_files(
        home.tables / table.name, table, files, _digest(table.name, str(len(files)))
    )


def _record(
    home: Home,
    step: str,
    as_of: date,
    inputs: Mapping[str, str],
    pins: Mapping[str, int],
    config: str,
    run_id: str = "",
) -> None:
    record = RunRecord(
        run_id=run_id or _digest(step, str(as_of)), step=step, as_of=as_of, campaign_id="monthly",
        supersedes=None, inputs=inputs, pins=pins, outputs={name: {} for name in pins}, counts={},
        config_hash="", config=config, code_version="", engine="none", seconds=0.0,
    )  # fmt: skip
    Runs(home.tables).append(record)


def _only(row: Mapping[str, Any], table: Table) -> dict[str, Any]:
    return {name: row[name] for name in table.column_names if name in row}


def _share(salt: str, row: Mapping[str, Any]) -> float:
    """In [0, 1), the same for a client whatever is asked about."""
    word = np.frombuffer(bytes.fromhex(_digest(salt, row["customer_id"]))[:8], dtype="<u8")[0]
    return float(word) / 2.0**64


def _digest(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
