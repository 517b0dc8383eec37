"""The smallest campaign there is, published by the code that publishes every campaign; no engine.

Four clients, three offers, a dozen lines of the log. What an engine would compute is given; all
that is written, sealed, committed and exported goes through `jobs/publishing.py`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.campaign_list import campaign_list
from campaigns.endings import NO_AMOUNTS
from conf.load import load_config
from conf.schema import RunConfig
from jobs.audit.seal import check_log_goes_on, seal, stage_log
from jobs.home import Home
from jobs.publishing import Context, StepResult, execute
from jobs.run import Run
from jobs.runs import audit_staged
from jobs.runs.recording import Entry, commit_rows
from jobs.steps import Step
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS, VAULT
from tables.files import exclusive
from tables.runs import RunRecord
from tables.sources import CONSENTS, CUSTOMERS, stored
from tests.log_keys import place_keys
from tests.offer_logs import named

AS_OF = date(2026, 11, 1)
CLIENTS = ("C1", "C2", "C3", "C4")
OFFERS = ("gold_card_2026", "mortgage_2026", "travel_insurance_2026")
OFFERED = OFFERS[2]
STEP = Step("campaign", "tests.faults.tiny:stage_campaign")
OLD, NEW, OTHER = 3, 1, 2  # clients with an offer
RECORDED_AT = datetime(2026, 10, 1, tzinfo=UTC)


def bank(home: Path) -> None:
    """Keys, and what was delivered about the clients: all have agreed to be called."""
    Home(home).create()
    place_keys(home)
    people = [
        {
            "customer_id": client,
            "branch_id": "B1",
            "joined_on": date(2020, 1, 1),
            "birth_date": date(1980, 1, 1),
            "is_employee": False,
        }
        for client in CLIENTS
    ]
    agreed = [
        {
            "customer_id": client,
            "purpose": purpose,
            "channel": "phone",
            "changed_at": RECORDED_AT,
            "is_granted": True,
        }
        for client in CLIENTS
        for purpose in ("marketing_partner", "profiling")
    ]
    tables = [(stored(CUSTOMERS), people), (stored(CONSENTS), agreed)]
    common = {"recorded_at": RECORDED_AT, "delivery": date(2026, 11, 1), "is_deleted": False}
    rows = [
        (table, pa.Table.from_pylist([common | one for one in some], schema=arrow_schema(table)))
        for table, some in tables
    ]
    made_by = cast(RunRecord, SimpleNamespace(campaign_id="monthly", config_hash="", config="{}"))
    entry = Entry("1" * 64, "ingest", AS_OF, {"2026-11-01": "00"}, {}, made_by)
    commit_rows(Home(home), entry, rows)


@cache
def settings(capacity: int) -> RunConfig:
    """As configured, but for the offers of a branch."""
    return load_config("local", [f"campaign.branch_capacity={capacity}"])


def publish(home: Path, capacity: int) -> StepResult:
    """Publish the campaign in which each branch makes so many offers, as `xsell campaign` does.

    The audit asks an engine and is left out: of what it does, only reports are written.
    """
    config, own = settings(capacity), Home(home)
    audit_staged.audit = lambda run: None  # this process does nothing else
    with exclusive(own.lock, f"xsell campaign --as-of {AS_OF}"):
        return execute(Context(AS_OF, config, own, None, may_supersede=True), STEP)


def stage_campaign(run: Run) -> None:
    """What `jobs/plan_campaign.py` stages, in its order."""
    check_log_goes_on(run)
    decided = pa.Table.from_pylist(list(_decisions(run)), schema=arrow_schema(DECISIONS))
    run.stage(DECISIONS, decided)
    stage_log(run)
    vault = run.store.with_staged(run.staging.files).arrow_records(VAULT)
    made = named(decided.filter(pc.equal(decided["outcome"], "offered")), vault)
    told = {(row["customer_id"], row["product_id"]): ["Travels"] for row in made.to_pylist()}
    advised = made.append_column("advisor_id", pa.array(["A1"] * made.num_rows, pa.string()))
    run.stage(CAMPAIGN_LISTS, campaign_list(advised, told, run.config, NO_AMOUNTS))
    run.stage(CARE_LISTS, pa.Table.from_pylist([_care(run)], schema=arrow_schema(CARE_LISTS)))
    seal(run)


def _decisions(run: Run) -> list[dict[str, Any]]:
    capacity = run.config.campaign.branch_capacity
    return [
        _decision(run, client, offer, rank if rank <= capacity and offer == OFFERED else None)
        for rank, client in enumerate(CLIENTS, start=1)
        for offer in OFFERS
    ]


def _decision(run: Run, client: str, offer: str, rank: int | None) -> dict[str, Any]:
    is_care = client == CLIENTS[-1]
    return {
        "as_of": run.as_of,
        "run_id": run.run_id,
        "campaign_id": run.config.campaign.campaign_id,
        "customer_id": client,
        "offer_id": offer,
        "product_id": offer.removesuffix("_2026"),
        "branch_id": "B1" if client < "C3" else "B2",
        "move": "cross_sell_partner",
        "channel": "phone",
        "outcome": "offered" if rank else "ineligible" if is_care else "over_capacity",
        "failed_gates": [],
        "propensity": 0.4321,
        "margin": Decimal("28.00"),
        "contact_cost": Decimal("4.00"),
        "expected_profit": Decimal("8.10"),
        "rank_in_customer": 1,
        "rank_in_branch": rank,
        "is_in_global_holdout": False,
        "is_in_control_group": False,
        "contacts_left_30d": 2,
        "consent_basis": "marketing_partner/phone",
        "consent_checked_at": datetime(2026, 11, 1, tzinfo=UTC),
        "model_name": "propensity_travel_insurance",
        "model_version": 1,
        "failed_rules": [],
        "rules_version": "00",
        "is_exploration": False,
    }


def _care(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "branch_id": "B2",
        "customer_id": CLIENTS[-1],
        "care_treatment": "personal_advice",
        "why": "Needs time",
        "what_to_do": "Take time",
        "may_contact": False,
        "contact": "The contact person",
        "valid_from": AS_OF,
        "valid_until": date(2026, 12, 7),
    }
