"""What an explanation says would have changed a decision does so, once it is applied."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import date

import pytest
from pyspark.sql import SparkSession

from campaigns.applied import applied
from campaigns.candidates import candidates
from campaigns.counterfactual import Counterfactual, counterfactual, in_words
from campaigns.decided import Decided
from campaigns.rule_facts import Asked, ClientFacts, facts_of
from campaigns.rules import rules_in_force
from conf.load import load_config
from tests.campaign_bank import AS_OF, Bank, Row
from tests.property.campaign_oracle import RATES, Oracle
from tests.property.test_gates_pass_again import bank_of

CONFIG = load_config(
    "local",
    [
        "campaign.min_expected_profit=4.00",
        "contact_policy.max_contacts_30d_by_channel={branch: 1, phone: 1}",
        "jurisdiction.quiet_periods={fair: {first_day: 2024-03-20, last_day: 2024-03-24}}",
    ],
)
SEEDS = (11,)
Pair = tuple[str, str]


def client_facts(bank: Bank, customer_id: str) -> ClientFacts:
    """As the store would give them."""

    def own(name: str) -> tuple[Row, ...]:
        rows = (row for row in getattr(bank, name) if row["customer_id"] == customer_id)
        return tuple({**EMPTY.get(name, {}), **row} for row in rows)

    [customer] = own("customers")
    return ClientFacts(
        customer=customer,
        holdings=own("holdings"),
        consents=own("consents"),
        flags=own("flags"),
        contacts=own("contacts"),
        household=frozenset(),
        household_days=(),
        returned=(),
        features=next(iter(own("customer_features")), {}),
    )


EMPTY = {
    "customers": {"deceased_on": None, "left_on": None, "segment": None},
    "holdings": {"closed_on": None, "matures_on": None},
    "flags": {"valid_to": None},
    "contacts": {"offer_id": None, "disposition_on": None},
}


def decided_rows(spark: SparkSession, bank: Bank) -> dict[Pair, Row]:
    rows = candidates(bank.sources(spark), CONFIG, AS_OF, RATES).collect()
    told = {"outcome": "suppressed"}
    return {(row.customer_id, row.offer_id): {**row.asDict(True), **told} for row in rows}


def explained(bank: Bank, row: Row) -> Decided:
    rules = rules_in_force(row["offer_id"], CONFIG)
    return Decided(row, rules, client_facts(bank, row["customer_id"]), CONFIG, AS_OF)


def changed(bank: Bank, customer_id: str, found: Counterfactual) -> Bank:
    tables = {item.name: getattr(bank, item.name) for item in fields(bank)}
    return Bank(**applied(tables, customer_id, found.changes, AS_OF))


def day_of(found: Counterfactual) -> date:
    return next((change.on for change in found.changes if change.kind == "date"), AS_OF)


def household_of(bank: Bank, customer_id: str) -> Bank:
    """All that the gates ask about one customer."""
    [own] = [row for row in bank.customers if row["customer_id"] == customer_id]
    home = own["household_id"]
    people = {
        row["customer_id"] for row in bank.customers if home and row["household_id"] == home
    } | {customer_id}
    return Bank(
        **{
            item.name: [row for row in getattr(bank, item.name) if row["customer_id"] in people]
            for item in fields(bank)
        }
    )


def failing(bank: Bank, pair: Pair, day: date) -> list[str]:
    oracle = Oracle(household_of(bank, pair[0]), CONFIG, day)
    return oracle._verdict(oracle.people[pair[0]], pair[1], CONFIG.offers[pair[1]]).failed


@pytest.fixture(scope="module", params=SEEDS)
def bank(request) -> Bank:
    return bank_of(request.param, 72)


@pytest.fixture(scope="module")
def rows(spark: SparkSession, bank: Bank) -> dict[Pair, Row]:
    return decided_rows(spark, bank)


def test_every_change_that_is_named_lifts_every_gate(bank: Bank, rows: dict[Pair, Row]) -> None:
    kinds: Counter[str] = Counter()
    for pair, row in rows.items():
        if not row["failed_gates"]:
            continue
        found = counterfactual(explained(bank, row))
        kinds.update(change.kind for change in found.changes)
        if not found.is_possible or any(change.kind == "condition" for change in found.changes):
            continue
        kinds["flipped"] += 1
        left = failing(changed(bank, pair[0], found), pair, day_of(found))
        assert left == [], (pair, row["failed_gates"], in_words(found))
    assert kinds["flipped"] > 100
    assert {*kinds} >= {
        "date", "grant", "close", "open", "features", "flag", "employment", "birth_date", "end",
        "response", "none", "flipped",
    }, kinds  # fmt: skip


def test_a_part_of_the_changes_is_not_enough(bank: Bank, rows: dict[Pair, Row]) -> None:
    """The smallest change: each of them is needed."""
    tried = 0
    for pair, row in rows.items():
        if not row["failed_gates"]:
            continue
        found = counterfactual(explained(bank, row))
        if not found.is_possible or len(found.changes) < 2:
            continue
        for left_out in range(len(found.changes)):
            rest = found.changes[:left_out] + found.changes[left_out + 1 :]
            part = replace(found, changes=rest)
            tried += 1
            assert failing(changed(bank, pair[0], part), pair, day_of(part)), (pair, rest)
    assert tried > 50


def test_the_gates_themselves_agree(spark: SparkSession, bank: Bank, rows: dict[Pair, Row]) -> None:
    """One change per customer, all at once; the oracle may not be wrong in the same way."""
    wanted, altered = [], bank
    for pair, row in rows.items():
        found = counterfactual(explained(bank, row)) if row["failed_gates"] else None
        is_new = pair[0] not in {name for name, _ in wanted}
        if found and is_new and found.is_possible and day_of(found) == AS_OF:
            altered = changed(altered, pair[0], found)
            wanted.append(pair)
    assert len(wanted) > 20
    after = decided_rows(spark, altered)
    assert {pair: after[pair]["failed_gates"] for pair in wanted} == {pair: [] for pair in wanted}


def test_who_withdraws_consent_is_not_offered_it(bank: Bank, rows: dict[Pair, Row]) -> None:
    tried = 0
    for pair, row in rows.items():
        if row["failed_gates"]:
            continue
        found = counterfactual(explained(bank, {**row, "outcome": "offered"}))
        assert found.flips_to == "stopped"
        tried += 1
        left = failing(changed(bank, pair[0], found), pair, AS_OF)
        assert "consent.no_consent" in left, (pair, in_words(found))
    assert tried > 10


def test_every_rule_says_what_it_looked_at(bank: Bank, rows: dict[Pair, Row]) -> None:
    for row in rows.values():
        decided = explained(bank, row)
        for rule in decided.rules.values():
            asked = Asked(rule, decided.offer, CONFIG, decided.client, row, AS_OF)
            facts = facts_of(asked)
            assert facts, rule.id
            assert all(fact.what and fact.value for fact in facts)
