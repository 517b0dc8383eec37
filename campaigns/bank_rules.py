"""Conditions that a bank writes into its configuration: what rules and levers may ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from pyspark.sql import Column, functions as F

from campaigns.expressions import ExpressionError, Kind, Term, compiled, names_in
from campaigns.gates import Gate
from campaigns.rules import bank_rules_of, code_of_bank_rule
from conf.jurisdiction import allows_age
from conf.schema import RunConfig
from features.catalogue import Feature, feature_catalogue
from features.eligibility import age_on

# What eligibility asks for as well, though no list may show it.
AMOUNTS = ("income_amount_3m", "balance_amount")
# No rule may ask for gender or language, nor for the age unless the law lets it, not even by way of
# a feature.
PROTECTED_COLUMNS = frozenset(f"customers.{name}" for name in ("birth_date", "gender", "language"))
AGE = "age"
OF_CUSTOMERS: Mapping[str, Kind] = {"branch_id": "text", AGE: "number"}
KINDS: Mapping[str, Kind] = {"string": "text", "boolean": "condition", "double": "double"}
Problem = tuple[tuple[str, ...], str]


def known_facts(config: RunConfig) -> dict[str, Kind]:
    """What rules may ask for, by name: what lists may show, amounts of eligibility, the branch."""
    features = feature_catalogue(tuple(config.products))
    allowed = {item.name: _kind(item) for item in features if _may_be_asked(item)}
    if config.jurisdiction.in_force.age_in_rules == "never":
        return {"branch_id": OF_CUSTOMERS["branch_id"], **allowed}
    return {**OF_CUSTOMERS, **allowed}


def broken_expressions(config: RunConfig) -> Iterator[Problem]:
    """Every expression that is not accepted: where it stands, and what is wrong with it."""
    asked = _asked(config)
    facts = _terms(config) if asked else {}
    for place, (text, offers) in asked.items():
        try:
            compiled(text, facts)
        except ExpressionError as problem:
            yield (*place, "allow_when"), str(problem)
        else:
            yield from _unlawful_age(place, text, offers, config)


def _asked(config: RunConfig) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Every expression and the offers it is about, by where it stands."""
    found = {
        ("rules", name): (
            rule.allow_when,
            [offer_id for offer_id in config.offers if name in bank_rules_of(offer_id, config)],
        )
        for name, rule in config.rules.items()
    }
    return found | {
        ("levers", code): (lever.allow_when, list(lever.offers))
        for code, lever in config.levers.items()
        if lever.allow_when is not None
    }


def _unlawful_age(
    place: tuple[str, str], text: str, offers: list[str], config: RunConfig
) -> Iterator[Problem]:
    law = config.jurisdiction
    if AGE not in names_in(text):
        return
    for offer_id in offers:
        products = config.offers[offer_id].products
        is_credit = any(config.products[name].is_credit for name in products)
        if not allows_age(law.in_force.age_in_rules, is_credit=is_credit):
            yield (
                (*place, "allow_when"),
                f"asks for the age, which the jurisdiction profile {law.profile} does not allow for"
                f" {offer_id}",
            )


def bank_rule_gates(offer_id: str, config: RunConfig) -> list[Gate]:
    """The configured rules about an offer; what is unknown is not allowed.

    Returns:
        Gates over ``fact_columns``.
    """
    return [
        Gate(code_of_bank_rule(name), ~is_allowed(rule.allow_when, config))
        for name, rule in bank_rules_of(offer_id, config).items()
    ]


def is_allowed(allow_when: str, config: RunConfig) -> Column:
    """A condition over ``fact_columns``; what is unknown is not allowed, so it is never null."""
    return F.coalesce(compiled(allow_when, _terms(config)).column(), F.lit(False))


def fact_columns(config: RunConfig, as_of: date) -> tuple[list[Column], list[Column]]:
    """Columns of ``customers`` and of ``customer_features`` that a rule or lever asks for."""
    asked = {name for text, _ in _asked(config).values() for name in names_in(text)}
    columns = [(name, _value(name, as_of).alias(_column(name))) for name in sorted(asked)]
    return (
        [column for name, column in columns if name in OF_CUSTOMERS],
        [column for name, column in columns if name not in OF_CUSTOMERS],
    )


def _terms(config: RunConfig) -> dict[str, Term]:
    return {name: _term(name, kind) for name, kind in known_facts(config).items()}


def _term(name: str, kind: Kind) -> Term:
    return Term(kind, lambda: F.col(_column(name)))


def _value(name: str, as_of: date) -> Column:
    return age_on("birth_date", as_of) if name == AGE else F.col(name)


def _column(name: str) -> str:
    return f"fact_{name}"


def _may_be_asked(feature: Feature) -> bool:
    is_protected = PROTECTED_COLUMNS & set(feature.columns)
    return (feature.in_list or feature.name in AMOUNTS) and not is_protected


def _kind(feature: Feature) -> Kind:
    return KINDS.get(feature.type, "number")
