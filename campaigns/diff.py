"""What changed between the lists of two runs, and why: each change has one main cause.

The cause is read from what both runs decided about the same client and offer. Where several apply,
the one that comes first in ``Cause`` is told: what concerns the client as a whole goes before what
concerns an offer, what was decided on purpose before what followed from figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from campaigns.change import Cause, Change, Kind
from campaigns.diff_values import Found, of_value
from campaigns.moved import Key
from campaigns.sides import Row, Side, configured, way
from tables.reason_codes import Outcome, ReasonCode

T = TypeVar("T")
ORDER = {cause: place for place, cause in enumerate(Cause)}
# Gates whose family does not say what moved them.
CAUSE_OF_GATE: Mapping[str, Cause] = {
    ReasonCode.NOT_ACTIVE: Cause.CLIENT,
    ReasonCode.EMPLOYEE: Cause.DATA,
    ReasonCode.QUIET_PERIOD: Cause.POLICY,
}
CAUSE_OF_FAMILY: Mapping[str, Cause] = {
    "care": Cause.CARE,
    "consent": Cause.CONSENT,
    "contact_policy": Cause.CONTACT,
}
NO_LIMITS = {"campaign_id", "salt", "control_share", "global_holdout_share"}
OWN_LIMITS = ("max_offers_per_customer", "max_offers_per_household")


def changes(before: Side, after: Side) -> list[Change]:
    """Every row that entered, left, or is listed otherwise, in the order of branch and rank."""
    entered = set(after.listed) - set(before.listed)
    left = set(before.listed) - set(after.listed)
    found = [
        *_one_sided(Kind.ENTERED, after, before, entered, left),
        *_one_sided(Kind.LEFT, before, after, left, entered),
        *_stayed(before, after),
    ]
    return sorted(found, key=_place)


def valued(found: Iterable[Change]) -> set[Key]:
    """Clients and offers whose response may be behind some change."""
    return {
        (change.customer_id, offer_id)
        for change in found
        if change.cause in (Cause.MODEL, Cause.DATA)
        for offer_id in (change.offer_id, change.instead_of)
        if offer_id is not None
    }


def _place(change: Change) -> tuple[object, ...]:
    rank = change.rank_after or change.rank_before
    return (
        list(Kind).index(change.kind),
        change.branch_id,
        rank,
        change.customer_id,
        change.offer_id,
    )


def _one_sided(
    kind: Kind, own: Side, other: Side, keys: set[Key], gone: set[Key]
) -> Iterator[Change]:
    """Rows on the lists of ``own`` only; ``gone`` are those of ``other`` only."""
    instead = {customer: offer for customer, offer in sorted(gone, reverse=True)}
    for customer, offer in keys:
        row, swapped = own.listed[customer, offer], instead.get(customer)
        causes = _causes((customer, offer), own, other)
        if not causes and swapped is not None:
            # It lost to, or took the place of, another offer: what moved that one moved this one.
            causes = [
                (cause, f"{swapped}: {detail}")
                for cause, detail in _causes((customer, swapped), other, own)
            ]
        cause, detail = _main(causes)
        rank = row["rank_in_branch"]
        ranks = (None, rank) if own.is_after else (rank, None)
        yield Change(
            kind, cause, detail, row["branch_id"], customer, offer, ranks[0], ranks[1], swapped
        )


def _stayed(before: Side, after: Side) -> Iterator[Change]:
    for key in set(before.listed) & set(after.listed):
        was, now = before.listed[key], after.listed[key]
        if (told := _otherwise(key, before, after)) is None:
            continue
        kind, (cause, detail) = told
        ranks = (was["rank_in_branch"], now["rank_in_branch"])
        yield Change(kind, cause, detail, now["branch_id"], *key, ranks[0], ranks[1])


def _otherwise(key: Key, before: Side, after: Side) -> tuple[Kind, Found] | None:
    """How a row that is on both lists differs."""
    was, now = before.listed[key], after.listed[key]
    if was["branch_id"] != now["branch_id"]:
        moved = f"branch {was['branch_id']} -> {now['branch_id']}"
        return Kind.OTHER_BRANCH, (Cause.DATA, moved)
    if (was["channel"], was["lever_code"]) != (now["channel"], now["lever_code"]):
        return Kind.OTHER_WAY, _of_way(key, before, after)
    if was["rank_in_branch"] != now["rank_in_branch"]:
        return Kind.RE_RANKED, _main(of_value(key, before, after))
    return None


def _of_way(key: Key, before: Side, after: Side) -> Found:
    """Why the same offer is made by another channel, or with another lever."""
    was, now = before.listed[key], after.listed[key]
    told = f"{way(was)} -> {way(now)}"
    if configured(before.config, key[1]) != configured(after.config, key[1]):
        return Cause.POLICY, told
    if was["channel"] != now["channel"]:
        is_capped = was["channel"] in after.config.contact_policy.max_contacts_30d_by_channel
        cause = Cause.CONTACT if is_capped else Cause.CONSENT
        return cause, f"{told}, by consent{', its cap' if is_capped else ''} or preference"
    return _main([*of_value(key, before, after), (Cause.CAPACITY, told)])


def _causes(key: Key, own: Side, other: Side) -> list[Found]:
    """Why a row on the lists of ``own`` is not on those of ``other``; none: its value says why."""
    listed, decided = own.decided[key], other.decided.get(key)
    if decided is None:
        if key[1] not in other.config.offers:
            return [(Cause.POLICY, f"offer {key[1]} is not in both configurations")]
        return [(Cause.CLIENT, "known to one of the runs only")]
    found = [cause for code in decided["failed_gates"] for cause in _of_gate(code, key, own, other)]
    found += _of_outcome(decided, listed, own, other)
    return found or of_value(key, *_in_order(own, own, other))


def _of_gate(code: str, key: Key, own: Side, other: Side) -> Iterator[Found]:
    before, after = _in_order(own, own, other)
    worth = of_value(key, before, after) if code == ReasonCode.NOT_PROFITABLE else []
    yield from worth
    is_another = before.decided[key]["rules_version"] != after.decided[key]["rules_version"]
    if is_another and (changed := _changed_rule(code, key[1], before, after)):
        yield Cause.POLICY, changed
    elif not worth:
        family = code.partition(".")[0]
        yield CAUSE_OF_GATE.get(code) or CAUSE_OF_FAMILY.get(family, Cause.DATA), code


def _in_order(own: Side, mine: T, others: T) -> tuple[T, T]:
    """What belongs to the run before, then what belongs to the one after."""
    return (others, mine) if own.is_after else (mine, others)


def _changed_rule(code: str, offer_id: str, before: Side, after: Side) -> str | None:
    """The rule and its versions, if it was configured otherwise."""
    rules = [side.rules(offer_id).get(code) for side in (before, after)]
    versions = [rule.version if rule else "none" for rule in rules]
    if versions[0] == versions[1]:
        return None
    name = next(rule.id for rule in rules if rule)
    return f"{name} {' -> '.join(versions)}"


def _of_outcome(decided: Row, listed: Row, own: Side, other: Side) -> Iterator[Found]:
    """What stopped an offer that passed its gates."""
    outcome = decided["outcome"]
    if outcome == Outcome.OFFERED:
        # Only the lists of one branch are looked at.
        yield Cause.DATA, f"offered at branch {decided['branch_id']}"
    if outcome == Outcome.CONTROL or (
        decided["is_in_global_holdout"] and not listed["is_in_global_holdout"]
    ):
        yield Cause.CONTROL, "withheld"
    if outcome == Outcome.OVER_CAPACITY:
        yield Cause.CAPACITY, _changed_limits(*_in_order(own, own, other)) or "the same limits"
    if outcome == Outcome.OUTRANKED:
        if decided["contacts_left_30d"] < listed["contacts_left_30d"]:
            yield Cause.CONTACT, "fewer contacts left"
        if changed := _changed_limits(*_in_order(own, own, other), OWN_LIMITS):
            yield Cause.POLICY, changed


def _changed_limits(before: Side, after: Side, names: Iterable[str] | None = None) -> str:
    was, now = before.config.campaign.model_dump(), after.config.campaign.model_dump()
    limits = set(was) - NO_LIMITS
    changed = [
        f"campaign.{name} {was[name]} -> {now[name]}"
        for name in sorted(limits if names is None else names)
        if was[name] != now[name]
    ]
    return "; ".join(changed)


def _main(causes: Iterable[Found]) -> Found:
    """The first cause in order; of equal ones the first detail by letter."""
    ordered = sorted(causes, key=lambda found: (ORDER[found[0]], found[1]))
    return ordered[0] if ordered else (Cause.NEIGHBOURS, "the same value")
