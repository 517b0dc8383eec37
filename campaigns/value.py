"""What is this offer worth?"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate
from tables.reason_codes import ReasonCode

MONEY = "decimal(18,2)"
UNIT = 10**15


def response() -> Column:
    """Purchases that an offer is expected to bring; null without a score.

    That is the uplift: who would have bought anyway brings none. Without a model of it, which must
    have shown to be better, all purchases are counted: the propensity.
    """
    return F.coalesce("uplift", "propensity")


def response_basis() -> Column:
    """What ``response`` is: ``uplift`` or ``propensity``; null without a score."""
    return F.when(F.col("uplift").isNotNull(), F.lit("uplift")).when(
        F.col("propensity").isNotNull(), F.lit("propensity")
    )


def expected_profit() -> Column:
    """Response x margin - contact cost, rounded once, half away from zero; null without a response.

    Engines cast a double to a decimal in different ways (1.005 is 1.01 to one and 1.00 to another),
    so the response becomes a whole number of 10^-15 first and the rest is exact.
    """
    units = F.floor(F.col("response") * F.lit(float(UNIT)) + F.lit(0.5)).cast("decimal(16,0)")
    exact = (units * F.lit(Decimal(1) / UNIT)).cast("decimal(17,15)")
    return (exact * F.col("margin") - F.col("contact_cost")).cast(MONEY)


def value_gates(min_expected_profit: Decimal) -> list[Gate]:
    """An offer whose profit is unknown, or that puts the client off, is not worth making."""
    is_too_low = F.col("expected_profit") < F.lit(min_expected_profit).cast(MONEY)
    puts_off = F.col("response") < 0
    return [Gate(ReasonCode.NOT_PROFITABLE, fails=F.coalesce(is_too_low | puts_off, F.lit(True)))]
