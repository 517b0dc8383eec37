"""Which past campaigns are measured, and what each of them was configured to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow.compute as pc

from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.home import Home
from jobs.lists.which_campaign import earlier_campaigns
from jobs.privacy.removed_months import removed_by
from measurement.offers import Campaign
from models.labels import outcome_window
from tables.derived import DELIVERIES
from tables.runs import RunRecord
from tables.sources import HOLDINGS
from tables.store import Store


@dataclass(frozen=True)
class Measured:
    """A campaign that is measured.

    Attributes:
        record: Its run.
        config: What it was made with.
        campaign: What measuring has to know of it.
        later_ends: First day after as many months again, beyond its outcome window.
    """

    record: RunRecord
    config: RunConfig
    campaign: Campaign
    later_ends: date


def campaigns_to_measure(home: Home, as_of: date, months: int) -> list[RunRecord]:
    """Standing campaigns of the months before whose decisions are still there, oldest first."""
    return [
        record
        for record in earlier_campaigns(home, as_of, months)
        if removed_by(home, record) is None
    ]


def measured_campaigns(home: Home, store: Store, as_of: date, months: int) -> list[Measured]:
    """The same as measuring has to know them.

    Args:
        home: Where.
        store: At the versions that the measurement reads.
        as_of: What was known before it is measured.
        months: How far back.
    """
    last = _last_delivery(store, as_of)
    return [_measured(record, as_of, last) for record in campaigns_to_measure(home, as_of, months)]


def contact_costs(config: RunConfig) -> Mapping[str, int]:
    """What a contact about a product costs, in cents: the least of its offers."""
    found: dict[str, int] = {}
    for offer in config.offers.values():
        cents = int(offer.contact_cost * 100)
        found[offer.product] = min(cents, found.get(offer.product, cents))
    return found


def _measured(record: RunRecord, as_of: date, last_delivery: date) -> Measured:
    config = recorded_config(record.config)
    opens, ends = outcome_window(record.as_of, config.time)
    gap = timedelta(days=config.time.gap_days)
    _, later_ends = outcome_window(ends - gap, config.time)
    campaign = Campaign(
        run_id=record.run_id,
        campaign_id=record.campaign_id,
        as_of=record.as_of,
        control_share=config.campaign.control_share,
        opens=opens,
        ends=ends,
        is_matured=ends <= as_of,
        has_deliveries=last_delivery > record.as_of,
    )
    return Measured(record, config, campaign, later_ends)


def _last_delivery(store: Store, as_of: date) -> date:
    """The day of the last delivery of holdings; without any, one before all campaigns."""
    rows = store.arrow_where(
        DELIVERIES,
        (pc.field("table_name") == HOLDINGS.name) & (pc.field("delivery") <= as_of),
        ["delivery"],
    )
    return pc.max(rows["delivery"]).as_py() or date.min
