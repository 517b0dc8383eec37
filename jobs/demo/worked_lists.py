"""The lists of a home's campaigns as the demo bank's branches work through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conf.recorded import recorded_config
from conf.schema import RunConfig
from demo.months import day_number
from demo.people import NO_ONE
from demo.portfolio import PLACE
from demo.vocabulary import CONTACT_CHANNELS
from demo.worklists import Handed, Lines, Worklists
from jobs.home import Home
from jobs.privacy.removed_months import refuse_removed
from tables.derived import CAMPAIGN_LISTS
from tables.runs import RunRecord, Runs
from tables.store import Store

RENEWAL, PARTNER = "renewal", "partner"
COLUMNS = (
    "customer_id", "offer_id", "product_id", "kind", "move", "lever_code", "channel", "branch_id",
    "advisor_id", "valid_from", "valid_to",
)  # fmt: skip
LEVER_COLUMNS = ("factor", "added")
Row = Mapping[str, Any]


def standing_campaigns(home: Home, before: date) -> list[RunRecord]:
    """The campaigns that stand, of several runs for one month the last one, oldest first."""
    committed = [record for record in Runs(home.tables).committed() if record.step == "campaign"]
    standing = {record.as_of: record for record in committed}
    return [record for as_of, record in sorted(standing.items()) if as_of < before]


def worked_lists(home: Home, campaigns: Sequence[RunRecord]) -> Worklists:
    """Every line of these campaigns' lists about a product that the demo bank sells.

    Raises:
        UserError: Retention has removed the lists of one.
    """
    rows = [_rows(home, campaign) for campaign in campaigns]
    offers = sorted({row["offer_id"] for of_one in rows for row in of_one})
    places = {offer_id: place for place, offer_id in enumerate(offers)}
    values = [
        value
        for number, (campaign, of_one) in enumerate(zip(campaigns, rows, strict=True))
        for value in _values(number, of_one, recorded_config(campaign.config), places)
    ]
    return Worklists(
        campaigns=tuple(Handed(one.as_of, one.run_id, one.campaign_id) for one in campaigns),
        offer_ids=tuple(offers),
        lines=Lines(**{name: _column(name, values) for name in Lines.__annotations__}),
    )


def _rows(home: Home, campaign: RunRecord) -> list[Row]:
    refuse_removed(home, campaign)
    store = Store(home.tables, None, campaign.pins)
    rows = store.arrow(CAMPAIGN_LISTS, campaign.as_of, COLUMNS).to_pylist()
    sold = [row for row in rows if row["product_id"] in PLACE]
    return sorted(sold, key=lambda row: (row["customer_id"], row["offer_id"]))


def _values(
    campaign: int, rows: Sequence[Row], config: RunConfig, places: Mapping[str, int]
) -> Iterator[Mapping[str, float]]:
    """Each line as the numbers of ``Lines``."""
    before, place = None, 0
    for row in rows:
        place = place + 1 if row["customer_id"] == before else 0
        before = row["customer_id"]
        lever = config.levers[row["lever_code"]] if row["lever_code"] else None
        products = config.offers[row["offer_id"]].products
        yield {
            "who": _number(row["customer_id"]),
            "place": place,
            "campaign": campaign,
            "offer": places[row["offer_id"]],
            "product": PLACE[row["product_id"]],
            "products": sum(1 << PLACE[product_id] for product_id in products),
            "is_renewal": row["move"] == RENEWAL,
            "is_partner": row["kind"] == PARTNER,
            "channel": CONTACT_CHANNELS.index(row["channel"]),
            "branch": _number(row["branch_id"]),
            "advisor": _number(row["advisor_id"]) if row["advisor_id"] else NO_ONE,
            "first": day_number(row["valid_from"]),
            "last": day_number(row["valid_to"]),
            "factor": lever.response_factor if lever else 1.0,
            "added": lever.response_add if lever else 0.0,
        }


def _number(identifier: str) -> int:
    """The demo bank's identifiers are a letter and a number."""
    return int(identifier[1:])


def _column(name: str, values: Sequence[Mapping[str, float]]) -> NDArray[Any]:
    kind: type[np.generic] = np.bool_ if name.startswith("is_") else np.int64
    if name in LEVER_COLUMNS:
        kind = np.float64
    return np.array([value[name] for value in values], dtype=kind)
