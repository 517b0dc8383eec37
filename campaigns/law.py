"""What the jurisdiction profile in force makes of products and purposes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from conf.jurisdiction import JurisdictionProfile, Permission, allows_age
from conf.schema import Product

PROFILING = "profiling"
PURPOSES = {"internal": "marketing_internal", "partner": "marketing_partner"}


def marketing_purposes(products: Iterable[Product]) -> list[str]:
    """What a client must leave for, to be offered these products together."""
    return sorted({PURPOSES[product.kind] for product in products})


def permission(law: JurisdictionProfile, purpose: str) -> Permission:
    """What a purpose rests on."""
    return cast(Permission, getattr(law, purpose))


def lawful_product(product: Product, law: JurisdictionProfile) -> Product:
    """The product without a highest age, where it may not have one."""
    if allows_age(law.highest_age, is_credit=product.is_credit):
        return product
    rules = product.eligibility.model_copy(update={"max_age": None})
    return product.model_copy(update={"eligibility": rules})
