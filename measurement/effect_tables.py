"""What campaigns caused, as tables for reports: effects, what withholding cost, and the draw."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from measurement.cuts import ALL
from measurement.offers import Campaign
from measurement.results import draws

EFFECTS, WITHHELD, RANDOMISATION = "effects", "withheld", "randomisation"
OF_CAMPAIGN = ("campaign", "campaign_id", "campaign_as_of")
DRAWS = pa.schema(
    [
        pa.field("campaign", pa.string(), nullable=False),
        pa.field("campaign_id", pa.string(), nullable=False),
        pa.field("campaign_as_of", pa.date32(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("clients", pa.int64(), nullable=False),  # who made the cut
        pa.field("withheld", pa.int64(), nullable=False),
        pa.field("share_configured", pa.float64(), nullable=False),
        pa.field("share_found", pa.float64()),
        pa.field("chance", pa.float64(), nullable=False),  # of a number so far from the share
        pa.field("balance", pa.float64(), nullable=False),  # standard errors between propensities
        pa.field("is_by_chance", pa.bool_(), nullable=False),
    ]
)


def effect_tables(
    results: pa.Table, offers: pa.Table, campaigns: Sequence[Campaign]
) -> dict[str, pa.Table]:
    """Everything about effects, by file name.

    Args:
        results: What ``campaign_results`` found.
        offers: Shaped ``OFFERS``.
        campaigns: Those that were measured.
    """
    return {
        EFFECTS: results,
        WITHHELD: withheld(results),
        RANDOMISATION: randomisation(offers, campaigns),
    }


def withheld(results: pa.Table) -> pa.Table:
    """What it cost to withhold clients: the profit that offers to them would have caused.

    Chance chose them, so that an offer would have caused with them what it caused with the others.

    Returns:
        One row per campaign, of all together, and of the global holdout if it was measured; a
        negative figure was saved. Money in the bank's currency.
    """
    is_whole = pc.and_(pc.equal(results["cut"], ALL), pc.equal(results["measure"], "profit"))
    rows = results.filter(is_whole)
    columns = {name: rows[name] for name in (*OF_CAMPAIGN, "against", "state")}
    columns["withheld"] = rows["control"]
    ends = {"forgone": "effect", "forgone_low": "effect_low", "forgone_high": "effect_high"}
    columns |= {name: pc.multiply(rows[end], rows["control"]) for name, end in ends.items()}
    return pa.table({**columns, "note": rows["note"]})


def randomisation(offers: pa.Table, campaigns: Sequence[Campaign]) -> pa.Table:
    """Of each campaign whether chance alone decided who was withheld.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: Those that are measured.
    """
    rows = [
        {
            "campaign": campaign.run_id,
            "campaign_id": campaign.campaign_id,
            "campaign_as_of": campaign.as_of,
            "state": verdict.state,
            "clients": verdict.draw.clients,
            "withheld": verdict.draw.control,
            "share_configured": campaign.control_share,
            "share_found": verdict.draw.control / verdict.draw.clients
            if verdict.draw.clients
            else None,
            "chance": verdict.draw.chance,
            "balance": verdict.draw.balance,
            "is_by_chance": verdict.draw.is_by_chance,
        }
        for campaign, verdict in zip(campaigns, draws(offers, campaigns), strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=DRAWS)
