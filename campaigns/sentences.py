"""A client's value as a sentence in the bank's language, and what is wrong with the sentences."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from string import Formatter

from campaigns.endings import Amount
from campaigns.triggers import OfferDays
from campaigns.wording import (
    DAY_OF_YEAR,
    EXACTLY_ONE,
    day_in_words,
    form_for,
    in_words,
    is_counted,
    plural_forms,
)
from conf.errors import did_you_mean
from conf.moves import LONGEST_AGO, Event
from conf.schema import RunConfig
from conf.wording import OTHER, InLanguages, Language, Sentence
from features.catalogue import Feature, feature_catalogue

# A smaller part of something is no reason.
SMALLEST_SHARE = 0.01
VALUE, WINDOW, MONTHS = "value", "window", "months"
PRODUCT = ("product", "Product")
FIRST, LAST, DAY, AMOUNT = "first", "last", "day", "amount"
Path = tuple[str, ...]
Broken = Iterator[tuple[Path, str]]


def reason_sentence(feature: Feature, value: object, config: RunConfig) -> str | None:
    """Say a feature's value as a reason; None where it makes no sentence.

    Args:
        feature: The feature.
        value: Its value for one customer; unknown is nothing.
        config: Sentences, currency and names of products.
    """
    amount = plain_number(value)
    is_small_share = feature.unit in ("share", "rate") and amount < SMALLEST_SHARE
    if amount == 0:
        sentences = config.reasons.of_nothing if "nothing" in feature.tells else {}
    else:
        sentences = config.reasons.of_a_value if {"more", "less"} & set(feature.tells) else {}
    if amount < 0 or (amount and is_small_share) or not sentences:
        return None
    sentence = sentences[feature.sentence_key][config.bank.language]
    return _filled(sentence, amount, _words(feature, amount, config), config.bank.language)


def product_sentence(sentences: InLanguages, product_id: str, config: RunConfig) -> str:
    """A sentence about one product."""
    language = config.bank.language
    return _filled(sentences[language], 0, _product_words(product_id, config), language)


def event_sentence(
    event: Event,
    product_id: str,
    event_on: date | None,
    days: OfferDays,
    config: RunConfig,
    *,
    amount: Amount | None = None,
) -> str:
    """Why an offer is due now, and on which days to speak of it.

    Args:
        event: What happened, or is about to.
        product_id: The product offered, or of a maturity the one that ends.
        event_on: The day of it, where it is known.
        days: The days of the offer.
        config: Sentences and names of products.
        amount: What is on that which ends, where it is known.
    """
    language = config.bank.language
    sentences = config.reasons.events[event]
    words = {
        FIRST: day_in_words(days.first, language),
        LAST: day_in_words(days.last, language),
        DAY: day_in_words(event_on, language, DAY_OF_YEAR) if event_on else "",
    }
    if amount is not None:
        sentences = config.reasons.maturity_of_an_amount
        words[AMOUNT] = in_words(float(amount.value), "money", amount.currency, language)
    return _filled(sentences[language], 0, words | _product_words(product_id, config), language)


def plain_number(value: object) -> float:
    """A value as a number; unknown is nothing."""
    if value is None or isinstance(value, str):
        return 0.0
    number = float(value) if isinstance(value, (int, float, Decimal)) else float(str(value))
    return 0.0 if math.isnan(number) else number


def broken_sentences(config: RunConfig) -> Broken:
    """Every sentence that is missing, that nothing can tell, or that could not be filled in."""
    features = [f for f in feature_catalogue(tuple(config.products)) if f.in_reason]
    of_a_value = [feature for feature in features if feature.tells != ("nothing",)]
    of_nothing = [feature for feature in features if "nothing" in feature.tells]
    reasons = config.reasons
    yield from _told("of_a_value", reasons.of_a_value, of_a_value, config)
    yield from _told("of_nothing", reasons.of_nothing, of_nothing, config)
    for name in type(reasons.last_resort).model_fields:
        path = ("reasons", "last_resort", name)
        yield from _sentences(path, getattr(reasons.last_resort, name), PRODUCT, None, config)
    yield from _sentences(("reasons", WINDOW), reasons.window, (MONTHS,), MONTHS, config)
    yield from _events(config)


def _filled(sentence: Sentence, amount: float, words: Mapping[str, str], language: Language) -> str:
    return form_for(sentence, amount, language).format_map(words)


def _words(feature: Feature, amount: float, config: RunConfig) -> dict[str, str]:
    """What a sentence about a feature may name, and how it is said."""
    language = config.bank.language
    words = {VALUE: in_words(amount, feature.unit, config.bank.base_currency, language)}
    if months := feature.months_in_name:
        window = config.reasons.window[language]
        words[WINDOW] = _filled(window, months, {MONTHS: str(months)}, language)
    if feature.product_id:
        words |= _product_words(feature.product_id, config)
    return words


def _product_words(product_id: str, config: RunConfig) -> dict[str, str]:
    name = config.products[product_id].named(config.bank.language)
    return dict(zip(PRODUCT, (name[0].lower() + name[1:], name), strict=True))


def _told(
    section: str,
    sentences: Mapping[str, InLanguages],
    features: Iterable[Feature],
    config: RunConfig,
) -> Broken:
    by_key: dict[str, list[Feature]] = defaultdict(list)
    for feature in features:
        by_key[feature.sentence_key].append(feature)
    for key in sorted({*by_key, *sentences}):
        path = ("reasons", section, key)
        if key not in by_key:
            told = "something" if section == "of_a_value" else "nothing"
            yield path, f"is no fact of which {told} may be told{did_you_mean(key, by_key)}"
        elif key not in sentences:
            yield path, f"is missing: {by_key[key][0].name} may be a reason; write its sentences"
        else:
            names = set.intersection(*(_may_name(one, section) for one in by_key[key]))
            counted = VALUE if is_counted(by_key[key][0].unit) else None
            yield from _sentences(path, sentences[key], sorted(names), counted, config)


def _events(config: RunConfig) -> Broken:
    told = config.reasons.events
    for offer_id, offer in config.offers.items():
        if offer.trigger and offer.trigger.event not in told:
            path = ("reasons", "events", offer.trigger.event)
            yield path, f"is missing: {offer_id} waits for it; write its sentences"
    for event, sentences in told.items():
        dated = [DAY] if event not in LONGEST_AGO else []
        yield from _sentences(
            ("reasons", "events", event), sentences, (FIRST, LAST, *dated, *PRODUCT), None, config
        )
    names = (AMOUNT, FIRST, LAST, DAY, *PRODUCT)
    of_an_amount = config.reasons.maturity_of_an_amount
    yield from _sentences(("reasons", "maturity_of_an_amount"), of_an_amount, names, None, config)


def _may_name(feature: Feature, section: str) -> set[str]:
    """The words in braces that a sentence about a feature may have."""
    has_value = section == "of_a_value" and feature.tells_amount and not feature.is_yes_or_no
    value, window = [VALUE] * has_value, [WINDOW] * bool(feature.months_in_name)
    return {*value, *window, *(PRODUCT if feature.product_id else ())}


def _sentences(
    path: Path,
    sentences: InLanguages,
    names: Sequence[str],
    counted: str | None,
    config: RunConfig,
) -> Broken:
    """What is wrong with one sentence in any language."""
    if config.bank.language not in sentences:
        yield (*path, config.bank.language), "is missing, and it is the bank's language; write it"
    for language, sentence in sentences.items():
        place = (*path, language)
        for form, text in sentence.items():
            # a sentence of one form may stand alone, and then its form does not
            yield from _braces((*place, form) if len(sentence) > 1 else place, text, names)
        is_count = any(f"{{{counted}}}" in text for text in sentence.values())
        yield from _forms(place, sentence, language, is_count)


def _braces(path: Path, text: str, names: Sequence[str]) -> Broken:
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        yield path, "has a brace without its other half"
        return
    for _, name, spec, conversion in parts:
        if name not in names or spec or conversion:
            may = " and ".join(f"{{{known}}}" for known in names) or "nothing"
            yield path, f"names {{{name}}}; it may name {may}{did_you_mean(str(name), names)}"


def _forms(path: Path, sentence: Sentence, language: Language, is_count: bool) -> Broken:
    needed = plural_forms(language) if is_count else {OTHER: 0}
    for form in sorted(set(needed) - set(sentence)):
        example = f", which numbers such as {needed[form]} need" if is_count else ""
        yield path, f"lacks the form {form}{example}"
    for form in sorted(set(sentence) - {*needed, EXACTLY_ONE, OTHER}):
        yield (*path, form), f"is no form of {language}"
    if not is_count and len(sentence) > 1:
        yield path, "has forms, and counts nothing; write one text"
