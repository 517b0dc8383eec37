"""Rules that a bank writes into its configuration: what they may ask for, and their gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyspark.sql import Column, functions as F

from campaigns.expressions import ExpressionError, Kind, Term, compiled, names_in
from campaigns.gates import Gate
from campaigns.rules import bank_rules_of, code_of_bank_rule
from conf.schema import RunConfig
from features.catalogue import Feature, feature_catalogue

# What eligibility asks for as well, though no list may show it.
AMOUNTS = ("income_amount_3m", "balance_amount")
# No rule may ask for a person's age, gender or language, not even by way of a feature.
PROTECTED_COLUMNS = frozenset(f"customers.{name}" for name in ("birth_date", "gender", "language"))
OF_CUSTOMERS: Mapping[str, Kind] = {"branch_id": "text"}
KINDS: Mapping[str, Kind] = {"string": "text", "boolean": "condition", "double": "double"}
Problem = tuple[tuple[str, ...], str]


def known_facts(config: RunConfig) -> dict[str, Kind]:
    """What rules may ask for, by name: what lists may show, amounts of eligibility, the branch."""
    features = feature_catalogue(tuple(config.products))
    allowed = {item.name: _kind(item) for item in features if _may_be_asked(item)}
    return {**OF_CUSTOMERS, **allowed}


def broken_expressions(config: RunConfig) -> Iterator[Problem]:
    """Every expression that is not accepted: where it stands, and what is wrong with it."""
    facts = _terms(config) if config.rules else {}
    for name, rule in config.rules.items():
        try:
            compiled(rule.allow_when, facts)
        except ExpressionError as problem:
            yield ("rules", name, "allow_when"), str(problem)


def bank_rule_gates(offer_id: str, config: RunConfig) -> list[Gate]:
    """The configured rules about an offer; what is unknown is not allowed.

    Returns:
        Gates over ``fact_columns``.
    """
    rules = bank_rules_of(offer_id, config)
    facts = _terms(config) if rules else {}
    allowed = {name: compiled(rule.allow_when, facts).column() for name, rule in rules.items()}
    return [
        Gate(code_of_bank_rule(name), ~F.coalesce(is_allowed, F.lit(False)))
        for name, is_allowed in allowed.items()
    ]


def fact_columns(config: RunConfig) -> tuple[list[Column], list[Column]]:
    """Columns of ``customers`` and of ``customer_features`` that some rule asks for."""
    asked = {name for rule in config.rules.values() for name in names_in(rule.allow_when)}
    columns = [(name, F.col(name).alias(_column(name))) for name in sorted(asked)]
    return (
        [column for name, column in columns if name in OF_CUSTOMERS],
        [column for name, column in columns if name not in OF_CUSTOMERS],
    )


def _terms(config: RunConfig) -> dict[str, Term]:
    return {name: _term(name, kind) for name, kind in known_facts(config).items()}


def _term(name: str, kind: Kind) -> Term:
    return Term(kind, lambda: F.col(_column(name)))


def _column(name: str) -> str:
    return f"fact_{name}"


def _may_be_asked(feature: Feature) -> bool:
    is_protected = PROTECTED_COLUMNS & set(feature.columns)
    return (feature.in_list or feature.name in AMOUNTS) and not is_protected


def _kind(feature: Feature) -> Kind:
    return KINDS.get(feature.type, "number")
