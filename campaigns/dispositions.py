"""Returned results, held against the lists they are about: accepted, or set aside with a reason."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa

from campaigns.law import PROFILING, PURPOSES, permission
from campaigns.recheck import OPT_OUT, Known, has_leave, last_word
from campaigns.returned_file import ReturnedRow
from conf.jurisdiction import JurisdictionProfile
from tables.arrow import arrow_schema
from tables.derived import DISPOSITIONS, QUARANTINED_DISPOSITIONS

Row = Mapping[str, Any]
# A result may come after its offer has ended, but not years after.
LATEST = timedelta(days=92)


class Aside(StrEnum):
    """Why a row is set aside."""

    UNKNOWN_CAMPAIGN = "unknown_campaign"
    NOT_ON_LIST = "not_on_list"
    UNKNOWN_CLIENT = "unknown_client"
    BEFORE_THE_LIST = "before_the_list"
    LONG_AFTER = "long_after"
    CONTRADICTION = "contradiction"


FIXES: Mapping[Aside, str] = {
    Aside.UNKNOWN_CAMPAIGN: "no campaign was published under this run_id or as_of; see xsell runs",
    Aside.NOT_ON_LIST: "client and offer are on no list of the campaign: is one of them misspelt?",
    Aside.UNKNOWN_CLIENT: "the bank knows no such client, so that nobody can be left in peace",
    Aside.BEFORE_THE_LIST: "disposition_at is before the campaign's as-of date",
    Aside.LONG_AFTER: f"disposition_at is more than {LATEST.days} days after the offer's end",
    Aside.CONTRADICTION: "another result is known of the same client, offer and instant",
}


@dataclass(frozen=True)
class Listed:
    """A row of a list that was handed out, and the rows of its campaign that matter here."""

    product_id: str
    kind: str
    branch_id: str
    run_id: str
    campaign_id: str
    as_of: date
    valid_to: date


@dataclass(frozen=True)
class Handed:
    """All lists that may have been handed out.

    Attributes:
        campaigns: Runs and as-of dates of every committed campaign.
        offers: Rows by run, client and offer, those of superseded runs too.
        latest_valid_to: The last day of the offer that ends last.
    """

    campaigns: Collection[tuple[str, date]]
    offers: Mapping[tuple[str, str, str], Listed]
    latest_valid_to: date

    def runs(self, row: ReturnedRow) -> list[str]:
        """The runs a row may mean, the newest first."""
        return [
            run_id
            for run_id, as_of in self.campaigns
            if (row.run_id is None or run_id.startswith(row.run_id))
            and (row.as_of is None or as_of == row.as_of)
        ]


@dataclass(frozen=True)
class Matched:
    """What became of the rows of a file.

    Attributes:
        accepted: New rows, each with the offer it is about; None for an opt-out on no list.
        there_already: How many rows said what is known.
        aside: Rows that are set aside, with the reason.
    """

    accepted: Sequence[tuple[ReturnedRow, Listed | None]]
    there_already: int
    aside: Sequence[tuple[ReturnedRow, Aside]]


def match(
    rows: Iterable[ReturnedRow],
    handed: Handed,
    known: Mapping[str, Known],
    stored: Mapping[tuple[str, str, datetime], Row],
) -> Matched:
    """Hold every row against lists, clients and what was returned before.

    An opt-out needs no list: whoever objects is left in peace, whatever was called about.

    Args:
        rows: Of one file.
        handed: The lists.
        known: What is known of each client that a row names.
        stored: Results that are known already, by key.
    """
    accepted: list[tuple[ReturnedRow, Listed | None]] = []
    aside: list[tuple[ReturnedRow, Aside]] = []
    said: dict[tuple[str, str, datetime], tuple[str, str]] = {
        key: (row["disposition"], row["channel"]) for key, row in stored.items()
    }
    there_already = 0
    for row in rows:
        listed, reason = _place(row, handed, known)
        key = (row.customer_id, row.offer_id, row.disposition_at)
        says = (row.disposition, row.channel)
        if reason is None and said.get(key, says) != says:
            reason = Aside.CONTRADICTION
        if reason is not None:
            aside.append((row, reason))
        elif key in said:
            there_already += 1
        else:
            said[key] = says
            accepted.append((row, listed))
    return Matched(accepted, there_already, aside)


def _place(
    row: ReturnedRow, handed: Handed, known: Mapping[str, Known]
) -> tuple[Listed | None, Aside | None]:
    """The offer a row is about, or why it is about none."""
    runs = handed.runs(row)
    found = [handed.offers.get((run, row.customer_id, row.offer_id)) for run in runs]
    listed = next((offer for offer in found if offer is not None), None)
    is_objection = row.disposition == OPT_OUT
    if listed is None and not is_objection:
        return None, Aside.NOT_ON_LIST if runs else Aside.UNKNOWN_CAMPAIGN
    if listed is None and known[row.customer_id].customer is None:
        return None, Aside.UNKNOWN_CLIENT
    day = row.disposition_at.date()
    if listed is not None and day < listed.as_of:
        return None, Aside.BEFORE_THE_LIST
    if day > (listed.valid_to if listed else handed.latest_valid_to) + LATEST:
        return None, Aside.LONG_AFTER
    return listed, None


def has_consent(
    row: ReturnedRow, listed: Listed | None, known: Known, law: JurisdictionProfile
) -> bool | None:
    """When the contact was made, the client might be contacted so; None without an offer."""
    if listed is None:
        return None
    at = row.disposition_at
    said = [one for one in known.consents if one["changed_at"] <= at]
    # A day that is given without its hour is the day itself: who objected on it did so then.
    objected = any(
        (one["disposition_on"] or one["contacted_on"]) < at.date() for one in known.opt_outs
    )
    purposes = (PURPOSES[listed.kind], PROFILING)
    return not objected and all(
        has_leave(
            last_word(said, purpose, row.channel),
            permission(law, purpose),
            at + timedelta(microseconds=1),
        )
        for purpose in purposes
    )


def disposition_rows(
    matched: Matched,
    known: Mapping[str, Known],
    law: JurisdictionProfile,
    recorded_at: datetime,
    digest: str,
) -> pa.Table:
    """Accepted rows, shaped ``DISPOSITIONS``."""
    rows = [
        {
            name: getattr(row, name)
            for name in (
                "customer_id", "offer_id", "disposition_at", "disposition", "channel",
                "advisor_id", "note_code",
            )
        }
        | {
            name: getattr(listed, name, None)
            for name in ("product_id", "branch_id", "run_id", "campaign_id", "as_of")
        }
        | {
            "has_consent": has_consent(row, listed, known[row.customer_id], law),
            "recorded_at": recorded_at,
            "file_sha256": digest,
        }
        for row, listed in matched.accepted
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=arrow_schema(DISPOSITIONS))


def quarantine_rows(matched: Matched, recorded_at: datetime, digest: str) -> pa.Table:
    """Rows that are set aside, shaped ``QUARANTINED_DISPOSITIONS``."""
    rows = [
        {
            "file_sha256": digest,
            "row_number": row.number,
            "rule": str(reason),
            "raw_row": json.dumps(row.raw, sort_keys=True, ensure_ascii=False),
            "recorded_at": recorded_at,
        }
        for row, reason in matched.aside
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(QUARANTINED_DISPOSITIONS))


def known_at(
    rows: Iterable[ReturnedRow], on: date | None, not_before: Iterable[datetime]
) -> datetime:
    """When results count as known: nothing is back-dated, and no clock is asked.

    Not before the newest of them happened, nor before the day on which the file came, if it is
    told, nor before what the system had done and known without them: a campaign that was made
    before they came never changes by them.
    """
    happened = [row.disposition_at for row in rows]
    came = [] if on is None else [datetime(on.year, on.month, on.day, tzinfo=UTC)]
    return max([*happened, *came, *not_before])


def months_first_after(moment: datetime) -> date:
    """The first as-of date that a campaign may have to know of something by."""
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return date(year, month + 1, 1)
