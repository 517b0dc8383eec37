"""A past decision with all that its rules went by, and what would stop it on another day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from campaigns.channel_caps import channel_caps
from campaigns.components import Components, components
from campaigns.contact_policy import CAP_DAYS
from campaigns.rule_facts import ClientFacts, Row
from campaigns.rules import Rule
from campaigns.triggers import OfferDays
from conf.fields import Channel
from conf.moves import LONGEST_AGO, MATURITY
from conf.schema import Offer, RunConfig
from tables.reason_codes import ReasonCode


@dataclass(frozen=True)
class Decided:
    """A decision, and all that its rules went by.

    Attributes:
        row: Of ``decisions``.
        rules: In force for the offer, by reason code.
        worth_needed: What it would have had to be worth to be chosen; None where that was not asked
            or nothing is known of it.
    """

    row: Row
    rules: Mapping[str, Rule]
    client: ClientFacts
    config: RunConfig
    as_of: date
    worth_needed: Decimal | None = None

    @property
    def offer(self) -> Offer:
        """What was decided about."""
        return self.config.offers[self.row["offer_id"]]

    @property
    def parts(self) -> Components:
        """Its products, with the rules that are asked about each."""
        return components(self.offer, self.config)

    def parameters(self, code: str) -> Mapping[str, Any]:
        """What the configuration says about a rule."""
        return self.rules[code].parameters


def stopped_by(decided: Decided, day: date, lifted: Collection[str]) -> Iterator[str]:
    """Rules that pass on the as-of date or after a wait, and would stop the offer on a later day.

    Of what is known: ages, notice that was given, flags that begin, holdings, events, quiet days.

    Args:
        decided: The decision.
        day: The later day.
        lifted: Reason codes of rules that are lifted in another way.
    """
    for code, look in BY_THEN.items():
        is_asked = code in decided.rules and code not in lifted
        if is_asked and (why := look(decided, day)):
            yield f"{code} ({why})"
    bundle = decided.offer.bundle
    if bundle is not None:
        now, then = (held_on(decided.client, [bundle.core], on) for on in (decided.as_of, day))
        if now != then:
            yield "another worth of the package, of which other products are held then"


def held_on(client: ClientFacts, products: Iterable[str], day: date) -> bool:
    """One of the products is held on a day."""
    wanted = set(products)
    return any(
        row["opened_on"] < day and not (row["closed_on"] and row["closed_on"] < day)
        for row in client.holdings
        if row["product_id"] in wanted
    )


def is_at_cap(decided: Decided, channel: Channel, day: date) -> bool:
    """The channel has a cap of its own, which contacts so far have used up."""
    cap = channel_caps(decided.config).get(channel)
    since = day - timedelta(days=CAP_DAYS)
    told = [row for row in decided.client.contacts if row["channel"] == channel]
    return cap is not None and sum(row["contacted_on"] >= since for row in told) >= cap


def own_products(parts: Components) -> list[str]:
    """What of an offer may not be held already."""
    return [name for name, part in parts.items() if not part.can_be_held_twice]


def _is_no_client(decided: Decided, day: date) -> str:
    row = decided.client.customer
    if row["deceased_on"]:
        return "has died"
    if row["left_on"] and row["left_on"] < day:
        return f"leaves on {row['left_on']}"
    return "" if row["joined_on"] and row["joined_on"] < day else "has not joined by then"


def _holds(decided: Decided, day: date) -> str:
    is_held = held_on(decided.client, own_products(decided.parts), day)
    return "holds it by then" if is_held else ""


def _lacks(decided: Decided, day: date) -> str:
    wanted = decided.parameters(ReasonCode.LACKS_REQUIRED_PRODUCT)["requires_any"]
    return "" if held_on(decided.client, wanted, day) else "holds none of them by then"


def _holds_excluded(decided: Decided, day: date) -> str:
    excluded = decided.parameters(ReasonCode.HOLDS_EXCLUDED_PRODUCT)["excludes"]
    return "holds one of them by then" if held_on(decided.client, excluded, day) else ""


def _is_too_old(decided: Decided, day: date) -> str:
    born_on, most = (
        decided.client.customer["birth_date"],
        decided.parameters(ReasonCode.TOO_OLD)["max_age"],
    )
    if born_on is None:
        return ""
    has_yet_to_come = (born_on.month, born_on.day) > (day.month, day.day)
    return "is too old by then" if day.year - born_on.year - has_yet_to_come > most else ""


def _is_flagged(code: ReasonCode) -> Callable[[Decided, date], str]:
    def look(decided: Decided, day: date) -> str:
        flags = decided.parameters(code)["flags"]
        held = {
            row["flag"]
            for row in decided.client.flags
            if row["flag"] in flags
            and row["valid_from"] <= day
            and not (row["valid_to"] and row["valid_to"] <= day)
        }
        return f"is flagged {', '.join(sorted(held))}" if held else ""

    return look


def _is_quiet(decided: Decided, day: date) -> str:
    first = day + timedelta(days=decided.config.time.gap_days)
    is_quiet = decided.config.jurisdiction.first_day_not_quiet(first) != first
    return "the offer would begin on a quiet day" if is_quiet else ""


def _is_past(decided: Decided, day: date) -> str:
    trigger = decided.offer.trigger
    assert trigger is not None, "only an offer with a trigger has the rule"
    days = OfferDays.of(decided.offer, decided.config.time.gap_days, day)
    if trigger.event == MATURITY:
        first, last = trigger.days_before or (0, 0)
        window = days.first + timedelta(days=last), days.last + timedelta(days=first)
        return "" if _ends_within(decided, day, window) else "its event is not due then"
    since = days.first - timedelta(days=trigger.within_days or 0)
    happened_on = decided.row["event_on"] or decided.as_of - timedelta(
        days=LONGEST_AGO.get(trigger.event, 0)
    )
    return "" if since <= happened_on else "its event is too long ago then"


def _ends_within(decided: Decided, day: date, window: tuple[date, date]) -> bool:
    trigger = decided.offer.trigger
    product = (trigger.of if trigger else None) or decided.offer.product
    return any(
        row["product_id"] == product
        and row["opened_on"] < day
        and row["matures_on"] is not None
        and window[0] <= row["matures_on"] <= window[1]
        and (row["closed_on"] is None or row["closed_on"] >= row["matures_on"])
        for row in decided.client.holdings
    )


BY_THEN: Mapping[ReasonCode, Callable[[Decided, date], str]] = {
    ReasonCode.NOT_ACTIVE: _is_no_client,
    ReasonCode.ALREADY_HELD: _holds,
    ReasonCode.LACKS_REQUIRED_PRODUCT: _lacks,
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: _holds_excluded,
    ReasonCode.TOO_OLD: _is_too_old,
    ReasonCode.NO_CONTACT_FLAG: _is_flagged(ReasonCode.NO_CONTACT_FLAG),
    ReasonCode.CARE: _is_flagged(ReasonCode.CARE),
    ReasonCode.QUIET_PERIOD: _is_quiet,
    ReasonCode.NOT_TRIGGERED: _is_past,
}
