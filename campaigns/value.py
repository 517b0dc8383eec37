"""What is this offer worth, made in this way?"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate
from tables.reason_codes import ReasonCode

MONEY = "decimal(18,2)"
UNIT = 10**15
UPLIFT, PROPENSITY = "uplift", "propensity"


def response() -> Column:
    """Purchases that an offer is expected to bring; null without a score.

    That is the uplift: who would have bought anyway brings none. Without a model of it, which must
    have shown to be better, all purchases are counted: the propensity.
    """
    return F.coalesce("uplift", "propensity")


def response_basis() -> Column:
    """What ``response`` is: ``uplift`` or ``propensity``; null without a score."""
    return F.when(F.col("uplift").isNotNull(), F.lit(UPLIFT)).when(
        F.col("propensity").isNotNull(), F.lit(PROPENSITY)
    )


def acceptance(way: Column) -> Column:
    """The probability that the client accepts an offer made in this way; null without a response.

    A channel changes what an offer brings; a lever changes how many of those who are asked accept,
    of whom some would have bought anyway.
    """
    by_channel = _plain_acceptance() + (way["channel_factor"] - 1) * F.col("response")
    with_lever = by_channel * way["lever_factor"] + way["lever_add"]
    # The least ignores nulls.
    within = F.greatest(F.least(with_lever, F.lit(1.0)), F.lit(0.0))
    return F.when(F.col("response").isNotNull(), within)


def response_in(accepted: Column) -> Column:
    """Purchases that an offer is expected to bring if it is accepted with this probability.

    It differs from ``response`` by as much as the acceptance does from the plain one.
    """
    return F.col("response") + (accepted - _plain_acceptance())


def _plain_acceptance() -> Column:
    """Without a lever, by a channel that changes nothing: uplift is not all that is bought."""
    at_least_none = F.greatest("response", F.lit(0.0))
    is_uplift = F.col("response_basis") == UPLIFT
    return F.when(is_uplift, F.col("propensity")).otherwise(at_least_none)


def expected_profit(brought: Column, accepted: Column, way: Column) -> Column:
    """Response x margin - costs, rounded once, half away from zero; null without a response.

    A lever that costs something where an offer is accepted costs that of whoever accepts, also of
    those who would have bought anyway.
    """
    earned = _exact(brought) * F.col("margin") - _exact(accepted) * way["cost_if_accepted"]
    return (earned - (way["contact_cost"] + way["cost_if_offered"])).cast(MONEY)


def _exact(share: Column) -> Column:
    """A double as a decimal of 15 places.

    Engines cast a double to a decimal in different ways (1.005 is 1.01 to one and 1.00 to another),
    so it becomes a whole number of 10^-15 first and the rest is exact.
    """
    units = F.floor(share * F.lit(float(UNIT)) + F.lit(0.5)).cast("decimal(16,0)")
    return (units * F.lit(Decimal(1) / UNIT)).cast("decimal(17,15)")


def value_gates(min_expected_profit: Decimal) -> list[Gate]:
    """An offer whose profit is unknown, or that puts the client off, is not worth making."""
    is_too_low = F.col("expected_profit") < F.lit(min_expected_profit).cast(MONEY)
    puts_off = F.col("response") < 0
    return [Gate(ReasonCode.NOT_PROFITABLE, fails=F.coalesce(is_too_low | puts_off, F.lit(True)))]
