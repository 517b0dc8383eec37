"""What changed between two campaigns: every change once, with the cause that goes first."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from campaigns.change import CHANGES, MEANING, Cause, Kind, as_table
from campaigns.diff import changes
from campaigns.rules import rules_in_force, rules_version
from campaigns.sides import Side
from conf.load import load_config

CONFIG = load_config("local")
FEWER = load_config("local", ["campaign.branch_capacity=6"])
ONE_CONTACT = load_config("local", ["contact_policy.max_contacts_30d=1"])
CARD, FUND = "credit_card_2026", "investment_fund_2026"


def decided(outcome: str = "offered", *failed: str, config: Any = CONFIG, **more: Any):
    return {
        "branch_id": "B1",
        "outcome": outcome,
        "failed_gates": list(failed),
        "margin": Decimal(100),
        "contact_cost": Decimal(4),
        "is_in_global_holdout": False,
        "contacts_left_30d": 2,
        "channel": "phone",
        "lever_code": None,
        "propensity": more.get("response", 0.3),
        "model_version": 1,
        "response": 0.3,
        "response_basis": "propensity",
        "uplift_version": None,
        "rules_version": rules_version(rules_in_force(CARD, config)),
    } | more


def gated(gate: str, **more: Any):
    return decided("suppressed", gate, **more)


def row(rank: int = 1, branch: str = "B1", channel: str = "phone", lever: str | None = None):
    return {
        "branch_id": branch, "rank_in_branch": rank, "channel": channel, "lever_code": lever
    }  # fmt: skip


def side(decisions: dict[Any, Any], is_after: bool, config: Any = CONFIG, **rows: Any) -> Side:
    keyed = {
        (key if isinstance(key, tuple) else (key, CARD)): decision
        for key, decision in decisions.items()
    }
    listed = {
        key: rows.get(key[0], row())
        for key, decision in keyed.items()
        if decision["outcome"] == "offered"
    }
    return Side(listed, keyed, config, is_after)


def told(before: Side, after: Side) -> list[tuple[str, str]]:
    return [(str(change.kind), str(change.cause)) for change in changes(before, after)]


CASES = [
    (decided("ineligible", "eligibility.already_held"), CONFIG, "data"),
    (decided("ineligible", "eligibility.not_active", "consent.no_consent"), CONFIG, "client"),
    (decided("suppressed", "care.in_care", "consent.no_consent"), CONFIG, "care"),
    (decided("suppressed", "consent.no_consent", "contact_policy.contact_cap"), CONFIG, "consent"),
    (decided("suppressed", "contact_policy.cool_off"), CONFIG, "contact"),
    (decided("suppressed", "contact_policy.quiet_period"), CONFIG, "policy"),
    (gated("contact_policy.contact_cap", config=ONE_CONTACT), ONE_CONTACT, "policy"),
    (gated("contact_policy.cool_off", config=ONE_CONTACT), ONE_CONTACT, "contact"),
    (gated("value.not_profitable", response=0.01), CONFIG, "data"),
    (gated("value.not_profitable", response=0.01, model_version=2), CONFIG, "model"),
    (gated("value.not_profitable", contact_cost=Decimal(99)), CONFIG, "policy"),
    (decided("control"), CONFIG, "control"),
    (decided("outranked", is_in_global_holdout=True), CONFIG, "control"),
    (decided("over_capacity"), CONFIG, "capacity"),
    (decided("over_capacity", response=0.2), CONFIG, "capacity"),
    (decided("outranked", response=0.2), CONFIG, "data"),
    (decided("outranked", response=0.2, model_version=2), CONFIG, "model"),
    (decided("outranked", response=0.2, propensity=0.3), CONFIG, "capacity"),
    (decided("outranked", response=0.2, response_basis="renewal_rate"), CONFIG, "data"),
    (decided("outranked", contacts_left_30d=0), CONFIG, "contact"),
    (decided("outranked"), CONFIG, "neighbours"),
    (None, CONFIG, "client"),
]  # fmt: skip


@pytest.mark.parametrize(("other", "config", "cause"), CASES)
def test_what_the_other_run_decided_says_why(other: Any, config: Any, cause: str) -> None:
    listed = {"C1": decided()}
    elsewhere = {} if other is None else {"C1": other}
    left = told(side(listed, False), side(elsewhere, True, config))
    entered = told(side(elsewhere, False, config), side(listed, True))
    assert left == [("left", cause)]
    assert entered == [("entered", cause)]


def test_the_changed_rule_and_limit_are_named_from_before_to_after() -> None:
    capped = decided("suppressed", "contact_policy.contact_cap", config=ONE_CONTACT)
    [change] = changes(side({"C1": decided()}, False), side({"C1": capped}, True, ONE_CONTACT))
    was, now = (
        rules_in_force(CARD, config)["contact_policy.contact_cap"].version
        for config in (CONFIG, ONE_CONTACT)
    )
    assert change.detail == f"contact.customer_cap_30d {was} -> {now}"
    [change] = changes(
        side({"C1": decided("over_capacity")}, False, FEWER), side({"C1": decided()}, True)
    )
    assert (change.kind, change.detail) == (Kind.ENTERED, "campaign.branch_capacity 6 -> 60")


def test_a_client_whose_offer_changed_left_and_entered_for_one_cause() -> None:
    before = side(
        {("C1", CARD): decided(), ("C1", FUND): decided("suppressed", "care.in_care")}, False
    )
    after = side({("C1", CARD): decided("outranked"), ("C1", FUND): decided()}, True)
    entered, left = changes(before, after)
    assert (entered.offer_id, entered.instead_of, entered.cause) == (FUND, CARD, Cause.CARE)
    assert (left.offer_id, left.instead_of, left.cause) == (CARD, FUND, Cause.CARE)
    assert left.detail == f"{FUND}: care.in_care"


def test_an_offer_that_is_in_one_configuration_only_is_policy() -> None:
    before = side({("C1", "old_offer_2025"): decided()}, False)
    assert told(before, side({}, True)) == [("left", "policy")]


@pytest.mark.parametrize(
    ("now", "after", "kind", "cause"),
    [
        (row(3), decided(), "re-ranked", "neighbours"),
        (row(3), decided(response=0.4), "re-ranked", "data"),
        (row(3), decided(response=0.4, model_version=2), "re-ranked", "model"),
        (row(3), decided(margin=Decimal(90)), "re-ranked", "policy"),
        (row(3, channel="branch"), decided(), "other way", "consent"),
        (row(3, lever="gift"), decided(), "other way", "capacity"),
        (row(3, lever="gift"), decided(margin=900), "other way", "policy"),
        (row(3, branch="B2", channel="branch"), decided(), "other branch", "data"),
    ],
)
def test_a_row_that_stays_may_stand_elsewhere(now: Any, after: Any, kind: str, cause: str) -> None:
    before = side({"C1": decided()}, False, C1=row(2))
    [change] = changes(before, side({"C1": after}, True, C1=now))
    assert (change.kind, change.cause) == (kind, cause)
    assert (change.rank_before, change.rank_after) == (2, 3)


def test_another_configured_channel_is_policy() -> None:
    config = load_config("local", [f"offers.{CARD}.channels=[branch]"])
    before = side({"C1": decided()}, False)
    after = side({"C1": decided()}, True, config, C1=row(channel="branch"))
    assert told(before, after) == [("other way", "policy")]


def test_another_channel_where_the_first_is_capped_may_be_for_contacts() -> None:
    capped = load_config("local", ["contact_policy.max_contacts_30d_by_channel={phone: 1}"])
    after = side({"C1": decided()}, True, capped, C1=row(channel="branch"))
    assert told(side({"C1": decided()}, False, capped), after) == [("other way", "contact")]
    assert told(side({"C1": decided()}, False), after) == [("other way", "policy")]


def test_every_change_is_told_once_and_the_counts_add_up() -> None:
    chance = random.Random(5)
    others = [other for other, config, _ in CASES if other and config is CONFIG]
    for _ in range(30):
        keys = [(f"C{number}", offer) for number in range(20) for offer in (CARD, FUND)]
        sides = []
        for is_after in (False, True):
            known = {key: chance.choice([*others, *[decided()] * 9]) for key in keys}
            listed = {
                key: row(chance.randrange(1, 4))
                for key, one in known.items()
                if one["outcome"] == "offered"
            }
            sides.append(Side(listed, known, CONFIG, is_after))
        before, after = sides
        found = changes(before, after)
        kinds = [change.kind for change in found]
        stayed = len(set(before.listed) & set(after.listed))
        assert kinds.count(Kind.ENTERED) + stayed == len(after.listed)
        assert kinds.count(Kind.LEFT) + stayed == len(before.listed)
        assert len({(change.customer_id, change.offer_id) for change in found}) == len(found)
        assert as_table(found).schema == CHANGES
        assert changes(before, Side(before.listed, before.decided, CONFIG, True)) == []
        assert changes(before, after) == found, "the same order each time"


def test_every_cause_has_words() -> None:
    assert set(MEANING) == set(Cause)
