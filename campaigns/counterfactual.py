"""The smallest lawful change, or the day, with which a decision would have come out otherwise.

Each failed rule is lifted by time where time lifts it, else by one change of what it looked at;
nothing that the law or the client's own will forbids is ever proposed to the bank as a thing to
do: a consent is the client's to give. What is claimed can be applied (``campaigns/applied.py``),
and the gates asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from campaigns.decided import BY_THEN, Decided, is_at_cap, own_products, stopped_by
from campaigns.law import PROFILING, marketing_purposes, permission
from campaigns.moves import LEAST_COMPONENT, RENEWAL_RATE
from campaigns.rule_facts import ClientFacts, Row
from campaigns.triggers import FEATURES, OfferDays
from campaigns.value import PROPENSITY
from campaigns.ways import NO_CHANNEL
from conf.moves import AT_LEAST, MATURITY
from features.eligibility import INCOME_MONTHS
from tables.reason_codes import Outcome, ReasonCode

Kind = Literal[
    "date",
    "grant",
    "withdraw",
    "close",
    "open",
    "features",
    "birth_date",
    "employment",
    "flag",
    "end",
    "response",
    "worth",
    "chance",
    "condition",
    "none",
]
PARTS_OF_ONE = Decimal("0.000001")
CONSENT = (ReasonCode.NO_CONSENT, ReasonCode.NO_PROFILING_CONSENT)


@dataclass(frozen=True)
class Change:
    """One thing that would have to be otherwise.

    Attributes:
        kind: What kind of thing; ``none``: nothing lawful helps.
        words: As a person is told.
        lifts: Reason codes of the rules it lifts.
        on: Of a ``date``: the day from which it holds.
        values: What is to be put in place, by name.
    """

    kind: Kind
    words: str
    lifts: tuple[str, ...] = ()
    on: date | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Counterfactual:
    """What would flip a decision; all changes together.

    Attributes:
        flips_to: ``open``: passes every gate, and competes; ``offered``; ``stopped``.
    """

    flips_to: Literal["open", "offered", "stopped"]
    changes: tuple[Change, ...]

    @property
    def is_possible(self) -> bool:
        """Nothing in it is out of reach."""
        return all(change.kind != "none" for change in self.changes)


def counterfactual(decided: Decided) -> Counterfactual:
    """What would have turned the decision."""
    outcome = decided.row["outcome"]
    if outcome == Outcome.OFFERED:
        return Counterfactual("stopped", (_withdrawn(decided),))
    if outcome == Outcome.CONTROL:
        return Counterfactual("offered", (_not_drawn(decided),))
    if decided.row["failed_gates"]:
        return Counterfactual("open", tuple(_lifted(decided)))
    return Counterfactual("offered", (_worth_more(decided),))


def _lifted(decided: Decided) -> Iterator[Change]:
    """A change for each failed rule; those that time lifts are one."""
    days = {
        code: rule["passes_on"]
        for code, rule in zip(decided.row["failed_gates"], decided.row["failed_rules"], strict=True)
    }
    codes = [code for code, day in days.items() if day is None]
    waits = {code: day for code, day in days.items() if day is not None}
    on = max(waits.values(), default=decided.as_of)
    if asked := tuple(code for code in codes if code in CONSENT):
        yield from _granted(decided, asked, on)
    for code in codes:
        if code not in CONSENT and not _passes_by_then(decided, code, on):
            yield LIFTS.get(code, _condition)(decided, code, on)
    if waits:
        yield _waited(decided, tuple(waits), on, set(codes))


def _passes_by_then(decided: Decided, code: str, on: date) -> bool:
    """Without any change, on the day for which others have to be waited for."""
    if on == decided.as_of or code == ReasonCode.NOT_TRIGGERED or code not in BY_THEN:
        return False
    return not BY_THEN[ReasonCode(code)](decided, on)


def _waited(decided: Decided, waits: tuple[str, ...], day: date, lifted: set[str]) -> Change:
    """The day on which all of them pass, unless another rule stops the offer by then."""
    if again := list(stopped_by(decided, day, lifted)):
        told = f"time alone does not help: on {day} it is stopped by {', '.join(again)}"
        return Change("none", told, waits)
    return Change("date", f"from {day} on, if nothing else happens", waits, on=day)


def _granted(decided: Decided, lifts: tuple[str, ...], on: date) -> Iterator[Change]:
    """On the channel that lacks least, in the order of the offer, of those below their caps."""
    purposes = [*marketing_purposes(decided.parts.values()), PROFILING]
    law, known = decided.config.jurisdiction.in_force, _latest_consents(decided.client)

    def lacking(channel: str) -> list[tuple[str, str]]:
        found = []
        for purpose in purposes:
            row = known.get((purpose, channel))
            is_open = row["is_granted"] if row else permission(law, purpose) != "consent"
            # A grant that is dated later is not there yet.
            is_early = row is not None and row["changed_at"].date() >= on
            if not is_open or is_early:
                found.append((purpose, channel))
        return found

    usable = [name for name in decided.offer.channels if not is_at_cap(decided, name, on)]
    if not usable:
        yield Change("none", "every channel of the offer is at its cap of contacts", lifts)
    elif least := min((lacking(channel) for channel in usable), key=len):
        words = ", ".join(f"{purpose} by {channel}" for purpose, channel in least)
        told = f"the client's own consent, which nobody may press for: {words}"
        yield Change("grant", told, lifts, values={"consents": least})


def _latest_consents(client: ClientFacts) -> dict[tuple[str, str], Row]:
    ordered = sorted(client.consents, key=lambda row: row["changed_at"])
    return {(row["purpose"], row["channel"]): row for row in ordered}


def _withdrawn(decided: Decided) -> Change:
    purpose = marketing_purposes(decided.parts.values())[0]
    consents = [(purpose, channel) for channel in decided.offer.channels]
    told = f"the client withdraws consent to {purpose}, or objects: the offer is recalled"
    return Change("withdraw", told, values={"consents": consents})


def _not_drawn(decided: Decided) -> Change:
    if decided.row["is_in_global_holdout"]:
        told = "kept back for good by a hash of the client's id: nothing about the client helps"
        return Change("chance", told, values={"setting": "campaign.global_holdout_share"})
    share = decided.config.campaign.control_share
    told = (
        f"kept back by chance, as {share:.0%} of those who made the cut are, by a hash of campaign,"
        " month and client; the next campaign draws anew"
    )
    return Change("chance", told, values={"setting": "campaign.control_share"})


def _worth_more(decided: Decided) -> Change:
    if decided.worth_needed is None:
        return Change("none", "what it would have had to be worth is not known any more")
    now, needed = decided.row["expected_profit"], decided.worth_needed
    told = f"worth {needed:,.2f} or more, where it was worth {now:,.2f}"
    return Change("worth", told, values={"expected_profit": needed})


def _closed(decided: Decided, code: str, on: date) -> Change:
    own = own_products(decided.parts)
    excluded = decided.parameters(code).get("excludes")
    products = sorted(own if excluded is None else excluded)
    told = f"not a holder of {', '.join(products)}"
    return Change("close", told, (code,), values={"products": products})


def _opened(decided: Decided, code: str, on: date) -> Change:
    wanted = list(decided.parameters(code)["requires_any"])
    told = f"a holder of {' or '.join(wanted)}"
    return Change("open", told, (code,), values={"product": wanted[0]})


def _income(decided: Decided, code: str, on: date) -> Change:
    monthly = decided.parameters(code)["min_monthly_income"]
    now = decided.client.features.get("income_amount_3m")
    was = "unknown" if now is None else f"{now / INCOME_MONTHS:,.2f}"
    told = f"a regular income of {monthly:,.2f} a month, where it was {was}"
    needed = {"income_amount_3m": monthly * INCOME_MONTHS}
    return Change("features", told, (code,), values={"features": needed})


def _balance(decided: Decided, code: str, on: date) -> Change:
    least = decided.parameters(code)["min_balance"]
    now = decided.client.features.get("balance_amount")
    was = "unknown" if now is None else f"{now:,.2f}"
    told = f"a balance of {least:,.2f}, where it was {was}"
    return Change("features", told, (code,), values={"features": {"balance_amount": least}})


def _born(decided: Decided, code: str, on: date) -> Change:
    young, old = ReasonCode.TOO_YOUNG, ReasonCode.TOO_OLD
    least = decided.parameters(young)["min_age"] if young in decided.rules else 0
    most = decided.parameters(old)["max_age"] if old in decided.rules else None
    years = least if most is None else (least + most + 1) // 2
    told = f"a date of birth on record, which makes the client {least} or older"
    told += "" if most is None else f" and {most} or younger"
    born = decided.as_of.replace(year=decided.as_of.year - years) - timedelta(days=1)
    return Change("birth_date", told, (code,), values={"birth_date": born})


def _employment(decided: Decided, code: str, on: date) -> Change:
    return Change("employment", "known not to work for the bank", (code,))


def _flag(decided: Decided, code: str, on: date) -> Change:
    flags = list(decided.parameters(code)["flags"])
    held = sorted({row["flag"] for row in decided.client.flags} & set(flags))
    told = f"no longer flagged: {', '.join(held)}"
    return Change("flag", told, (code,), values={"flags": held})


def _event(decided: Decided, code: str, on: date) -> Change:
    trigger = decided.offer.trigger
    assert trigger is not None, "only an offer with a trigger has the rule"
    if decided.offer.move == "renewal" and decided.row["response_basis"] != RENEWAL_RATE:
        return Change("none", "there is nothing that could be renewed", (code,))
    if trigger.event == MATURITY:
        days = OfferDays.of(decided.offer, decided.config.time.gap_days, on)
        ends_on = days.first + timedelta(days=(trigger.days_before or (0, 0))[1])
        product = trigger.of or decided.offer.product
        told = f"a {product} that ends on {ends_on} or some days later"
        return Change("end", told, (code,), values={"product": product, "ends_on": ends_on})
    values: dict[str, object] = {"income_months_12m": 1, "days_since_last_income": 1}
    if trigger.event != "salary_start":
        [feature] = FEATURES[trigger.event]
        values = {feature: trigger.at_least or AT_LEAST.get(trigger.event, True)}
    told = f"the event {trigger.event}, which has not happened"
    return Change("features", told, (code,), values={"features": values})


def _response(decided: Decided, code: str, on: date) -> Change:
    """The least response with which the offer is worth making, without a lever."""
    row, config = decided.row, decided.config
    if row["response_basis"] is None:
        return _never(decided, code, on)
    margin, least = row["margin"], config.campaign.min_expected_profit
    channel = config.channels.get(row["channel"], NO_CHANNEL)
    cost = decided.offer.contact_cost if channel.contact_cost is None else channel.contact_cost
    factor = Decimal(str(channel.response_factor))
    if margin <= 0 or factor <= 0:
        return _never(decided, code, on)
    needed = ((least + cost) / margin / factor).quantize(PARTS_OF_ONE, ROUND_CEILING)
    if needed > 1:
        return _never(decided, code, on)
    basis = row["response_basis"]
    # A lever has its part in the response that is told; here the offer goes without.
    plain = row["propensity"] if basis == PROPENSITY else row["response"]
    now = "unknown" if plain is None else f"{plain:.2%}"
    told = f"a {basis.replace('_', ' ')} of {needed:.2%} or more, where it was {now}"
    values = {"products": list(decided.offer.products), "response": float(needed)}
    if basis == LEAST_COMPONENT:
        told = (
            f"a propensity of {needed:.2%} or more for each of {', '.join(decided.offer.products)}"
        )
        told += f", where the least was {now}"
    return Change("response", told, (code,), values=values)


def _condition(decided: Decided, code: str, on: date) -> Change:
    condition = decided.parameters(code).get("allow_when")
    if condition is None:
        return _never(decided, code, on)
    told = f"that {condition}"
    return Change("condition", told, (code,), values={"allow_when": condition})


def _never(decided: Decided, code: str, on: date) -> Change:
    return Change("none", f"{code}: {WHY_NEVER.get(code, 'nothing lawful changes it')}", (code,))


WHY_NEVER: Mapping[str, str] = {
    ReasonCode.NOT_ACTIVE: "has left or died, or has not joined yet",
    ReasonCode.TOO_OLD: "nobody grows younger",
    ReasonCode.NOT_PROFITABLE: "no response makes it worth its cost, or there is no score",
}
LIFTS: Mapping[str, Callable[[Decided, str, date], Change]] = {
    ReasonCode.ALREADY_HELD: _closed,
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: _closed,
    ReasonCode.LACKS_REQUIRED_PRODUCT: _opened,
    ReasonCode.INCOME_TOO_LOW: _income,
    ReasonCode.BALANCE_TOO_LOW: _balance,
    ReasonCode.AGE_UNKNOWN: _born,
    ReasonCode.EMPLOYEE: _employment,
    ReasonCode.NO_CONTACT_FLAG: _flag,
    ReasonCode.CARE: _flag,
    ReasonCode.NOT_TRIGGERED: _event,
    ReasonCode.NOT_PROFITABLE: _response,
}


def in_words(found: Counterfactual) -> str:
    """As one sentence."""
    if not found.is_possible:
        never = [change.words for change in found.changes if change.kind == "none"]
        return f"Nothing lawful changes it: {'; '.join(never)}"
    needed = "; and ".join(change.words for change in found.changes)
    return f"{THEN[found.flips_to]}: {needed}"


THEN: Mapping[str, str] = {
    "open": "Would pass every gate, and compete",
    "offered": "Would be offered",
    "stopped": "Would not be offered",
}
