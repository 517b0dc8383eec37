"""Which committed campaign somebody means: that of a month, of a run, or those of months before."""

from __future__ import annotations

import argparse
from datetime import date

from campaigns.list_query import named
from conf.errors import did_you_mean
from jobs.home import Home
from tables.errors import UserError
from tables.runs import RunRecord, Runs
from tables.windows import months_before

SHORT = 12  # digits of a run id that a person sees


def asked_campaign(home: Home, options: argparse.Namespace) -> RunRecord:
    """The campaign of ``--run`` or of ``--as-of``; without either the newest.

    Raises:
        UserError: There is none.
    """
    if options.run is not None:
        return campaign_run(home, options.run)
    if options.as_of is not None:
        return campaign_of(home, options.as_of)
    newest = Runs(home.tables).newest("campaign", lambda _: True)
    if newest is None:
        raise UserError(
            "no campaign has been published. Run xsell run --as-of YYYY-MM-01 first, or say --home"
        )
    return newest


def campaign_of(home: Home, as_of: date) -> RunRecord:
    """The campaign that stands for a month.

    Raises:
        UserError: There is none.
    """
    record = Runs(home.tables).current("campaign", as_of)
    if record is None:
        raise UserError(
            f"no campaign has been published for {as_of}. Run xsell run --as-of {as_of} first"
        )
    return record


def earlier_campaigns(home: Home, as_of: date, months: int) -> list[RunRecord]:
    """Campaigns of the months before, oldest first; of several for a month the last one stands."""
    oldest = months_before(as_of, months) if months else as_of
    standing = {run.as_of: run for run in Runs(home.tables).committed() if run.step == "campaign"}
    return [record for day, record in sorted(standing.items()) if oldest <= day < as_of]


def campaign_run(home: Home, text: str) -> RunRecord:
    """The committed campaign whose run id begins so.

    Raises:
        UserError: None does, or several do.
    """
    campaigns = [run for run in Runs(home.tables).committed() if run.step == "campaign"]
    found = [run for run in campaigns if run.run_id.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    known = [run.run_id[:SHORT] for run in found or campaigns]
    what = "are several campaigns" if found else "is no committed campaign"
    raise UserError(
        f"run {text} {what}; there are {named(known) or 'none'}{did_you_mean(text, known)}"
    )
