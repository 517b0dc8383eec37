"""Lists that may lie at branches: those of every committed campaign, superseded ones too."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from campaigns.dispositions import Handed, Listed
from conf.recorded import recorded_config
from jobs.home import Home
from tables.derived import CAMPAIGN_LISTS
from tables.errors import UserError
from tables.runs import RunRecord, Runs
from tables.store import Store


def committed_campaigns(home: Home) -> list[RunRecord]:
    """Every committed campaign, the newest first.

    Raises:
        UserError: There is none.
    """
    found = [record for record in Runs(home.tables).committed() if record.step == "campaign"]
    if not found:
        raise UserError(
            "no campaign has been published, so that no list is out."
            " Run xsell run --as-of YYYY-MM-01 first"
        )
    return found[::-1]


def handed_rows(
    home: Home, customers: Collection[str], columns: Collection[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of all lists about some clients, the newest campaign first."""
    names = tuple(columns or CAMPAIGN_LISTS.column_names)
    for record in committed_campaigns(home):
        store = Store(home.tables, None, record.pins)
        yield from store.arrow_of(CAMPAIGN_LISTS, record.as_of, customers, names).to_pylist()


def handed_lists(home: Home, customers: Collection[str]) -> Handed:
    """What may have been handed out about some clients."""
    campaigns = committed_campaigns(home)
    names = [field.name for field in fields(Listed)]
    offers = {
        (row["run_id"], row["customer_id"], row["offer_id"]): Listed(
            **{name: row[name] for name in names}
        )
        for row in handed_rows(home, customers, {*names, "customer_id", "offer_id"})
    }
    return Handed(
        campaigns=[(record.run_id, record.as_of) for record in campaigns],
        offers=offers,
        latest_valid_to=max(map(last_day, campaigns)),
    )


def last_day(record: RunRecord) -> date:
    """The last day on which an offer of a campaign can be valid."""
    config = recorded_config(record.config)
    longest = max(offer.validity_days for offer in config.offers.values())
    return record.as_of + timedelta(days=config.time.gap_days + longest)
