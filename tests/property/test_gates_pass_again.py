"""The day on which a gate passes again, held beside brute force: every day, by the oracle."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import pytest
from pyspark.sql import Row as SparkRow, SparkSession

from campaigns.candidates import candidates
from campaigns.rules import rules_in_force, rules_version
from conf.load import load_config
from tests.campaign_bank import AS_OF, KNOWN, Bank, Row, make_bank
from tests.property.campaign_oracle import Oracle

CONFIG = load_config(
    "local",
    [
        "campaign.min_expected_profit=-2.00",
        "contact_policy.max_contacts_30d_by_channel={branch: 1, phone: 1}",
    ],
)
OFFERS = ("credit_card_2026", "gold_card_upgrade_2026", "savings_account_2026")
DAYS = 200
FAR = (1000, 5000, 20_000)
Pair = tuple[str, str]


def bank_of(seed: int, customers: int) -> Bank:
    """A bank in which much is known of days to come."""
    bank, chance = make_bank(seed, customers, CONFIG), random.Random(seed)
    for number, person in enumerate(bank.customers):
        if number % 4 == 0:
            bank.flags += flags(chance, person)
        if number % 4 == 1:
            bank.holdings += holdings(chance, person)
        if number % 8 == 2:
            person["birth_date"] = chance.choice((date(2008, 2, 29), date(2006, 4, 30)))
        if number % 8 == 3:
            person["joined_on"] = AS_OF + timedelta(days=chance.randrange(60))
            person["left_on"] = chance.choice((None, person["joined_on"] + timedelta(days=1)))
    return bank


def later(chance: random.Random, first: date) -> date | None:
    return chance.choice((None, *(first + timedelta(days=days) for days in (1, 20, 60))))


def flags(chance: random.Random, person: Row) -> Iterator[Row]:
    """Flags that follow, overlap or leave a gap; names differ, or the key would be the same."""
    for flag in ("financial_difficulty", "vulnerable", "complaint_open", "fraud_watch"):
        first = AS_OF + timedelta(days=chance.choice((-10, 0, 1, 10, 20, 21)))
        yield {
            "customer_id": person["customer_id"], "flag": flag, "valid_from": first,
            "valid_to": later(chance, first), "recorded_at": KNOWN,
        }  # fmt: skip


def holdings(chance: random.Random, person: Row) -> Iterator[Row]:
    """Products that end, begin and follow one another."""
    for index, product in enumerate(
        ("current_account", "credit_card", "gold_card", "mortgage") * 2
    ):
        first = AS_OF + timedelta(days=chance.choice((-10, -1, 0, 9, 10, 19)))
        yield {
            "holding_id": f"{person['customer_id']}+{index}", "product_id": product,
            "customer_id": person["customer_id"], "opened_on": first,
            "closed_on": later(chance, first), "recorded_at": KNOWN,
        }  # fmt: skip


def failing(bank: Bank, day: date) -> dict[Pair, list[str]]:
    """What fails on a day, as the oracle has it."""
    oracle = Oracle(bank, CONFIG, day)
    return {
        (name, offer_id): oracle._verdict(person, offer_id, offer).failed
        for name, person in oracle.people.items()
        for offer_id, offer in CONFIG.offers.items()
        if offer_id in OFFERS
    }


def decided(spark: SparkSession, bank: Bank, day: date) -> list[SparkRow]:
    # A plan of three offers is made more quickly than one of all.
    offers = {name: CONFIG.offers[name] for name in OFFERS}
    rows = candidates(bank.sources(spark), CONFIG.model_copy(update={"offers": offers}), day)
    kept = ("failed_gates", "failed_rules", "passes_again_on", "rules_version")
    return rows.select("customer_id", "offer_id", *kept).collect()


def first_passes(bank: Bank, pairs: Iterable[tuple[Pair, str]]) -> dict[tuple[Pair, str], date]:
    """The first of many days on which each gate passes, tried day by day."""
    waiting, found = set(pairs), {}
    for days in (*range(1, DAYS), *FAR):
        day = AS_OF + timedelta(days=days)
        failed = failing(bank, day)
        passing = {(pair, code) for pair, code in waiting if code not in failed[pair]}
        found |= dict.fromkeys(passing, day)
        waiting -= passing
    return found


@pytest.fixture(scope="module")
def bank() -> Bank:
    return bank_of(3, 40)


@pytest.fixture(scope="module")
def rows(spark: SparkSession, bank: Bank) -> list[SparkRow]:
    return decided(spark, bank, AS_OF)


def test_a_gate_passes_on_its_day_and_on_no_day_before(bank: Bank, rows: list[SparkRow]) -> None:
    told = {
        ((row.customer_id, row.offer_id), code): rule.passes_on
        for row in rows
        for code, rule in zip(row.failed_gates, row.failed_rules, strict=True)
    }

    passes = first_passes(bank, told)

    for (pair, code), day in told.items():
        tried = passes.get((pair, code))
        if day is None or tried is None or tried <= AS_OF + timedelta(days=DAYS):
            assert day == tried, (pair, code)
        else:  # later than every day that was tried one by one
            assert code in failing(bank, day - timedelta(days=1))[pair], (pair, code)
            assert code not in failing(bank, day)[pair], (pair, code)
    by_code = {code for (_, code), day in told.items() if day is not None}
    assert by_code >= {
        "care.in_care", "care.no_contact_flag", "contact_policy.contact_cap",
        "contact_policy.household_cap", "contact_policy.fatigue_cap", "contact_policy.cool_off",
        "contact_policy.channel_cap",
        "contact_policy.too_soon", "eligibility.too_young", "eligibility.already_held",
        "eligibility.lacks_required_product", "eligibility.not_active",
    }  # fmt: skip


def test_the_gates_themselves_move_with_the_day(spark: SparkSession, bank: Bank) -> None:
    day = date(2024, 3, 13)
    rows = decided(spark, bank, day)
    found = {(row.customer_id, row.offer_id): row.failed_gates for row in rows}
    assert found == failing(bank, day)


def test_a_decision_names_the_rules_that_were_asked(rows: list[SparkRow]) -> None:
    assert {row.offer_id for row in rows} == set(OFFERS)
    for row in rows:
        rules = rules_in_force(row.offer_id, CONFIG)
        assert row.rules_version == rules_version(rules)
        assert row.failed_gates == sorted(row.failed_gates)
        assert [(rule.rule, rule.version) for rule in row.failed_rules] == [
            (rules[code].id, rules[code].version) for code in row.failed_gates
        ]
        days = [rule.passes_on for rule in row.failed_rules]
        latest = max(days) if days and None not in days else None
        assert row.passes_again_on == latest
