"""What the bank may still expect of a customer, and what partners have to do with it."""

from __future__ import annotations

from features.feature import Feature
from features.formulas import amount, elapsed, number
from features.holding_sources import HOLDINGS
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS
from tables.categories import Category

OPEN = ALL_ROWS.where(is_open=True)
PARTNERS = ALL_ROWS.where(is_partner=True)
# What insurers, travel insurers and leasing companies sell their products for.
PARTNER_CATEGORIES = (
    Category.CAR,
    Category.FUEL,
    Category.TRAVEL,
    Category.HOME,
    Category.INSURANCE,
)


def value_features() -> tuple[Feature, ...]:
    """Margin still to come, products of partners, spending that partners serve."""
    return (
        Feature(
            name="remaining_margin_amount",
            theme="value",
            description="Customer lifetime value of what is held: yearly margin of each open"
            " holding over the rest of its product's horizon, discounted.",
            value=amount(Measure(HOLDINGS, "sum", "remaining_cents", OPEN)),
        ),
        Feature(
            name="partner_product_count",
            theme="value",
            description="Open holdings of partners' products.",
            value=number(
                Measure(HOLDINGS, "count", "months_held", OPEN.where(is_partner=True)),
                "product",
            ),
            in_list=True,
        ),
        Feature(
            name="months_since_partner_product_opened",
            theme="value",
            description="Completed months since the newest holding of a partner's product was"
            " opened, closed ones included.",
            value=elapsed(
                Measure(HOLDINGS, "min", "months_held", PARTNERS), "month", "null if never"
            ),
        ),
        *(_partner_spending(months) for months in (3, 12)),
    )


def _partner_spending(months: int) -> Feature:
    rows = ALL_ROWS.where(is_debit=True, category=PARTNER_CATEGORIES)
    return Feature(
        name=f"partner_field_amount_{months}m",
        theme="value",
        description=f"Paid in the last {months} months for what partners serve: car, fuel, travel,"
        " home, insurance elsewhere.",
        value=amount(Measure(BOOKINGS, "sum", "cents", rows, within=months)),
    )
