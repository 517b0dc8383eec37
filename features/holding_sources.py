"""Open and past holdings, with what is known of their products."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import Cut, Source, SourceTables
from tables.windows import completed_months, days_ago, months_ago


def _holding_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per holding opened before the cut; a closing on or after it has not happened.

    A product that is not configured is the bank's own and earns nothing.
    """
    closed_on = F.when(F.col("closed_on") < F.lit(cut.as_of), F.col("closed_on"))
    holdings = tables.holdings.where(F.col("opened_on") < F.lit(cut.as_of)).select(
        "customer_id", "product_id", "opened_on", closed_on.alias("closed_on"), "matures_on"
    )
    is_due = F.col("closed_on").isNull() & (F.col("matures_on") >= F.lit(cut.as_of))
    rows = holdings.select(
        "customer_id",
        "product_id",
        F.col("closed_on").isNull().alias("is_open"),
        days_ago("opened_on", cut.as_of).alias("days_ago"),
        months_ago("opened_on", cut.as_of).alias("months_ago"),
        completed_months("opened_on", cut.as_of).alias("months_held"),
        months_ago("closed_on", cut.as_of).alias("closed_months_ago"),
        F.when(is_due, -days_ago("matures_on", cut.as_of)).alias("days_to_maturity"),
        _is_partner(cut).alias("is_partner"),
    )
    return rows.select("*", _remaining(cut).alias("remaining_cents"))


def _is_partner(cut: Cut) -> Column:
    partners = [product_id for product_id, facts in cut.products.items() if facts.is_partner]
    return F.coalesce(F.col("product_id").isin(partners), F.lit(False))


def _remaining(cut: Cut) -> Column:
    """Cents still expected by the months held, looked up in the product's list."""
    cents = F.lit(0).cast("bigint")
    for product_id, facts in cut.products.items():
        expected = F.array(*(F.lit(each).cast("bigint") for each in facts.remaining_cents))
        place = F.least(F.col("months_held"), F.lit(len(facts.remaining_cents) - 1)) + F.lit(1)
        is_product = F.col("product_id") == F.lit(product_id)
        cents = F.when(is_product, F.element_at(expected, place)).otherwise(cents)
    return cents


HOLDINGS = Source("holdings", ("holdings",), _holding_rows)
