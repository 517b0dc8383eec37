"""What is decided about every customer x offer, and why."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, functions as F

from campaigns.choice import choose
from conf.schema import CampaignSettings
from tables.derived import DECISIONS


def decisions(
    candidates: DataFrame, settings: CampaignSettings, as_of: date, run_id: str
) -> DataFrame:
    """One row per candidate, shaped ``DECISIONS``; each has exactly one outcome.

    ``candidates`` is read twice, for the competition and for the rest: a caller with many customers
    had better write it down first.
    """
    return (
        choose(candidates, settings)
        .select(
            "*",
            F.lit(as_of).alias("as_of"),
            F.lit(run_id).alias("run_id"),
            F.lit(settings.campaign_id).alias("campaign_id"),
            F.lit(as_of).cast("timestamp").alias("consent_checked_at"),
        )
        .select(*DECISIONS.column_names)
    )
