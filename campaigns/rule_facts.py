"""What a rule looked at about one client: each value, and when the bank's systems knew it.

For a person who asks why. Which of it decided is told by the rule; gates themselves are columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from campaigns.components import components
from campaigns.contact_policy import CAP_DAYS, FATIGUE_DAYS, FOR_ALL_PRODUCTS
from campaigns.expressions import names_in
from campaigns.law import PROFILING, marketing_purposes
from campaigns.rules import Rule
from campaigns.triggers import FEATURES, event_features
from conf.schema import Offer, RunConfig
from features.eligibility import INCOME_MONTHS
from tables.reason_codes import ReasonCode

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """One value that a rule looked at.

    Attributes:
        what: In words.
        value: As text.
        known_at: When the bank's systems knew it, UTC; None for what is computed as of the as-of
            date from all that was known before it, and for what is configured.
    """

    what: str
    value: str
    known_at: datetime | None = None


@dataclass(frozen=True)
class ClientFacts:
    """What was known of one client before an as-of date; rows as the source tables have them.

    Attributes:
        customer: The client's own row.
        household: Who lives with the client, the client included.
        household_days: When others of the household were contacted: ``contacted_on`` and
            ``recorded_at``, not who or about what.
        returned: Results that branches have returned, shaped ``DISPOSITIONS``.
        features: The client's row of ``customer_features``; empty for who is not active.
    """

    customer: Row
    holdings: tuple[Row, ...]
    consents: tuple[Row, ...]
    flags: tuple[Row, ...]
    contacts: tuple[Row, ...]
    household: frozenset[str]
    household_days: tuple[Row, ...]
    returned: tuple[Row, ...]
    features: Row


@dataclass(frozen=True)
class Asked:
    """A rule as it was asked about one offer to one client."""

    rule: Rule
    offer: Offer
    config: RunConfig
    client: ClientFacts
    decided: Row
    as_of: date

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the configuration says about the rule."""
        return self.rule.parameters

    @property
    def open_holdings(self) -> Iterator[Row]:
        """What the client held on the as-of date."""
        for row in self.client.holdings:
            is_closed = row["closed_on"] is not None and row["closed_on"] < self.as_of
            if row["opened_on"] < self.as_of and not is_closed:
                yield row

    def contacts_since(self, days: int) -> Iterator[Row]:
        """Contacts that caps of so many days count."""
        since = self.as_of - timedelta(days=days)
        for row in self.client.contacts:
            if row["contacted_on"] >= since:
                yield row


def features_asked(config: RunConfig) -> set[str]:
    """The columns of ``customer_features`` that some rule looks at."""
    of_rules = {name for rule in config.rules.values() for name in names_in(rule.allow_when)}
    return {"income_amount_3m", "balance_amount", *event_features(config), *of_rules}


def facts_of(asked: Asked) -> list[Fact]:
    """Every value that a rule looked at; one fact says so where there was nothing to see."""
    look = LOOKS.get(asked.rule.code, _bank_rule)
    return list(look(asked)) or [Fact(NOTHING.get(asked.rule.code, "nothing is known"), "none")]


def _of_customer(*names: str) -> Callable[[Asked], Iterator[Fact]]:
    def look(asked: Asked) -> Iterator[Fact]:
        row = asked.client.customer
        for name in names:
            yield Fact(name.replace("_", " "), _text(row[name]), row["recorded_at"])

    return look


def _held(products: Iterable[str], asked: Asked) -> Iterator[Fact]:
    wanted = set(products)
    for row in asked.open_holdings:
        if row["product_id"] in wanted:
            until = "" if row["closed_on"] is None else f" until {row['closed_on']}"
            yield Fact(
                f"holds {row['product_id']}", f"since {row['opened_on']}{until}", row["recorded_at"]
            )


def _own_products(asked: Asked) -> Iterator[Fact]:
    parts = components(asked.offer, asked.config)
    return _held([name for name, part in parts.items() if not part.can_be_held_twice], asked)


def _required(asked: Asked) -> Iterator[Fact]:
    return _held(asked.parameters["requires_any"], asked)


def _excluded(asked: Asked) -> Iterator[Fact]:
    return _held(asked.parameters["excludes"], asked)


def _income(asked: Asked) -> Iterator[Fact]:
    amount = asked.client.features.get("income_amount_3m")
    yield Fact(f"regular income of {INCOME_MONTHS} months", _text(amount))


def _balance(asked: Asked) -> Iterator[Fact]:
    yield Fact("balance of all accounts", _text(asked.client.features.get("balance_amount")))


def _marketing(asked: Asked) -> Iterator[Fact]:
    parts = components(asked.offer, asked.config)
    return _consents(marketing_purposes(parts.values()), asked)


def _profiling(asked: Asked) -> Iterator[Fact]:
    return _consents([PROFILING], asked)


def _consents(purposes: list[str], asked: Asked) -> Iterator[Fact]:
    latest: dict[tuple[str, str], Row] = {}
    for row in sorted(asked.client.consents, key=lambda row: row["changed_at"]):
        latest[row["purpose"], row["channel"]] = row
    for purpose in purposes:
        for channel in asked.offer.channels:
            what, said = f"{purpose} by {channel}", latest.get((purpose, channel))
            yield Fact(what, "never asked") if said is None else _answer(what, said)


def _answer(what: str, row: Row) -> Fact:
    said = "granted" if row["is_granted"] else "refused or withdrawn"
    return Fact(what, f"{said} on {row['changed_at']:%Y-%m-%d}", row["recorded_at"])


def _contact(row: Row) -> Fact:
    result = "" if row["disposition"] is None else f", {row['disposition']}"
    said_on = f" on {row['disposition_on']}" if row["disposition_on"] and result else ""
    told = f"by {row['channel']} about {row['product_id']}{result}{said_on}"
    return Fact(f"contact on {row['contacted_on']}", told, row["recorded_at"])


def _returned(row: Row) -> Fact:
    told = f"by {row['channel']} about {row['offer_id']}, {row['disposition']}"
    return Fact(f"result returned for {row['disposition_at']:%Y-%m-%d}", told, row["recorded_at"])


def _recent_contacts(asked: Asked) -> Iterator[Fact]:
    yield from map(_contact, asked.contacts_since(CAP_DAYS))
    since = asked.as_of - timedelta(days=CAP_DAYS)
    yield from (_returned(row) for row in _results(asked) if row["disposition_at"].date() >= since)


def _household(asked: Asked) -> Iterator[Fact]:
    yield from _recent_contacts(asked)
    since = asked.as_of - timedelta(days=CAP_DAYS)
    for row in asked.client.household_days:
        if row["contacted_on"] >= since:
            yield Fact(
                f"contact on {row['contacted_on']}", "with the household", row["recorded_at"]
            )


def _fatigue(asked: Asked) -> Iterator[Fact]:
    alike = set(asked.parameters["products"])
    packages = {name for name, offer in asked.config.offers.items() if alike & set(offer.products)}
    for row in asked.contacts_since(FATIGUE_DAYS):
        if row["product_id"] in alike or row["offer_id"] in packages:
            yield _contact(row)
    yield from (_returned(row) for row in _results(asked) if row["offer_id"] in packages)


def _cool_off(asked: Asked) -> Iterator[Fact]:
    days = asked.parameters["cool_off_days_after"]
    products = set(asked.offer.products)
    for row in asked.client.contacts:
        is_about = row["product_id"] in products or row["disposition"] == FOR_ALL_PRODUCTS
        if is_about and row["disposition"] in days:
            yield _contact(row)
    for row in _results(asked):
        if row["product_id"] in products or row["disposition"] == FOR_ALL_PRODUCTS:
            yield _returned(row)


def _results(asked: Asked) -> Iterator[Row]:
    for row in asked.client.returned:
        if row["recorded_at"].date() < asked.as_of:
            yield row


def _last_contact(asked: Asked) -> Iterator[Fact]:
    rows = sorted(asked.client.contacts, key=lambda row: row["contacted_on"])
    yield from map(_contact, rows[-1:])


def _flags(asked: Asked) -> Iterator[Fact]:
    for row in asked.client.flags:
        if row["flag"] in asked.parameters["flags"]:
            until = "" if row["valid_to"] is None else f" until {row['valid_to']}"
            yield Fact(row["flag"], f"from {row['valid_from']}{until}", row["recorded_at"])


def _event(asked: Asked) -> Iterator[Fact]:
    trigger = asked.offer.trigger
    assert trigger is not None, "only an offer with a trigger has the rule"
    if asked.decided["event_on"] is not None:
        yield Fact(f"{trigger.event} on", _text(asked.decided["event_on"]))
    names = FEATURES.get(trigger.event)
    if names:
        yield from (Fact(name, _text(asked.client.features.get(name))) for name in names)
        return
    for row in asked.open_holdings:
        if row["product_id"] == (trigger.of or asked.offer.product) and row["matures_on"]:
            yield Fact(f"{row['product_id']} ends", _text(row["matures_on"]), row["recorded_at"])


def _value(asked: Asked) -> Iterator[Fact]:
    for name in ("expected_profit", "response", "margin", "contact_cost"):
        yield Fact(name.replace("_", " "), _text(asked.decided[name]))


def _quiet(asked: Asked) -> Iterator[Fact]:
    yield Fact("first day of the offer", f"{asked.as_of + timedelta(asked.config.time.gap_days)}")


def _bank_rule(asked: Asked) -> Iterator[Fact]:
    condition = str(asked.parameters.get("allow_when", ""))
    known = {**asked.client.customer, **asked.client.features}
    for name in sorted(names_in(condition)) if condition else ():
        yield Fact(name, _text(known.get(name)))


def _text(value: object) -> str:
    return "unknown" if value is None else f"{value}"


LOOKS: Mapping[str, Callable[[Asked], Iterator[Fact]]] = {
    ReasonCode.NOT_ACTIVE: _of_customer("joined_on", "left_on", "deceased_on"),
    ReasonCode.ALREADY_HELD: _own_products,
    ReasonCode.TOO_YOUNG: _of_customer("birth_date"),
    ReasonCode.TOO_OLD: _of_customer("birth_date"),
    ReasonCode.AGE_UNKNOWN: _of_customer("birth_date"),
    ReasonCode.INCOME_TOO_LOW: _income,
    ReasonCode.BALANCE_TOO_LOW: _balance,
    ReasonCode.LACKS_REQUIRED_PRODUCT: _required,
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: _excluded,
    ReasonCode.NO_CONSENT: _marketing,
    ReasonCode.NO_PROFILING_CONSENT: _profiling,
    ReasonCode.CONTACT_CAP: _recent_contacts,
    ReasonCode.HOUSEHOLD_CAP: _household,
    ReasonCode.FATIGUE_CAP: _fatigue,
    ReasonCode.CHANNEL_CAP: _recent_contacts,
    ReasonCode.COOL_OFF: _cool_off,
    ReasonCode.TOO_SOON: _last_contact,
    ReasonCode.QUIET_PERIOD: _quiet,
    ReasonCode.EMPLOYEE: _of_customer("is_employee"),
    ReasonCode.NO_CONTACT_FLAG: _flags,
    ReasonCode.CARE: _flags,
    ReasonCode.NOT_TRIGGERED: _event,
    ReasonCode.NOT_PROFITABLE: _value,
}
NOTHING: Mapping[str, str] = {
    ReasonCode.ALREADY_HELD: "such a product is held",
    ReasonCode.LACKS_REQUIRED_PRODUCT: "one of these products is held",
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: "one of these products is held",
    ReasonCode.CONTACT_CAP: f"contacts of {CAP_DAYS} days",
    ReasonCode.HOUSEHOLD_CAP: f"contacts of {CAP_DAYS} days",
    ReasonCode.FATIGUE_CAP: f"such contacts of {FATIGUE_DAYS} days",
    ReasonCode.CHANNEL_CAP: f"contacts of {CAP_DAYS} days",
    ReasonCode.COOL_OFF: "answers that ask for a cool-off",
    ReasonCode.TOO_SOON: "contacts so far",
    ReasonCode.NO_CONTACT_FLAG: "such flags",
    ReasonCode.CARE: "such flags",
    ReasonCode.NOT_TRIGGERED: "such an end is known",
}
