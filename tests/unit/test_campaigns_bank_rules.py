"""Rules that a bank configures: what they are about, what they may ask for, and their gates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.bank_rules import bank_rule_gates, fact_columns, known_facts
from campaigns.candidates import candidates
from campaigns.gates import failed
from campaigns.rules import rules_in_force
from conf.errors import ConfigError
from conf.load import load_config
from conf.schema import RunConfig
from jobs.settings import checked_config
from tests.campaign_bank import AS_OF, make_bank


def rule(name: str, allow_when: str, applies_to: str = "{}", version: int = 1) -> str:
    return (
        f'rules.{name}={{version: {version}, description: {{en: "Why {{not}}"}},'
        f' applies_to: {applies_to}, allow_when: "{allow_when}"}}'
    )


def with_rules(*rules: str) -> RunConfig:
    return load_config("local", rules)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (rule("a", "incom_amount_3m > 1"), "rules.a.allow_when names incom_amount_3m, which rules"
         " cannot ask for; did you mean income_amount_3m?"),
        (rule("a", "segment > 1"), "rules.a.allow_when compares a text with a number"),
        (rule("a", "true", "{products: [morgage]}"), "rules.a.applies_to.products names morgage,"
         " which does not exist; did you mean mortgage?"),
        (rule("a", "true", "{offers: [x]}"), "rules.a.applies_to.offers names x"),
        (rule("a", "true", "{partners: [velo]}"), "did you mean velo_leasing?"),
        (rule("a", "true", "{segments: [vip]}"), "rules.a.applies_to.segments is unknown"),
        (rule("a", "true", version=0), "rules.a.version is 0; it must be at least 1"),
        (rule("a", ""), "rules.a.allow_when is empty text"),
        (rule("a", "true or " * 130 + "true"), "it must have at most 1000 characters"),
        ("rules.a={version: 1, description: {it: x}, allow_when: x}", "rules.a.description has no"
         " text in the bank's language en"),
        ("rules.a={version: 1, description: {}, allow_when: x}", "rules.a.description is"),
        ("rules.a b={version: 1, description: {en: x}, allow_when: x}", "is not a possible name"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_a_month_begins(setting: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_config("local", [setting])
    assert any(problem in told for told in caught.value.problems), caught.value.problems


def test_nothing_about_age_gender_or_language_may_be_asked() -> None:
    facts = known_facts(load_config("local"))
    for name in ("birth_date", "age", "gender", "language", "has_turned_18_12m", "is_employee"):
        assert name not in facts
    for name in ("segment", "branch_id", "product_count", "has_mortgage", "income_amount_3m"):
        assert name in facts


US = "jurisdiction.profile=us_opt_out"


def test_the_age_may_be_asked_only_where_the_law_lets_it() -> None:
    asked = rule("a", "age < 30", "{products: [home_insurance]}")
    assert checked_config("local", [US, asked]).rules
    with pytest.raises(ConfigError, match="names age, which rules cannot ask for"):
        checked_config("local", [asked])
    with pytest.raises(ConfigError, match="does not allow for mortgage_2026"):
        checked_config("local", [US, rule("a", "age < 30", "{products: [mortgage]}")])
    with pytest.raises(ConfigError, match="does not allow for travel_package_2026"):
        checked_config("local", [US, rule("a", "age < 30", "{products: [travel_insurance]}")])


def test_the_age_is_that_of_the_day(spark: SparkSession) -> None:
    config = load_config("local", [US, rule("a", "age >= 18", "{products: [travel_insurance]}")])
    people = spark.createDataFrame(
        [(date(2006, 3, 1),), (date(2006, 3, 2),), (date(2006, 2, 28),), (None,)],
        "birth_date date",
    )
    of_customers, _ = fact_columns(config, date(2024, 3, 1))
    [gate] = bank_rule_gates("travel_insurance_2026", config)
    found = people.select(*of_customers).select(gate.fails).collect()
    assert [row[0] for row in found] == [False, True, False, True]


@pytest.mark.parametrize(
    ("applies_to", "offers"),
    [
        ("{offers: [mortgage_2026]}", {"mortgage_2026"}),
        ("{products: [gold_card]}", {"gold_card_upgrade_2026"}),
        (
            "{partners: [aurora_insurance]}",
            {
                "home_insurance_2026",
                "travel_insurance_2026",
                "travel_insurance_renewal_2026",
                "travel_package_2026",
            },
        ),
        ("{products: [credit_card]}", {"credit_card_2026", "travel_package_2026"}),
        ("{partners: [velo_leasing], products: [mortgage]}", {"car_leasing_2026", "mortgage_2026"}),
        ("{}", None),
    ],
)
def test_a_rule_is_about_what_it_names(applies_to: str, offers: set[str] | None) -> None:
    config = with_rules(rule("a", "true", applies_to))
    about = {name for name in config.offers if "rule.a" in rules_in_force(name, config)}
    assert about == (offers or set(config.offers))


def test_a_version_is_the_banks_and_a_digest_of_the_text() -> None:
    def version(setting: str) -> str:
        return rules_in_force("mortgage_2026", with_rules(setting))["rule.a"].version

    first = version(rule("a", "months_since_joined > 1"))
    assert first.startswith("1-")
    assert version(rule("a", "months_since_joined > 2")) != first
    assert version(rule("a", "months_since_joined > 1", version=2)).startswith("2-")
    config = with_rules(rule("a", "true"))
    assert rules_in_force("mortgage_2026", config)["rule.a"].words("en") == "Why {not}"


def test_what_is_unknown_is_not_allowed(spark: SparkSession) -> None:
    config = with_rules(
        rule("a", "segment = 'mass'", "{products: [mortgage]}"),
        rule("b", "not segment = 'mass'", "{products: [mortgage]}"),
        rule("c", "branch_id = 'B1' or product_count > 1"),
    )
    gates = bank_rule_gates("mortgage_2026", config)
    customers = spark.createDataFrame(
        [("mass", "B1", None), (None, "B2", None), ("vip", None, 2)],
        "segment string, branch_id string, product_count int",
    )
    of_customers, of_features = fact_columns(config, AS_OF)
    assert (len(of_customers), len(of_features)) == (1, 2)
    asked = customers.select(*of_customers, *of_features)
    told = failed(gates, rules_in_force("mortgage_2026", config))
    codes = F.transform(told, lambda one: one["code"])
    assert [row[0] for row in asked.select(codes).collect()] == [
        ["rule.b"],
        ["rule.a", "rule.b", "rule.c"],
        ["rule.a"],
    ]


def test_a_candidate_fails_a_rule_like_any_gate(spark: SparkSession) -> None:
    config = with_rules(
        rule("rich", "balance_amount >= 2000.00", "{products: [mortgage, savings_account]}"),
        rule("here", "branch_id <> 'B1'", "{offers: [mortgage_2026]}"),
    )
    bank = make_bank(5, 30, config)
    balances = {row["customer_id"]: row["balance_amount"] for row in bank.customer_features}
    branches = {row["customer_id"]: row["branch_id"] for row in bank.customers}

    # A plan of four offers, two of which nobody asks, is made more quickly than one of all.
    names = ("mortgage_2026", "savings_account_2026", "credit_card_2026", "travel_package_2026")
    few = config.model_copy(update={"offers": {name: config.offers[name] for name in names}})
    rows = candidates(bank.sources(spark), few, AS_OF).collect()

    assert {row.offer_id for row in rows} == {*names}
    for row in rows:
        rich, here = rules_in_force("mortgage_2026", config), row.offer_id == "mortgage_2026"
        is_poor = (balances[row.customer_id] or 0) < Decimal(2000)
        is_asked = here or row.offer_id == "savings_account_2026"
        failing = {
            "rule.rich": is_asked and is_poor,
            "rule.here": here and branches[row.customer_id] == "B1",
        }
        for code, fails in failing.items():
            assert (code in row.failed_gates) is fails, (row.customer_id, row.offer_id, code)
            if fails:
                told = row.failed_rules[row.failed_gates.index(code)]
                assert tuple(told) == (code, rich[code].version, None)
        assert row.failed_gates == sorted(row.failed_gates)
