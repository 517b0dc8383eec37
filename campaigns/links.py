"""What packages put together: a package and an offer of what is in it are never both made.

To a customer who may have a package, the products that packages link count as one, and so do their
fatigue classes: groups of options have to lie within one another. That keeps every cap; where a
customer may get several offers it allows a little less than the caps do. Others are not affected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from campaigns.optimiser_problem import Bools, Ints
from conf.schema import Offer, Product


@dataclass(frozen=True)
class Links:
    """Names that belong together, each with the one that stands for them.

    Attributes:
        packages: The offers that are packages.
        products: Products by name.
        classes: Fatigue classes by name.
    """

    packages: frozenset[str]
    products: Mapping[str, str]
    classes: Mapping[str, str]

    @staticmethod
    def of(offers: Mapping[str, Offer], products: Mapping[str, Product]) -> Links:
        """Those of all packages."""
        packages = {name: offer.products for name, offer in offers.items() if offer.bundle}
        classes = [{products[name].fatigue_class for name in one} for one in packages.values()]
        return Links(frozenset(packages), _heads(packages.values()), _heads(classes))


def owners(customer: Ints, known: tuple[str, ...], place: Ints, wanted: frozenset[str]) -> Bools:
    """Whether the customer of each option has one with a wanted name."""
    places = [number for number, name in enumerate(known) if name in wanted]
    found: Bools = np.isin(customer, customer[np.isin(place, places)])
    return found


def joined(known: tuple[str, ...], place: Ints, heads: Mapping[str, str], where: Bools) -> Ints:
    """The places of names; ``where`` linked ones count as one, they have the first one's place."""
    first: dict[str, int] = {}
    together = [
        first.setdefault(heads.get(name, name), number) for number, name in enumerate(known)
    ]
    found: Ints = np.where(where, np.array(together, np.int64)[place], place)
    return found


def _heads(groups: Iterable[Collection[str]]) -> dict[str, str]:
    heads: dict[str, str] = {}
    for group in groups:
        met = {heads.get(name, name) for name in group}
        members = {*group, *(name for name, head in heads.items() if head in met)}
        heads |= dict.fromkeys(members, min(members))
    return heads
