"""Who is kept off, at random but repeatably: a hash of stable keys decides, never a draw."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, functions as F

from conf.schema import CampaignSettings

HEX_DIGITS = 13


def in_global_holdout(settings: CampaignSettings) -> Column:
    """Withheld from every campaign, for ever; new customers join by their identifier."""
    return _is_drawn(settings.global_holdout_share, settings.salt, "global_holdout")


def in_campaign_control(settings: CampaignSettings, as_of: date) -> Column:
    """Withheld from this campaign; who it is changes every month, or control would be a holdout."""
    return _is_drawn(settings.control_share, settings.salt, settings.campaign_id, as_of.isoformat())


def exploration_hash(settings: CampaignSettings, as_of: date) -> Column:
    """The hash of a customer for whom chance may choose; null for all others."""
    nobody = F.lit(None).cast("string")
    if settings.exploration_share == 0:
        return nobody
    keys = (settings.salt, settings.campaign_id, as_of.isoformat(), "exploration")
    is_drawn = _is_drawn(settings.exploration_share, *keys)
    return F.when(is_drawn, _hash(*keys)).otherwise(nobody)


def _is_drawn(share: float, *keys: str) -> Column:
    """The customer's hash lies in the lowest ``share`` of all hashes."""
    below = round(share * 16**HEX_DIGITS)
    if below >= 16**HEX_DIGITS:
        return F.lit(True)
    # Hex digits of one length sort as their numbers do.
    return F.substring(_hash(*keys), 1, HEX_DIGITS) < F.lit(f"{below:0{HEX_DIGITS}x}")


def _hash(*keys: str) -> Column:
    return F.sha2(F.concat_ws("|", *(F.lit(key) for key in keys), F.col("customer_id")), 256)
