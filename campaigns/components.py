"""What an offer is made of, as configuration and law have it."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.law import lawful_product
from conf.fields import FatigueClass
from conf.schema import EligibilityRules, Offer, Product, RunConfig

Components = Mapping[str, Product]


def components(offer: Offer, config: RunConfig) -> Components:
    """The products of an offer, each with the rules that are asked about it here.

    Who renews something holds it, and its balance lies in it: neither is asked again. The core of a
    package may be held. What one product of a package requires, another one may bring.
    """
    law = config.jurisdiction.in_force
    parts = {name: lawful_product(config.products[name], law) for name in offer.products}
    if offer.move == "renewal":
        return {name: _held_already(part, {"min_balance": None}) for name, part in parts.items()}
    if offer.bundle is None:
        return parts
    return {
        name: _held_already(part, {}) if name == offer.bundle.core else part
        for name, part in ((name, _brought(part, set(parts))) for name, part in parts.items())
    }


def products_of(offer: Offer, config: RunConfig) -> list[Product]:
    """What an offer is made of; first the product that it is named after."""
    others = (name for name in offer.products if name != offer.product)
    return [config.products[name] for name in (offer.product, *others)]


def fatigue_classes(parts: Components) -> list[FatigueClass]:
    """Every class that a contact about it is counted in."""
    return sorted({part.fatigue_class for part in parts.values()})


def _held_already(product: Product, rules: Mapping[str, None]) -> Product:
    eligibility = product.eligibility.model_copy(update=dict(rules))
    return product.model_copy(update={"can_be_held_twice": True, "eligibility": eligibility})


def _brought(product: Product, others: set[str]) -> Product:
    if not others & set(product.eligibility.requires_any):
        return product
    rules: EligibilityRules = product.eligibility.model_copy(update={"requires_any": ()})
    return product.model_copy(update={"eligibility": rules})
