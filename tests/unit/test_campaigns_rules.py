"""Rules: identity, version and words."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from campaigns.candidates import _gates
from campaigns.rule_words import SAYS
from campaigns.rules import Rule, rules_in_force, rules_version
from conf.load import load_config
from conf.wording import Language
from tables.reason_codes import ReasonCode

CONFIG = load_config("local")
AS_OF = date(2024, 3, 1)
OFFER = "gold_card_upgrade_2026"


def versions(*overrides: str, offer: str = OFFER) -> dict[str, str]:
    rules = rules_in_force(offer, load_config("local", overrides))
    return {code: rule.version for code, rule in rules.items()}


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("contact_policy.max_contacts_30d=1", "contact_policy.contact_cap"),
        ("contact_policy.max_household_contacts_30d=1", "contact_policy.household_cap"),
        ("contact_policy.max_contacts_90d_by_fatigue_class.credit=1", "contact_policy.fatigue_cap"),
        ("contact_policy.cool_off_days_after.refused=1", "contact_policy.cool_off"),
        ("contact_policy.min_days_between_contacts=1", "contact_policy.too_soon"),
        ("products.gold_card.eligibility.min_age=22", "eligibility.too_young"),
        ("products.gold_card.eligibility.max_age=66", "eligibility.too_old"),
        ("products.gold_card.eligibility.min_monthly_income=1", "eligibility.income_too_low"),
        (
            "products.gold_card.eligibility.requires_any=[mortgage]",
            "eligibility.lacks_required_product",
        ),
        ("care.no_contact=[]", "care.no_contact_flag"),
        ("care.treatments=!replace {vulnerable: personal_advice}", "care.in_care"),
        ("campaign.min_expected_profit=7.00", "value.not_profitable"),
        ("products.mortgage.fatigue_class=wealth", "contact_policy.fatigue_cap"),
    ],
)
def test_a_version_changes_with_its_parameters_and_with_no_others(override: str, code: str) -> None:
    before, after = versions(), versions(override)
    assert {name for name in before if before[name] != after[name]} == {code}


def test_a_version_changes_with_the_revision_and_with_the_words() -> None:
    rule = Rule("a.b", "b.c", "1", "", {"en": "No: {limit}"}, {"limit": 3})
    assert rule.version.startswith("1-")
    others = [
        Rule("a.b", "b.c", "2", "", rule.says, rule.parameters),
        Rule("a.b", "b.c", "1", "", {"en": "Not: {limit}"}, rule.parameters),
        Rule("a.b", "b.c", "1", "", rule.says, {"limit": "3"}),
    ]
    assert len({rule.version, *(other.version for other in others)}) == 4
    assert Rule("a.b", "b.c", "1", "now", rule.says, {"limit": 3}).version == rule.version


def test_rules_of_other_products_leave_the_digest_of_an_offer_alone() -> None:
    other = load_config("local", ["products.mortgage.eligibility.max_age=50"])
    changed = {
        name
        for name in CONFIG.offers
        if rules_version(rules_in_force(name, CONFIG)) != rules_version(rules_in_force(name, other))
    }
    assert changed == {"mortgage_2026"}


US = "jurisdiction.profile=us_opt_out"
QUIET = "jurisdiction.quiet_periods.x={first_day: 2024-03-08, last_day: 2024-03-09}"
OWN = 'rules.x={version: 1, description: {en: x}, allow_when: "product_count > 0"}'


@pytest.mark.parametrize("overrides", [(), (US,), (QUIET, OWN)])
def test_each_gate_has_its_rule_and_each_rule_its_gate(
    overrides: tuple[str, ...], spark: object
) -> None:
    config = load_config("local", overrides)
    for offer in config.offers:
        eligibility, others = _gates(offer, config, AS_OF)
        codes = [str(gate.code) for gate in (*eligibility, *others)]
        assert sorted([*codes, "value.not_profitable"]) == list(rules_in_force(offer, config))


def test_another_jurisdiction_is_seen_in_rules_and_versions() -> None:
    eu, us = versions(), versions(US)
    assert set(eu) - set(us) == {"eligibility.too_old"}, "no highest age for credit"
    changed = {code for code in us if us[code] != eu[code]}
    assert changed == {"consent.no_consent", "consent.no_profiling_consent"}
    insured = versions(US, offer="travel_insurance_2026")
    assert "eligibility.too_old" in insured, "it is no credit"
    assert "contact_policy.quiet_period" in versions(QUIET)
    assert versions(QUIET) != versions(QUIET, "time.gap_days=8")


def test_rules_have_one_id_each_and_words_in_every_language() -> None:
    config = load_config("local", [QUIET])
    rules = {
        code: rule for name in config.offers for code, rule in rules_in_force(name, config).items()
    }
    assert len({rule.id for rule in rules.values()}) == len(rules)
    assert set(SAYS) == set(ReasonCode)
    for rule in rules.values():
        told = [rule.words(language) for language in get_args(Language)]
        assert len(set(told)) == 4, rule.id
        assert not any("{" in text for text in told)


def test_words_name_the_parameters() -> None:
    rules = rules_in_force(OFFER, CONFIG)
    assert rules["eligibility.lacks_required_product"].words("en") == "Holds none of: credit_card"
    assert rules["contact_policy.contact_cap"].words("ru").endswith(": 2")
