"""May this customer hold this product?"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.gates import Gate
from campaigns.intervals import first_day, first_free_day, interval
from conf.schema import Product
from features.eligibility import birthday, eligibility_failures
from tables.reason_codes import ReasonCode

HELD = ("held", "product_id")


def is_active(as_of: date) -> Column:
    """The relationship has begun and not ended, and no death is known."""
    has_joined = F.coalesce(F.col("joined_on") < F.lit(as_of), F.lit(False))
    has_left = F.coalesce(F.col("left_on") < F.lit(as_of), F.lit(False))
    return has_joined & ~has_left & F.col("deceased_on").isNull()


def active_on(as_of: date) -> Column:
    """The day after ``as_of`` on which ``is_active`` begins to hold; null: there is none."""
    first = F.date_add("joined_on", 1)
    stays = F.col("left_on").isNull() | (F.col("left_on") >= first)
    return F.when((first > F.lit(as_of)) & stays & F.col("deceased_on").isNull(), first)


def held_products(holdings: DataFrame, as_of: date) -> DataFrame:
    """The days on which customers hold what they hold, where time alone will change it.

    Returns:
        One row per customer with a holding whose end or later opening is known: ``held``, an array
        of ``product_id`` and its ``interval``, which begins after the opening and ends after the
        last day, like ``open_products``.
    """
    has_ended = F.coalesce(F.col("closed_on") < F.lit(as_of), F.lit(False))
    will_change = F.col("closed_on").isNotNull() | (F.col("opened_on") >= F.lit(as_of))
    days = interval(F.date_add("opened_on", 1), F.date_add("closed_on", 1))
    return (
        holdings.where(~has_ended)
        .groupBy("customer_id")
        .agg(
            F.sort_array(F.collect_list(F.struct(*days, F.col("product_id")))).alias("held"),
            F.max(will_change).alias("will_change"),
        )
        .where("will_change")
        .select("customer_id", "held")
    )


def eligibility_gates(product_id: str, product: Product, as_of: date) -> list[Gate]:
    """The rules of a product, and that there is a customer to offer it to.

    Returns:
        Gates over the facts of a customer: ``is_active``, ``active_on``, ``held`` and what
        ``eligibility_failures`` needs.
    """
    failures = eligibility_failures(product_id, product, as_of)
    days = _pass_days(product_id, product, as_of)
    return [
        Gate(ReasonCode.NOT_ACTIVE, ~F.col("is_active"), F.col("active_on")),
        *(Gate(code, fails, days.get(code)) for code, fails in failures.items()),
    ]


def _pass_days(product_id: str, product: Product, as_of: date) -> dict[ReasonCode, Column]:
    """When each rule that time can change passes."""
    rules = product.eligibility
    days = {
        ReasonCode.ALREADY_HELD: first_free_day(*HELD, [product_id], as_of),
        ReasonCode.LACKS_REQUIRED_PRODUCT: first_day(*HELD, rules.requires_any, as_of),
        ReasonCode.HOLDS_EXCLUDED_PRODUCT: first_free_day(*HELD, rules.excludes, as_of),
    }
    if rules.min_age is not None:
        days[ReasonCode.TOO_YOUNG] = birthday("birth_date", rules.min_age)
    return days
