"""What a campaign made, as options of its choice: to hold an offer beside that was not made."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from math import ceil

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.displaced import OPTIONS
from campaigns.ways import NO_CHANNEL
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
    rows = store.arrow(CAMPAIGN_LISTS, as_of, [*LISTED, "expected_profit"]).to_pylist()
    home = refused[0]["household_id"]
    accepted = _acceptance(campaign, rows, {row["lever_code"] for row in refused})
    options = [
        {
            **row,
            "household_id": home if row["customer_id"] in household else None,
            **_in_cents(row, config, accepted.get((row["customer_id"], row["offer_id"]))),
        }
        for row in rows
    ]
    return pa.Table.from_pylist(options, OPTIONS)


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


def _in_cents(row: Row, config: RunConfig, acceptance: float | None) -> Row:
    channel = config.channels.get(row["channel"], NO_CHANNEL)
    own = config.offers[row["offer_id"]].contact_cost
    lever = config.levers.get(row["lever_code"] or "")
    cost, when = (lever.cost, lever.cost_when) if lever else (None, None)
    return {
        "way": 0,
        "profit_cents": _cents(row["expected_profit"]),
        "cost_cents": _cents(own if channel.contact_cost is None else channel.contact_cost),
        "lever_cents": _lever_cents(cost, when, acceptance),
    }


def _acceptance(
    campaign: Campaign, rows: list[Row], levers: Collection[str | None]
) -> dict[Key, float]:
    """Of those offers alone whose lever draws on a budget as often as they are accepted."""
    budgeted = {
        code
        for code, lever in campaign.config.levers.items()
        if code in levers and lever.budget is not None and lever.cost_when == ACCEPTED
    }
    people = {row["customer_id"] for row in rows if row["lever_code"] in budgeted}
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
