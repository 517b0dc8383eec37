"""Rules between levers, channels and offers that the type of one value cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from conf.errors import did_you_mean
from conf.schema import RunConfig
from conf.way_settings import Lever
from conf.wording import ANY_LANGUAGE

Path = tuple[str, ...]
Broken = Iterator[tuple[Path, str]]


def broken_way_rules(config: RunConfig) -> Broken:
    """Every broken rule: where the value stands, and what is wrong with it."""
    for code in config.levers:
        yield from _lever(config, code)
    yield from _minutes(config)
    yield from _channel_caps(config)
    yield from _credit(config)


def _lever(config: RunConfig, code: str) -> Broken:
    lever, path = config.levers[code], ("levers", code)
    for offer_id in lever.offers:
        if offer_id not in config.offers:
            known = config.offers
            hint = did_you_mean(offer_id, known) or f"; there are {', '.join(known)}"
            yield (*path, "offers"), f"names {offer_id}, which does not exist{hint}"
    offered_by = {
        channel
        for offer_id in lever.offers
        if offer_id in config.offers
        for channel in config.offers[offer_id].channels
    }
    for channel in lever.channels:
        if offered_by and channel not in offered_by:
            yield (*path, "channels"), f"has {channel}, by which none of its offers is made"
    yield from _terms(path, lever)
    language = config.bank.language
    if language not in lever.name and ANY_LANGUAGE not in lever.name:
        yield (*path, "name"), f"has no text in the bank's language {language}"


def _terms(path: Path, lever: Lever) -> Broken:
    if lever.has_effect and lever.effect_source is None:
        yield (
            (*path, "effect_source"),
            "is missing: say where response_factor or response_add comes from",
        )
    if lever.seats is not None and lever.kind != "event":
        yield (*path, "seats"), f"is for an event, but kind is {lever.kind}"
    if lever.made_by != "advisor" and lever.kind != "personal_contact":
        yield (*path, "made_by"), f"is for a personal_contact, but kind is {lever.kind}"


def _minutes(config: RunConfig) -> Broken:
    campaign = config.campaign
    limits = {
        "branch_minutes": campaign.branch_minutes,
        "advisor_minutes": campaign.advisor_minutes,
    }
    asking = [name for name, limit in limits.items() if limit is not None]
    channels = {channel for offer in config.offers.values() for channel in offer.channels}
    for channel in sorted(channels - set(campaign.contact_minutes)) if asking else ():
        yield (
            ("campaign", "contact_minutes"),
            f"lacks {channel}, a channel of offers; {asking[0]} needs the minutes of each",
        )


def _channel_caps(config: RunConfig) -> Broken:
    offers = config.campaign.max_offers_per_customer
    for channel, cap in config.contact_policy.max_contacts_30d_by_channel.items():
        if 0 < cap < offers:
            yield (
                ("contact_policy", "max_contacts_30d_by_channel", channel),
                f"is {cap}, below campaign.max_offers_per_customer {offers}: all offers of a client"
                " may go by one channel. Say 0 to close it",
            )


def _credit(config: RunConfig) -> Broken:
    for kind in sorted({product.kind for product in config.products.values()}):
        if kind not in config.credit.closed_by:
            yield ("credit", "closed_by"), f"lacks {kind}, the kind of some product"
    if config.credit.closed_by.get("internal") == "partner_desk":
        yield ("credit", "closed_by", "internal"), "is partner_desk; own products have no partner"
