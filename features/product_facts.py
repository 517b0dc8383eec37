"""What features need to know of the products themselves: whose they are, what is still expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext

from conf.schema import LifetimeValueSettings, Product

MONTHS_PER_YEAR = 12
DIGITS = 50


@dataclass(frozen=True)
class ProductFacts:
    """One product.

    Attributes:
        is_partner: A partner provides it.
        remaining_cents: Discounted margin still expected of one open holding, by the completed
            months it has been held; the last of them stands for any longer time.
    """

    is_partner: bool
    remaining_cents: tuple[int, ...]


def product_facts(
    products: Mapping[str, Product], settings: LifetimeValueSettings
) -> dict[str, ProductFacts]:
    """The facts of each configured product, by its id."""
    return {
        product_id: ProductFacts(
            is_partner=product.kind == "partner",
            remaining_cents=remaining_cents(product, settings),
        )
        for product_id, product in products.items()
    }


def remaining_cents(product: Product, settings: LifetimeValueSettings) -> tuple[int, ...]:
    """Expected discounted margin of the months that are left, by the months held so far.

    The margin of a year comes in equal months m, each discounted from its end: the sum of
    ``m / (1 + i)^(k/12)`` for ``k = 1 .. n``. n is the product's horizon less the months held, but
    never under the least share of the horizon. A margin earned at the sale is not expected again.
    After Gupta, Lehmann and Stuart (2004), Valuing Customers, Journal of Marketing Research 41(1),
    with an expected lifetime in place of a retention rate.
    """
    horizon = product.horizon_months or 0
    share = Decimal(str(settings.least_remaining_share))
    least = int((horizon * share).to_integral_value(ROUND_CEILING))
    lengths = [max(horizon - held, least) for held in range(horizon - least + 1)]
    monthly = (product.margin_per_year or Decimal(0)) * 100 / MONTHS_PER_YEAR
    rate = Decimal(str(settings.discount_rate))
    return tuple(_discounted(monthly, months, rate) for months in lengths)


def _discounted(monthly: Decimal, months: int, yearly_rate: Decimal) -> int:
    with localcontext() as exact:
        exact.prec = DIGITS
        step = (1 + yearly_rate) ** (Decimal(-1) / MONTHS_PER_YEAR)
        total = sum((monthly * step**k for k in range(1, months + 1)), Decimal(0))
        return int(total.to_integral_value(ROUND_HALF_UP))
