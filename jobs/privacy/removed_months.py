"""Months whose decisions retention has removed: whoever asks for one is told so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from jobs.home import Home
from tables.derived import DECISIONS
from tables.errors import UserError
from tables.runs import RunRecord, Runs

STEP = "retention"


def refuse_removed(home: Home, campaign: RunRecord) -> None:
    """Go on only if the decisions of a campaign are still there.

    Raises:
        UserError: Retention has removed them.
    """
    if (record := removed_by(home, campaign)) is not None:
        raise UserError(
            f"decisions and lists of {campaign.as_of} were removed by retention of"
            f" {record.as_of} (run {record.run_id[:12]}): only leaves of the sealed log are"
            " left of them. A copy kept elsewhere is the only other record"
        )


def removed_by(home: Home, campaign: RunRecord) -> RunRecord | None:
    """The retention that removed the decisions of a campaign; None if they are still there."""
    for record in Runs(home.tables).committed():
        if record.step == STEP and record.sequence > campaign.sequence and _has(record, campaign):
            return record
    return None


def _has(record: RunRecord, campaign: RunRecord) -> bool:
    rows = cast("Mapping[str, Mapping[str, int]]", record.counts["rows"])
    return campaign.as_of.isoformat() in rows.get(DECISIONS.name, {})
