"""Contacts from lists as the bank's systems deliver them, and the files that branches return."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demo.columns import coded, dates, instants, texts
from demo.deliveries import ID, advisor_ids, branch_ids, customer_ids
from demo.desk import Told
from demo.draws import Bools
from demo.files import write_csv
from demo.months import DAY_MICROSECONDS, Month
from demo.people import NO_ONE, People
from demo.portfolio import PRODUCTS
from demo.vocabulary import CONTACT_CHANNELS, DISPOSITIONS
from demo.worklists import Worklists

CAMPAIGN, PLACE = 4, 2  # digits
WORDS = (*DISPOSITIONS, "complaint")
RETURNED = (
    "customer_id", "offer_id", "as_of", "disposition", "disposition_at", "channel", "advisor_id",
)  # fmt: skip


class Results:
    """Writes down contacts; what is recorded after a month waits for the next."""

    def __init__(self, people: People, lists: Worklists) -> None:
        self._ids = people.ids
        self._lists = lists
        self._waiting: Told | None = None

    def recorded(self, month: Month, told: Told) -> Told:
        """What was recorded in a month, contacts of earlier months first."""
        known = told if self._waiting is None else self._waiting.and_then(told)
        is_late = known.recorded >= month.end_day * DAY_MICROSECONDS
        self._waiting = known.take(is_late)
        return known.take(~is_late)

    def contacts(self, told: Told) -> pa.Table:
        """Contacts in the shape of the extract."""
        lines, lists = told.lines, self._lists
        names = [campaign.campaign_id for campaign in lists.campaigns]
        has_advisor = lines.advisor != NO_ONE
        advisors = texts_or_null(advisor_ids(np.maximum(lines.advisor, 0)), has_advisor)
        return pa.table(
            {
                "contact_id": texts(
                    "L",
                    (self._ids[lines.who], ID),
                    (lines.campaign, CAMPAIGN),
                    (lines.place, PLACE),
                ),
                "customer_id": customer_ids(self._ids[lines.who]),
                "product_id": coded(lines.product, PRODUCTS),
                # Plain texts: a dictionary would tell of campaigns yet to come.
                "offer_id": coded(lines.offer, lists.offer_ids).cast(pa.string()),
                "campaign_id": coded(lines.campaign, names).cast(pa.string()),
                "channel": coded(lines.channel, CONTACT_CHANNELS),
                "contacted_on": dates(told.contacted),
                "disposition": coded(told.disposition, DISPOSITIONS),
                "disposition_on": dates(told.disposed),
                "branch_id": branch_ids(lines.branch),
                "advisor_id": advisors,
                "referred_by_advisor_id": texts_or_null(advisors, lines.is_partner),
                "recorded_at": instants(told.recorded),
            }
        )

    def write_returned(self, folder: Path, told: Told, unseen: Sequence[int]) -> None:
        """A file for each branch that returns one, of those of its clients who may be named."""
        is_named = ~np.isin(self._ids[told.lines.who], unseen)
        some = told.take((told.returned != NO_ONE) & is_named)
        rows = list(zip(*(column.to_pylist() for column in self._returned(some)), strict=True))
        branches = branch_ids(some.lines.branch).to_pylist()
        for branch in sorted(set(branches)):
            mine = sorted(row for row, of in zip(rows, branches, strict=True) if of == branch)
            write_csv(folder, branch, RETURNED, [tuple(cell or "" for cell in row) for row in mine])

    def _returned(self, told: Told) -> list[pa.Array]:
        contacts = self.contacts(told)
        begun = [str(campaign.as_of) for campaign in self._lists.campaigns]
        return [
            contacts["customer_id"],
            contacts["offer_id"],
            coded(told.lines.campaign, begun),
            coded(told.returned, WORDS),
            contacts["disposition_on"].cast(pa.string()),
            contacts["channel"],
            contacts["advisor_id"],
        ]


def texts_or_null(values: pa.Array, is_there: Bools) -> pa.Array:
    """The values, null where there is none."""
    return pc.if_else(pa.array(is_there), values, pa.scalar(None, values.type))
