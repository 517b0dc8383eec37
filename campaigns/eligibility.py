"""May this customer hold this product?"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate
from conf.schema import Product
from features.eligibility import eligibility_failures
from tables.reason_codes import ReasonCode


def is_active(as_of: date) -> Column:
    """The relationship has begun and not ended, and no death is known."""
    has_joined = F.coalesce(F.col("joined_on") < F.lit(as_of), F.lit(False))
    has_left = F.coalesce(F.col("left_on") < F.lit(as_of), F.lit(False))
    return has_joined & ~has_left & F.col("deceased_on").isNull()


def eligibility_gates(product_id: str, product: Product, as_of: date) -> list[Gate]:
    """The rules of a product, and that there is a customer to offer it to.

    Returns:
        Gates over the facts of a customer: ``is_active`` and what ``eligibility_failures`` needs.
    """
    failures = eligibility_failures(product_id, product, as_of)
    return [
        Gate(ReasonCode.NOT_ACTIVE, fails=~F.col("is_active")),
        *(Gate(code, fails) for code, fails in failures.items()),
    ]
