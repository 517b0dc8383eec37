"""What is this offer worth?"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate
from tables.reason_codes import ReasonCode

MONEY = "decimal(18,2)"
UNIT = 10**15


def expected_profit() -> Column:
    """Propensity x margin - contact cost, rounded once, half away from zero; null without a score.

    Engines cast a double to a decimal in different ways (1.005 is 1.01 to one and 1.00 to another),
    so the propensity becomes a whole number of 10^-15 first and the rest is exact.
    """
    units = F.floor(F.col("propensity") * F.lit(float(UNIT)) + F.lit(0.5)).cast("decimal(16,0)")
    propensity = (units * F.lit(Decimal(1) / UNIT)).cast("decimal(17,15)")
    return (propensity * F.col("margin") - F.col("contact_cost")).cast(MONEY)


def value_gates(min_expected_profit: Decimal) -> list[Gate]:
    """An offer whose profit is unknown is not worth making."""
    is_too_low = F.col("expected_profit") < F.lit(min_expected_profit).cast(MONEY)
    return [Gate(ReasonCode.NOT_PROFITABLE, fails=F.coalesce(is_too_low, F.lit(True)))]
