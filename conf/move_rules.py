"""Rules of renewals, of offers that wait for an event, and of packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from conf.errors import did_you_mean
from conf.moves import AT_LEAST, LONGEST_AGO, MATURITY, Bundle, Trigger
from conf.schema import Offer, RunConfig

Path = tuple[str, ...]
Broken = Iterator[tuple[Path, str]]


def broken_moves(config: RunConfig) -> Broken:
    """Every broken rule: where the value stands, and what is wrong with it."""
    for offer_id, offer in config.offers.items():
        path = ("offers", offer_id)
        if offer.move == "renewal":
            yield from _renewal(path, offer)
        if offer.trigger:
            yield from _trigger((*path, "trigger"), offer.trigger, config)
        if offer.bundle:
            yield from _bundle((*path, "bundle"), offer, offer.bundle, config)


def _renewal(path: Path, offer: Offer) -> Broken:
    if offer.trigger is None or offer.trigger.event != MATURITY:
        yield (*path, "move"), "is renewal; it needs a trigger whose event is maturity"
    if offer.bundle:
        yield (*path, "move"), "is renewal, and a bundle is none; make two offers of it"


def _trigger(path: Path, trigger: Trigger, config: RunConfig) -> Broken:
    yield from _unknown((*path, "of"), [trigger.of] if trigger.of else [], config)
    is_end = trigger.event == MATURITY
    if is_end != (trigger.days_before is not None):
        told = "is missing; say its first and last day, [30, 0]" if is_end else "is for maturity"
        yield (*path, "days_before"), told
    elif trigger.days_before and trigger.days_before[0] < trigger.days_before[1]:
        yield (*path, "days_before"), f"is {list(trigger.days_before)}; say the earlier day first"
    if trigger.of and not is_end:
        yield (*path, "of"), "is for maturity"
    if trigger.at_least is not None and trigger.event not in AT_LEAST:
        yield (*path, "at_least"), f"is for {', '.join(AT_LEAST)}"
    yield from _within(path, trigger, config.time.gap_days)


def _within(path: Path, trigger: Trigger, gap_days: int) -> Broken:
    if trigger.event == MATURITY:
        if trigger.within_days is not None:
            yield (*path, "within_days"), "is not for maturity; say days_before"
        return
    least = gap_days + LONGEST_AGO.get(trigger.event, 1)
    if trigger.within_days is None:
        yield (*path, "within_days"), f"is missing; {trigger.event} needs at least {least}"
    elif trigger.within_days < least:
        yield (
            (*path, "within_days"),
            f"is {trigger.within_days}; {trigger.event} is known late, and lists begin {gap_days}"
            f" days after the as-of date: nobody is ever due below {least}",
        )


def _bundle(path: Path, offer: Offer, bundle: Bundle, config: RunConfig) -> Broken:
    parts = bundle.products
    yield from _unknown((*path, "core"), [bundle.core], config)
    yield from _unknown((*path, "periphery"), bundle.periphery, config)
    for twice in sorted(name for name, count in Counter(parts).items() if count > 1):
        yield (*path, "periphery"), f"has {twice} twice, or as the core too"
    if offer.product not in bundle.periphery:
        yield (*path[:-1], "product"), f"is {offer.product}; name one of the bundle's periphery"
    yield from _prices(path, bundle)
    yield from _untied(path, parts, config)
    for name in parts:
        excluded = config.products[name].eligibility.excludes if name in config.products else ()
        if others := sorted({*excluded} & {*parts}):
            yield path, f"holds {name}, which excludes {', '.join(others)}"
    language = config.bank.language
    for field in ("name", "client_benefit"):
        if not {language, "any"} & set(getattr(bundle, field)):
            yield (*path, field), f"has no text in the bank's language {language}"


def _prices(path: Path, bundle: Bundle) -> Broken:
    parts, prices = bundle.products, bundle.component_prices
    place = (*path, "component_prices")
    if lacking := sorted({*parts} - {*prices}):
        yield place, f"lacks {', '.join(lacking)}; say what each product costs alone"
    if more := sorted({*prices} - {*parts}):
        yield place, f"has {', '.join(more)}, which the bundle does not hold"
    if bundle.discount < 0:
        whole = bundle.price + bundle.discount
        yield (*path, "price"), f"is {bundle.price}, above {whole}, what its products cost alone"


def _untied(path: Path, parts: Iterable[str], config: RunConfig) -> Broken:
    """Each product can be had without the others (ESMA/2015/1861; consumer credit: no tying)."""
    alone = {
        offer.product
        for offer in config.offers.values()
        if not (offer.bundle or offer.trigger or offer.move)
    }
    for name in parts:
        if name in config.products and name not in alone:
            yield (
                path,
                f"ties {name}, which no offer sells alone; tying is unlawful: add an offer of"
                f" {name} without bundle, trigger or move",
            )


def _unknown(path: Path, names: Iterable[str], config: RunConfig) -> Broken:
    known = tuple(config.products)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            yield path, f"names {name}, which does not exist{hint}"
