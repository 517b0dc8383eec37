"""What is decided about every customer x offer, and why."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, functions as F

from conf.schema import CampaignSettings
from tables.derived import DECISIONS


def decisions(
    decided: DataFrame, settings: CampaignSettings, as_of: date, run_id: str
) -> DataFrame:
    """One row per candidate with its outcome, shaped ``DECISIONS``."""
    return decided.select(
        "*",
        F.lit(as_of).alias("as_of"),
        F.lit(run_id).alias("run_id"),
        F.lit(settings.campaign_id).alias("campaign_id"),
        F.lit(as_of).cast("timestamp").alias("consent_checked_at"),
    ).select(*DECISIONS.column_names)
