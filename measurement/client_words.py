"""What is told of the client's side in sentences, on a page or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isnan

from measurement.association import Estimate
from measurement.client_side import FLAG, ClientSide, Share
from measurement.client_use import USE_SHARED, USE_UNSEEN, USED, USED_BY_HOLDING, USED_UNASKED
from measurement.client_value import KEPT, LEVER, PACKAGE
from measurement.contact_caps import EVERYWHERE, RULES
from measurement.contacts_made import COMPLAINT, INTEREST, OBJECTION, REFUSAL
from measurement.reactions import Rate

PER = 1000  # contacts


def client_sentences(found: ClientSide) -> list[str]:
    """What a compliance reviewer reads first."""
    return [
        *_contacts_told(found),
        *_answers_told(found),
        *_fatigue_told(found),
        *_broken_told(found),
        *_care_told(found),
        *_worth_told(found),
    ]


def _contacts_told(found: ClientSide) -> Iterator[str]:
    days = found.terms.settings.fatigue_days
    if not found.contacts:
        yield f"No contact is known between {found.since} and {found.as_of}."
        return
    yield (
        f"{found.contacts:,} contacts from {found.since} until before {found.as_of}; in the last"
        f" {days} days {_listed_shares(found.distribution)} of active clients."
    )


def _listed_shares(shares: Iterable[Share]) -> str:
    parts = [
        f"{one.name} for {_percent(one.clients / one.of)}"
        for one in shares
        if one.clients and one.of
    ]
    return ", ".join(parts)


def _answers_told(found: ClientSide) -> Iterator[str]:
    words = {REFUSAL: "refusals", OBJECTION: "objections", COMPLAINT: "complaints"}
    told = [
        f"{PER * one.share.value:.1f} {words[one.measure]} [{PER * one.share.low:.1f},"
        f" {PER * one.share.high:.1f}]"
        for one in found.reactions
        if one.kind == EVERYWHERE and one.contacts
    ]
    if told:
        yield (
            f"Of a thousand contacts, within {found.terms.reaction_days} days: {', '.join(told)}."
            " What of that contacts caused is told by campaign, offered against control."
        )


def _fatigue_told(found: ClientSide) -> Iterator[str]:
    """The ends of the curve that are told, and what it is not."""
    days = found.terms.settings.fatigue_days
    for measure, word in ((INTEREST, "interested"), (REFUSAL, "refusing")):
        told = [one for one in found.fatigue if one.measure == measure and one.contacts]
        if len(told) > 1:
            first, last = told[0], told[-1]
            yield (
                f"{word.capitalize()} after {first.name} contacts in the {days} days before:"
                f" {_interval(first.share)}; after {last.name}: {_interval(last.share)}"
                f"{_among_alike(last)}. That is not what contacts did: who is contacted more"
                " often is another client, and who refuses is left in peace for a while."
            )


def _among_alike(rate: Rate) -> str:
    """The ratio to contacts without another before, where propensities of that time are known."""
    if isnan(rate.alike.value):
        return ""
    value, low, high = rate.alike
    return (
        f" ({value:.2f} times as often [{low:.2f}, {high:.2f}] among offers of the same product"
        " with a propensity in the same tenth)"
    )


def _broken_told(found: ClientSide) -> Iterator[str]:
    of_all = [one for one in found.broken if one.branch == EVERYWHERE and one.broken]
    if found.contacts and not of_all:
        yield "Every contact was one that the contact policy in force allows on its day."
    if of_all:
        parts = (f"{RULES[one.rule]} ({one.broken:,})" for one in of_all)
        yield (
            f"Of {found.contacts:,} contacts the contact policy in force would not allow these on"
            f" their day: {'; '.join(parts)}. One contact may be against several rules."
        )


def _care_told(found: ClientSide) -> Iterator[str]:
    everybody = next((one for one in found.care if one.kind == FLAG), None)
    if everybody is not None and everybody.clients is not None and everybody.of:
        lists = [one for one in found.care if one.name.endswith(": all")]
        listed = f"; {lists[-1].clients:,} were on the last care list" if _has(lists) else ""
        yield (
            f"{everybody.clients:,} of {everybody.of:,} active clients"
            f" ({_percent(everybody.clients / everybody.of)}) are in care{listed}. Whether they"
            " were helped is not returned by branches."
        )


def _has(lists: Sequence[Share]) -> bool:
    return bool(lists) and lists[-1].clients is not None


def _worth_told(found: ClientSide) -> Iterator[str]:
    for kind, words in (
        (PACKAGE, "saved by packages in a year"),
        (LEVER, "granted in discounts, bonuses and invitations"),
    ):
        told = [one for one in found.worth if one.kind == kind and one.cents is not None]
        if told:
            cents = sum(one.cents or 0 for one in told)
            clients = sum(one.clients or 0 for one in told)
            yield f"{cents / 100:,.2f} {found.terms.currency} {words}, to {clients:,} clients."
    for one in found.worth:
        if one.kind == KEPT and one.name == EVERYWHERE and one.of:
            yield (
                f"Of what was bought after an offer, {_interval(one.share)} is still held after"
                f" {found.terms.settings.kept_months} months."
            )
    yield from _use_told(found)


def _use_told(found: ClientSide) -> Iterator[str]:
    of_all = {one.kind: one for one in found.worth if one.name == EVERYWHERE and one.of}
    settings = found.terms.settings
    if USED in of_all:
        one, beside = of_all[USED], of_all.get(USED_UNASKED)
        least = settings.used_in_months
        often = "" if least == 1 else f" in at least {least} of them"
        alike = (
            f"; by clients withheld, of what they bought without one, {_interval(beside.share)}"
            if beside
            else ""
        )
        yield (
            f"Of what was bought after an offer and whose use can be seen,"
            f" {_interval(one.share)} was used in its first {settings.used_months} months{often}"
            f" and not given back{alike}."
        )
    if shared := _named(found, USE_SHARED):
        yield (
            "Whether these are used cannot be told, as they have no account of their own:"
            f" {shared}."
        )
    if unseen := _named(found, USE_UNSEEN):
        yield f"Whether these are used cannot be seen in the bank's data: {unseen}."
    if held := _named(found, USED_BY_HOLDING):
        yield f"To have these is to use them, so that what is still held tells it: {held}."


def _named(found: ClientSide, kind: str) -> str:
    """Products of which it is told, and of how many clients."""
    told = [one for one in found.worth if one.kind == kind and one.clients]
    return ", ".join(f"{_product(found, one.name)} ({one.clients:,} clients)" for one in told)


def _product(found: ClientSide, product_id: str) -> str:
    product = found.terms.products.get(product_id)
    return product_id if product is None else product.named("en")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _interval(one: Estimate) -> str:
    return f"{_percent(one.value)} [{100 * one.low:.1f}, {100 * one.high:.1f}]"
