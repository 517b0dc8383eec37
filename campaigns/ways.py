"""In which ways an offer may be made to a client: by which channel, with which lever or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import groupby
from operator import and_

from pyspark.sql import Column, functions as F

from campaigns.bank_rules import is_allowed
from campaigns.channel_caps import channel_caps
from campaigns.components import products_of
from campaigns.consent import consent_basis, consented_channel
from campaigns.value import MONEY, acceptance, expected_profit, response_in
from conf.fields import Channel
from conf.schema import RunConfig
from conf.way_settings import ChannelSettings, CostWhen, Lever

NO_CHANNEL = ChannelSettings()
KEPT_AS_OPEN = (
    "way",
    "channel",
    "consent_basis",
    "lever_code",
    "lever_limit",
    "lever_cost",
    "lever_cost_when",
    "contact_cost",
)
OF_WAY = (*KEPT_AS_OPEN, "acceptance", "response", "expected_profit")


@dataclass(frozen=True)
class Way:
    """One way of an offer.

    Attributes:
        number: Its place among those of the offer; of two that are worth the same the first wins.
        channels: Channels that are alike but for consent and preference, in the offer's order.
        lever_code: Its lever, or None.
    """

    number: int
    channels: tuple[Channel, ...]
    lever_code: str | None = None


def ways_of(offer_id: str, config: RunConfig) -> list[Way]:
    """Every way of an offer, the first without a lever."""
    pairs = [
        (channels, lever)
        for channels in _alike(offer_id, config)
        for lever in (None, *_levers(offer_id, channels[0], config))
    ]
    return [Way(number, *pair) for number, pair in enumerate(pairs)]


def open_ways(offer_id: str, config: RunConfig) -> Column:
    """Every way of an offer over the facts of a customer, in order; a closed one has no channel.

    Returns:
        An array of structs. Where all are closed, the first ``is_asked`` all the same, so that it
        is known what a contact would cost.
    """
    offer = config.offers[offer_id]
    products, caps = products_of(offer, config), channel_caps(config)
    is_closed = consented_channel(offer.channels, *products, caps=caps).isNull()
    ways = ways_of(offer_id, config)
    structs = [_open(way, offer_id, config, is_closed if way is ways[0] else None) for way in ways]
    return may_be_null(F.array(*structs))


def _open(way: Way, offer_id: str, config: RunConfig, or_asked: Column | None) -> Column:
    product, *more = products_of(config.offers[offer_id], config)
    channel = consented_channel(way.channels, product, *more, caps=channel_caps(config))
    conditions = _is_meant_for(way, config)
    if conditions:
        channel = F.when(reduce(and_, conditions), channel)
    basis = consent_basis(product, channel, config.jurisdiction.in_force, *more)
    is_open = channel.isNotNull()
    is_asked = is_open if or_asked is None else is_open | or_asked
    of_client = {"is_asked": is_asked, "channel": channel, "consent_basis": basis.cast("string")}
    return _struct({**of_client, **_terms(way, offer_id, config, channel)})


def _is_meant_for(way: Way, config: RunConfig) -> list[Column]:
    if way.lever_code is None:
        return []
    lever = config.levers[way.lever_code]
    found = [] if lever.allow_when is None else [is_allowed(lever.allow_when, config)]
    if lever.once_in_days:
        is_cooling = F.array_contains("cooling_levers", way.lever_code)
        found.append(~F.coalesce(is_cooling, F.lit(False)))
    return found


def _terms(way: Way, offer_id: str, config: RunConfig, channel: Column) -> dict[str, Column]:
    """What the configuration says about a way."""
    lever = config.levers[way.lever_code] if way.lever_code else None
    settings = _settings(way.channels[0], config)
    cost = _contact_cost(offer_id, settings, config)
    return {
        "way": F.lit(way.number),
        "lever_code": F.lit(way.lever_code).cast("string"),
        "lever_limit": F.lit(lever.limit if lever else None).cast(MONEY),
        "lever_cost": F.lit(lever.cost if lever else None).cast(MONEY),
        "lever_cost_when": F.lit(lever.cost_when if lever else None).cast("string"),
        "contact_cost": F.lit(cost).cast(MONEY),
        "cost_if_accepted": F.lit(_cost(lever, "accepted")).cast(MONEY),
        "cost_if_offered": F.lit(_cost(lever, "offered")).cast(MONEY),
        "channel_factor": _channel_factor(channel, settings),
        "lever_factor": F.lit(lever.response_factor if lever else 1.0),
        "lever_add": F.lit(lever.response_add if lever else 0.0),
    }


def _struct(values: Mapping[str, Column]) -> Column:
    return F.struct(*(may_be_null(value).alias(name) for name, value in values.items()))


def may_be_null(value: Column) -> Column:
    """The same value; Sail puts structs into one array only if they agree on what may be null."""
    return F.when(F.col("customer_id").isNotNull(), value)


def _channel_factor(channel: Column, settings: ChannelSettings) -> Column:
    factor = F.lit(settings.response_factor)
    if settings.preferred_factor == 1:
        return factor
    is_preferred = F.col("preferred_channel").eqNullSafe(channel)
    return factor * F.when(is_preferred, F.lit(settings.preferred_factor)).otherwise(F.lit(1.0))


def _cost(lever: Lever | None, when: CostWhen) -> Decimal:
    return lever.cost if lever is not None and lever.cost_when == when else Decimal(0)


def _alike(offer_id: str, config: RunConfig) -> list[tuple[Channel, ...]]:
    """The offer's channels in groups that nothing but consent and preference tells apart."""
    channels = config.offers[offer_id].channels
    kinds = [_kind(channel, offer_id, config) for channel in channels]
    place = {kind: number for number, kind in reversed(list(enumerate(kinds)))}
    ordered = sorted(zip(kinds, channels, strict=True), key=lambda pair: place[pair[0]])
    return [
        tuple(channel for _, channel in group)
        for _, group in groupby(ordered, lambda pair: pair[0])
    ]


def _kind(channel: Channel, offer_id: str, config: RunConfig) -> tuple[object, ...]:
    settings, campaign = _settings(channel, config), config.campaign
    counts_minutes = campaign.branch_minutes is not None or campaign.advisor_minutes is not None
    is_special = settings.max_contacts is not None or settings.preferred_factor != 1
    return (
        _contact_cost(offer_id, settings, config),
        settings.response_factor,
        campaign.contact_minutes[channel] if counts_minutes else 0,
        tuple(_levers(offer_id, channel, config)),
        channel if is_special else "",
    )


def _levers(offer_id: str, channel: Channel, config: RunConfig) -> list[str]:
    return [
        code
        for code, lever in config.levers.items()
        if offer_id in lever.offers and (not lever.channels or channel in lever.channels)
    ]


def _settings(channel: Channel, config: RunConfig) -> ChannelSettings:
    return config.channels.get(channel, NO_CHANNEL)


def _contact_cost(offer_id: str, settings: ChannelSettings, config: RunConfig) -> Decimal:
    own = settings.contact_cost
    return config.offers[offer_id].contact_cost if own is None else own


def valued_ways(min_expected_profit: Decimal) -> Column:
    """``ways`` with what each is expected to bring, over the scores of a customer and product.

    Nothing is expected of a closed way.
    """
    least = F.lit(min_expected_profit).cast(MONEY)
    return F.transform("ways", lambda way: _valued(way, acceptance(way), least))


def _valued(way: Column, accepted: Column, least: Column) -> Column:
    brought = F.when(way["is_asked"], response_in(accepted))
    profit = expected_profit(brought, accepted, way)
    is_worth_it = way["channel"].isNotNull() & (profit >= least) & (brought >= 0)
    return F.struct(
        *(way[name].alias(name) for name in KEPT_AS_OPEN),
        F.when(way["is_asked"], accepted).alias("acceptance"),
        brought.alias("response"),
        profit.alias("expected_profit"),
        may_be_null(F.coalesce(is_worth_it, F.lit(False))).alias("is_worth_it"),
    )


def best_way() -> Column:
    """Of ``ways`` the one that is worth most, of equals the first."""
    most = F.array_max("ways.expected_profit")
    found = F.filter("ways", lambda way: way["expected_profit"] == most)
    # Without a score no way has a worth.
    return F.coalesce(F.get(found, F.lit(0)), F.get("ways", F.lit(0)))


def ways_to_choose_from(config: RunConfig) -> Column:
    """``ways``, or only ``best`` where nothing that customers share tells them apart."""
    only_best = F.array("best")
    if tells_ways_apart(config):
        return F.col("ways")
    if config.campaign.exploration_share == 0:
        return only_best
    return F.when(F.col("exploration_hash").isNotNull(), F.col("ways")).otherwise(only_best)


def tells_ways_apart(config: RunConfig) -> bool:
    """Some shared limit sees in which way an offer is made."""
    campaign = config.campaign
    of_campaign = (campaign.branch_minutes, campaign.advisor_minutes, campaign.budget)
    of_channels = (channel.max_contacts for channel in config.channels.values())
    of_levers = (limit for one in config.levers.values() for limit in (one.budget, one.seats))
    is_directors = any(lever.made_by != "advisor" for lever in config.levers.values())
    by_advisor = campaign.advisor_capacity if is_directors else None
    return any(one is not None for one in (*of_campaign, by_advisor, *of_channels, *of_levers))
