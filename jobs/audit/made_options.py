"""What a campaign made, as options of its choice: to hold an offer beside that was not made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from functools import cache
from math import ceil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from campaigns.displaced import OPTIONS
from campaigns.ways import NO_CHANNEL
from conf.fields import Channel
from conf.schema import RunConfig
from jobs.audit.client_facts import Campaign
from tables.derived import CAMPAIGN_LISTS, DECISIONS
from tables.known_rows import Row

CENT = Decimal("0.01")
ACCEPTED = "accepted"
LISTED = tuple(name for name in OPTIONS.names if name in CAMPAIGN_LISTS.column_names)
Key = tuple[str, str]


def made_options(
    campaign: Campaign, refused: Sequence[Row], household: Collection[str]
) -> pa.Table:
    """All offers that were made, shaped ``OPTIONS``, from the lists: they are few.

    Who lives together is told of the household of one client alone, and what levers draw on a
    budget of those alone that the client's offers would have drawn on.

    Args:
        campaign: Whose.
        refused: Decisions about the client that were not made.
        household: Who lives with the client.
    """
    as_of, store, config = campaign.record.as_of, campaign.store, campaign.config
    rows = store.arrow(CAMPAIGN_LISTS, as_of, [*LISTED, "expected_profit"])
    home = pa.scalar(refused[0]["household_id"], pa.string())
    lives_there = pc.is_in(rows["customer_id"], pa.array(sorted(household), pa.string()))
    known = {name: rows[name] for name in LISTED} | {
        "household_id": pc.if_else(lives_there, home, pa.scalar(None, pa.string())),
        "way": pa.array(np.zeros(len(rows)), pa.int32()),
        "profit_cents": pa.array([_cents(one) for one in rows["expected_profit"].to_pylist()]),
        "cost_cents": _contact_cents(rows, config),
        "lever_cents": _levers_cents(campaign, rows, {row["lever_code"] for row in refused}),
    }
    return pa.table([known[name] for name in OPTIONS.names], names=OPTIONS.names).cast(OPTIONS)


def option_of(row: Row) -> Row:
    """A decision as an option of the choice, in the way in which it would best have been made."""
    return {
        **{name: row[name] for name in OPTIONS.names if name in row},
        "propensity": row["propensity"] or 0.0,
        "way": 0,
        "profit_cents": _cents(row["expected_profit"]),
        "cost_cents": _cents(row["contact_cost"]),
        "lever_cents": _lever_cents(row["lever_cost"], row["lever_cost_when"], row["acceptance"]),
    }


def _contact_cents(rows: pa.Table, config: RunConfig) -> pa.Array:
    @cache
    def cents(channel: Channel, offer: str) -> int:
        cost = config.channels.get(channel, NO_CHANNEL).contact_cost
        return _cents(config.offers[offer].contact_cost if cost is None else cost)

    ways = zip(rows["channel"].to_pylist(), rows["offer_id"].to_pylist(), strict=True)
    return pa.array([cents(*way) for way in ways], pa.int64())


def _levers_cents(campaign: Campaign, rows: pa.Table, budgets: Collection[str | None]) -> pa.Array:
    """What levers draw; what is drawn as often as it is accepted, of these budgets alone."""
    levers, accepted = campaign.config.levers, _acceptance(campaign, rows, budgets)

    def cents(customer: str, offer: str, code: str | None) -> int:
        lever = levers.get(code or "")
        if lever is None:
            return 0
        return _lever_cents(lever.cost, lever.cost_when, accepted.get((customer, offer)))

    names = ("customer_id", "offer_id", "lever_code")
    offers = zip(*(rows[name].to_pylist() for name in names), strict=True)
    return pa.array([cents(*offer) for offer in offers], pa.int64())


def _acceptance(
    campaign: Campaign, rows: pa.Table, levers: Collection[str | None]
) -> dict[Key, float]:
    """Of those offers alone whose lever draws on a budget as often as they are accepted."""
    budgeted = [
        code
        for code, lever in campaign.config.levers.items()
        if code in levers and lever.budget is not None and lever.cost_when == ACCEPTED
    ]
    has_budget = pc.is_in(rows["lever_code"], pa.array(budgeted, pa.string()))
    people = set(rows["customer_id"].filter(has_budget).to_pylist())
    if not people:
        return {}
    names = ["customer_id", "offer_id", "acceptance"]
    found = campaign.store.arrow_of(DECISIONS, campaign.record.as_of, people, names)
    found = found.filter(pc.is_valid(found["acceptance"]))
    columns = (found[name].to_pylist() for name in names)
    return {
        (customer, offer): acceptance for customer, offer, acceptance in zip(*columns, strict=True)
    }


def _cents(amount: Decimal | None) -> int:
    return 0 if amount is None else int(amount / CENT)


def _lever_cents(cost: Decimal | None, when: str | None, acceptance: float | None) -> int:
    """As ``campaigns.choice`` counts it: rounded up where it costs what is accepted."""
    if cost is None or when != ACCEPTED:
        return _cents(cost)
    return ceil((acceptance or 0.0) * float(cost) * 100.0)
