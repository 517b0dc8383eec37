"""Which pairs of products suggest a package, and why the others do not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conf.fields import Channel
from conf.schema import Offer, RunConfig
from conf.wording import ANY_LANGUAGE
from measurement.association import Estimate
from measurement.combinations import PAIR, Combination
from measurement.purchase_order import Sequel

YOURS = "# yours to say"


@dataclass(frozen=True)
class Proposal:
    """A core with one product around it.

    Attributes:
        core: That of the two after which the other is bought more often than usual; where too few
            bought one after the other, that which more clients had first.
        periphery: The other one.
        pair: What is known of them.
        core_holders: Clients who hold the core.
        had_core_first: Share of those who hold both who had the core in an earlier month.
        sequel: How often the other one is bought after the core, if that is surely more than usual.
    """

    core: str
    periphery: str
    pair: Combination
    core_holders: int
    had_core_first: float
    sequel: Sequel | None

    @property
    def offer_id(self) -> str:
        """What the offer may be called."""
        return f"{self.core}_{self.periphery}_package"[:64]


@dataclass(frozen=True)
class Orders:
    """Which product comes first.

    Attributes:
        had_first: By pair: clients who hold both and had the first one in an earlier month.
        sequels: By pair: what is surely bought after another more often than usual.
    """

    had_first: Mapping[tuple[str, str], int]
    sequels: Mapping[tuple[str, str], Sequel]

    def core_first(self, one: str, other: str) -> tuple[str, str]:
        """Both, that after which the other is bought in front.

        What is held but for a short term was seldom had first, so that purchases go before that.
        """

        def follows(first: str, then: str) -> tuple[float, int]:
            sequel = self.sequels.get((first, then))
            return (sequel.lift.value if sequel else 0.0, self.had_first[first, then])

        return (one, other) if follows(one, other) >= follows(other, one) else (other, one)


@dataclass(frozen=True)
class NotProposed:
    """A pair that is surely held together, and why it makes no package."""

    pair: Combination
    why: str


def proposals(
    found: Iterable[Combination],
    holders: Mapping[str, int],
    order: Orders,
    config: RunConfig,
) -> tuple[list[Proposal], list[NotProposed]]:
    """Every pair that is surely held together often enough, the most associated first.

    Args:
        found: Combinations of any size, in order.
        holders: Of each product.
        order: What is known of which product comes first.
        config: Products with their terms, and offers.
    """
    proposed, others = [], []
    for pair in found:
        is_enough = min(pair.lift.low, pair.alike.low) > config.combinations.min_package_lift
        if len(pair.products) != PAIR or not pair.is_sure or not is_enough:
            continue
        core, periphery = order.core_first(*pair.products)
        if why := _why_not(core, periphery, config):
            others.append(NotProposed(pair, why))
        else:
            share = order.had_first[core, periphery] / pair.clients
            sequel = order.sequels.get((core, periphery))
            proposed.append(Proposal(core, periphery, pair, holders[core], share, sequel))
    return proposed, others


def reason(proposal: Proposal, names: Mapping[str, str]) -> str:
    """Why, in sentences."""
    pair, core, periphery = proposal.pair, names[proposal.core], names[proposal.periphery]
    share = pair.clients / proposal.core_holders
    told = (
        f"Of {proposal.core_holders:,} clients with {core}, {pair.clients:,} ({share:.0%}) hold"
        f" {periphery} as well, {_times(pair.alike)} as many as usual among clients alike."
    )
    if proposal.sequel is None:
        return f"{told} Of those, {proposal.had_core_first:.0%} had {core} first."
    return (
        f"{told} After {core}, {periphery} is bought {_times(proposal.sequel.lift)} as often as by"
        " all who could."
    )


def needs(proposal: Proposal, config: RunConfig) -> list[str]:
    """What the package would need."""
    names = (proposal.core, proposal.periphery)
    alone = " and ".join(f"{name} ({sold_alone(name, config)[0]})" for name in names)
    found = [f"a price, and those of {alone}: both stay on sale alone"]
    for name in names:
        product = config.products[name]
        if product.partner is not None:
            partner = config.partners[product.partner].name
            found.append(f"consent marketing_partner, and the agreement of {partner} ({name})")
        if product.is_credit:
            found.append(f"an assessment of its own for {name}, which is credit")
    return found


def sold_alone(product_id: str, config: RunConfig) -> list[str]:
    """Offers of the product that need no event and no other product."""
    return [
        offer_id
        for offer_id, offer in config.offers.items()
        if offer.product == product_id and not (offer.bundle or offer.trigger or offer.move)
    ]


def package_lines(proposal: Proposal, config: RunConfig) -> list[str]:
    """The offer as ``offers.yaml`` has it, below ``offers:``; prices and talking point are blank.

    Cost and days are those of the offers that sell both alone: the dearer, the shorter.
    """
    parts = (proposal.core, proposal.periphery)
    alone = [config.offers[sold_alone(name, config)[0]] for name in parts]
    names = _in_each_language([config.products[name].name for name in parts], " + ")
    benefits = _in_each_language([config.products[name].client_benefit for name in parts], " ")
    return [
        f"  {proposal.offer_id}:",
        f"    product: {proposal.periphery}",
        f"    channels: [{', '.join(common_channels(alone))}]",
        f"    contact_cost: {max(offer.contact_cost for offer in alone)}",
        f"    validity_days: {min(offer.validity_days for offer in alone)}",
        f"    talking_point_id:  {YOURS}",
        "    bundle:",
        "      name:",
        *(f"        {language}: {_quoted(text)}" for language, text in names.items()),
        f"      core: {proposal.core}",
        f"      periphery: [{proposal.periphery}]",
        f"      price:  {YOURS}",
        "      component_prices:",
        *(f"        {name}:  {YOURS}" for name in parts),
        "      client_benefit:",
        *(f"        {language}: {_quoted(text)}" for language, text in benefits.items()),
    ]


def _why_not(core: str, periphery: str, config: RunConfig) -> str | None:
    """The first thing that stands in the way, or nothing."""
    for one, other in ((core, periphery), (periphery, core)):
        product = config.products[one]
        if other in product.eligibility.requires_any:
            return f"by its terms {one} needs {other}: that they are held together says nothing"
        if other in product.eligibility.excludes:
            return f"by its terms {one} excludes {other}"
        if product.upgrade_of == other:
            return f"{one} takes the place of {other}"
    for name in (core, periphery):
        if not sold_alone(name, config):
            return f"no offer sells {name} alone; to tie it is unlawful"
    alone = [config.offers[sold_alone(name, config)[0]] for name in (core, periphery)]
    if not common_channels(alone):
        return "no channel offers both"
    return next(
        (
            f"already together in {offer_id}"
            for offer_id, offer in config.offers.items()
            if offer.bundle and {core, periphery} <= {*offer.products}
        ),
        None,
    )


def common_channels(offers: Iterable[Offer]) -> list[Channel]:
    """On which all of them are made, in the order of the first one."""
    first, *others = offers
    return [one for one in first.channels if all(one in offer.channels for offer in others)]


def _in_each_language(texts: Iterable[Mapping[Any, str]], between: str) -> dict[str, str]:
    """What all of them say, in each language in which all say something."""
    texts = list(texts)
    languages = sorted({one for text in texts for one in text if one != ANY_LANGUAGE})
    said = {
        one: [text.get(one) or text.get(ANY_LANGUAGE, "") for text in texts]
        for one in languages or [ANY_LANGUAGE]
    }
    return {one: between.join(words) for one, words in said.items() if all(words)}


def _quoted(text: str) -> str:
    """JSON's quotes are YAML's as well."""
    return json.dumps(text, ensure_ascii=False)


def _times(one: Estimate) -> str:
    return f"{one.value:.2f} times [{one.low:.2f}, {one.high:.2f}]"
