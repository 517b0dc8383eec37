"""Open and past holdings with what is known of their products."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import HOLDINGS, Cut, Source, SourceTables


def _valued_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per holding; a product that is not configured is the bank's and earns nothing."""
    return HOLDINGS.rows(tables, cut).select(
        "customer_id",
        "is_open",
        "months_held",
        _is_partner(cut).alias("is_partner"),
        _remaining(cut).alias("remaining_cents"),
    )


def _is_partner(cut: Cut) -> Column:
    found = F.lit(False)
    for product_id, facts in cut.products.items():
        is_product = F.col("product_id") == F.lit(product_id)
        found = F.when(is_product, F.lit(facts.is_partner)).otherwise(found)
    return found


def _remaining(cut: Cut) -> Column:
    """Cents still expected by the months held, looked up in the product's list."""
    cents = F.lit(0).cast("bigint")
    for product_id, facts in cut.products.items():
        expected = F.array(*(F.lit(each).cast("bigint") for each in facts.remaining_cents))
        place = F.least(F.col("months_held"), F.lit(len(facts.remaining_cents) - 1)) + F.lit(1)
        is_product = F.col("product_id") == F.lit(product_id)
        cents = F.when(is_product, F.element_at(expected, place)).otherwise(cents)
    return cents


VALUED_HOLDINGS = Source("valued holdings", ("holdings",), _valued_rows)
