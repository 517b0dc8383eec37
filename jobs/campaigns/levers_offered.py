"""Which levers the bank's own past campaigns put on lists."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from campaigns.lever_history import LEVERS_OFFERED, longest_cool_off
from conf.schema import RunConfig
from jobs.run import Run
from tables.derived import DECISIONS
from tables.reason_codes import Outcome
from tables.runs import RunRecord, Runs
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def campaigns_with_levers(
    tables: Path, as_of: date, config: RunConfig, before: int | None = None
) -> list[RunRecord]:
    """Campaigns before ``as_of`` whose levers may still cool off, oldest first.

    Of several runs for one month the last one committed stands.

    Args:
        tables: Where.
        as_of: Cut-off.
        config: How long levers cool off.
        before: A place among all runs: later ones are not looked at.
    """
    first = as_of - timedelta(days=longest_cool_off(config.levers))
    standing = {
        run.as_of: run
        for run in Runs(tables).committed()
        if run.step == "campaign" and (before is None or run.sequence < before)
    }
    return [record for day, record in sorted(standing.items()) if first < day < as_of]


def levers_offered(run: Run) -> DataFrame:
    """One row per lever on a list of theirs, shaped ``LEVERS_OFFERED``."""
    before = run.repeated.before if run.repeated else None
    campaigns = campaigns_with_levers(run.store.folder, run.as_of, run.config, before)
    parts = [_of_campaign(run, campaign) for campaign in campaigns]
    found = reduce(lambda one, other: one.unionByName(other), parts, _none(run))
    # Who is known by now to be another record's client is that client.
    return run.store.of_persons(DECISIONS, found, run.as_of) if parts else found


def _none(run: Run) -> DataFrame:
    return run.spark.createDataFrame([], LEVERS_OFFERED)


def _of_campaign(run: Run, campaign: RunRecord) -> DataFrame:
    decided = Store(run.store.folder, run.spark, campaign.pins).snapshot(DECISIONS, campaign.as_of)
    is_offered = F.col("outcome") == str(Outcome.OFFERED)
    return decided.where(is_offered & F.col("lever_code").isNotNull()).select(
        "customer_id", "lever_code", F.lit(campaign.as_of).alias("offered_on")
    )
