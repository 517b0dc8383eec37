"""Which products the customer holds, since when, and what ends soon."""

from __future__ import annotations

from collections.abc import Sequence

from features.feature import Feature
from features.formulas import elapsed, has_any, number
from features.holding_sources import HOLDINGS
from features.measures import ALL_ROWS, Measure

OPEN = ALL_ROWS.where(is_open=True)


def holdings_features(products: Sequence[str]) -> tuple[Feature, ...]:
    """Facts of the holdings: over all products, then two per product."""
    per_product = [feature for product in products for feature in _product_features(product)]
    return (*_portfolio_features(), *per_product)


def _portfolio_features() -> tuple[Feature, ...]:
    return (
        Feature(
            name="product_count",
            theme="holdings",
            description="Open holdings, of the bank and of partners.",
            value=number(Measure(HOLDINGS, "count", "days_ago", OPEN), "product"),
            tells=("more", "nothing"),
            in_list=True,
        ),
        Feature(
            name="opened_count_12m",
            theme="holdings",
            description="Holdings opened in the last 12 months, whether still open or not.",
            value=number(Measure(HOLDINGS, "count", "days_ago", within=12), "product"),
            tells=("more",),
        ),
        Feature(
            name="closed_count_12m",
            theme="holdings",
            description="Holdings closed in the last 12 months.",
            value=number(
                Measure(HOLDINGS, "count", "days_ago", within=12, clock="closed_months_ago"),
                "product",
            ),
        ),
        Feature(
            name="days_since_last_opening",
            theme="holdings",
            description="Days since the newest holding was opened, closed ones included.",
            value=elapsed(Measure(HOLDINGS, "min", "days_ago"), "day", "null if never"),
            tells=("less",),
        ),
        Feature(
            name="days_to_next_maturity",
            theme="holdings",
            description="Days until the next open holding ends; 0 is the as-of date itself.",
            value=elapsed(
                Measure(HOLDINGS, "min", "days_to_maturity"), "day", "null if none has an end"
            ),
            tells=("less",),
            in_list=True,
        ),
    )


def _product_features(product: str) -> tuple[Feature, ...]:
    held = OPEN.where(product_id=product)
    return (
        Feature(
            name=f"has_{product}",
            theme="holdings",
            description=f"Holds {product}.",
            value=has_any(Measure(HOLDINGS, "count", "days_ago", held)),
            tells=("more", "nothing"),
            product_id=product,
            shared_sentence="has_product",
            in_list=True,
        ),
        Feature(
            name=f"months_since_{product}_opened",
            theme="holdings",
            description=f"Completed months since the newest open {product} was opened.",
            value=elapsed(
                Measure(HOLDINGS, "min", "months_held", held), "month", "null if not held"
            ),
            tells=("more",),
            product_id=product,
            shared_sentence="months_since_product_opened",
        ),
    )
