"""The catalogue is complete, its uses are lawful, and its sentences read well."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf.load import load_config
from conf.schema import TimeSettings
from features.catalogue import (
    catalogue_markdown,
    customer_features_table,
    feature_catalogue,
    model_feature_names,
    reason_sentence,
)
from features.customer_features import measure_names, snapshot_plan
from features.feature import Feature
from features.sources import CUSTOMERS, Cut
from tables.errors import UserError
from tests.bank import AS_OF, PRODUCT_FACTS, PRODUCTS, TABLES, Bank, source_tables

CATALOGUE = {feature.name: feature for feature in feature_catalogue(PRODUCTS)}
NOTHING: Bank = {name: [] for name in TABLES}
PROTECTED = ("birth_date", "gender", "language", "age", "nationality")


def test_the_committed_catalogue_is_current() -> None:
    products = tuple(load_config("local").products)
    committed = Path(__file__).parents[2] / "docs" / "feature_catalogue.md"
    assert committed.read_text(encoding="utf-8") == catalogue_markdown(products), "run make docs"


def test_a_snapshot_has_exactly_the_columns_and_types_of_the_declared_table(
    spark: SparkSession,
) -> None:
    table = customer_features_table(PRODUCTS)
    sources = source_tables(spark, NOTHING)
    frame = snapshot_plan(AS_OF, _time(12), PRODUCT_FACTS, "EUR").rows(sources)
    found = [(f.name, f.dataType.simpleString()) for f in frame.schema.fields]
    assert found == [(column.name, column.type) for column in table.columns]
    assert frame.count() == 0


def test_an_observation_window_shorter_than_a_feature_is_refused() -> None:
    with pytest.raises(UserError, match="observation_months is 6, but features look back 12"):
        snapshot_plan(AS_OF, _time(6), PRODUCT_FACTS, "EUR")


def test_models_get_numbers_and_booleans_only() -> None:
    types = {CATALOGUE[name].type for name in model_feature_names(PRODUCTS)}
    assert types == {"int", "double", "boolean", "decimal(18,2)"}
    assert "segment" not in model_feature_names(PRODUCTS)


def test_no_feature_reads_a_protected_attribute(spark: SparkSession) -> None:
    sources = source_tables(spark, NOTHING)
    assert "birth_date" in sources.customers.columns
    cut = Cut(AS_OF, 12, "EUR", PRODUCT_FACTS)
    measured = {m.source for f in CATALOGUE.values() if f.in_model for m in f.value.measures}
    assert CUSTOMERS in measured
    for source in measured:
        assert not set(source.rows(sources, cut).columns) & set(PROTECTED)
    for feature in CATALOGUE.values():
        words = f"{feature.description} {feature.sentence} {feature.sentence_zero}".lower()
        assert not re.search(rf"\b({'|'.join(PROTECTED)})\b", words)


def test_a_name_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="declared twice: has_advisor"):
        feature_catalogue(("advisor",))


def test_names_say_their_window() -> None:
    for feature in CATALOGUE.values():
        suffix = re.search(r"_(\d+)m$", feature.name)
        # A change or trend compares its window with a longer one.
        if (
            suffix
            and not re.search("trend|change|ended|_to_inflow", feature.name)
            and not is_balance(feature)
        ):
            assert feature.window_months == int(suffix[1]) or feature.name == "income_months_6m"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("travel_amount_3m", Decimal("1234.56"), "Spent 1,235 EUR on travel in the last 3 months"),
        ("travel_amount_3m", Decimal("0.40"), "Spent 0.40 EUR on travel in the last 3 months"),
        ("travel_amount_3m", Decimal("0.00"), None),
        ("income_amount_3m", Decimal("7500.00"), "A regular income arrives here"),
        ("months_since_joined", 1, "Has been a client for 1 month"),
        ("months_since_joined", 14, "Has been a client for 14 months"),
        ("months_since_joined", 0, "Became a client within the last month"),
        ("digital_share_3m", 0.354, "Makes 35 % of all bookings online or in the app"),
        ("digital_share_3m", 0.001, "Makes less than 1 % of all bookings online or in the app"),
        ("has_credit_card", True, "Already uses our credit card"),
        ("has_credit_card", False, "Has no credit card with us yet"),
        ("has_credit_card", 1.0, "Already uses our credit card"),
        ("card_count_3m", 1, "Made 1 card payment in the last 3 months"),
        ("card_count_3m", 12, "Made 12 card payments in the last 3 months"),
        ("net_flow_amount_3m", Decimal("-80.00"), None),
        ("days_to_next_maturity", None, None),
        ("savings_rate_3m", float("nan"), None),
        ("segment_rank", 3, None),
    ],
)
def test_a_reason_says_the_value_or_nothing(name: str, value: object, expected: str | None) -> None:
    assert reason_sentence(CATALOGUE[name], value, "EUR") == expected


@pytest.mark.parametrize("name", [n for n, f in CATALOGUE.items() if f.in_reason])
def test_every_sentence_is_complete_for_any_value(name: str) -> None:
    for value in (0, 1, 2.5, 1000):
        sentence = reason_sentence(CATALOGUE[name], value, "EUR")
        assert sentence is None or re.fullmatch(r"[A-Z][^{}]*[^{}.\s]", sentence)


def test_income_is_never_told_to_a_branch() -> None:
    for feature in CATALOGUE.values():
        if feature.name.startswith("income_amount"):
            assert not feature.in_list
            assert "{value}" not in (feature.sentence or "")


def test_equal_measures_are_computed_once() -> None:
    share, amount = CATALOGUE["travel_share_3m"], CATALOGUE["travel_amount_3m"]
    assert len(measure_names([share, amount])) == 2
    assert len(measure_names([share, replace(amount, name="again")])) == 2


def is_balance(feature: Feature) -> bool:
    return feature.theme == "balances" and "balance" in feature.name


def _time(months: int) -> TimeSettings:
    return TimeSettings(observation_months=months, gap_days=7, outcome_months=2, train_cohorts=4)
