"""What is decided about every customer x offer, and why."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, functions as F

from campaigns.candidates import candidates
from campaigns.choice import choose
from campaigns.sources import CampaignSources
from conf.schema import RunConfig
from tables.derived import DECISIONS


def decisions(sources: CampaignSources, config: RunConfig, as_of: date, run_id: str) -> DataFrame:
    """One row per customer and offer, shaped ``DECISIONS``; each has exactly one outcome."""
    chosen = choose(candidates(sources, config, as_of), config.campaign)
    return chosen.select(
        "*",
        F.lit(as_of).alias("as_of"),
        F.lit(run_id).alias("run_id"),
        F.lit(config.campaign.campaign_id).alias("campaign_id"),
        F.lit(as_of).cast("timestamp").alias("consent_checked_at"),
    ).select(*DECISIONS.column_names)
