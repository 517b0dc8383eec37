"""The catalogue is complete, its uses are lawful, and its sentences read well."""

from __future__ import annotations

import re
from dataclasses import replace
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
)
from features.customer_features import measure_names, snapshot_plan
from features.feature import Feature
from features.formulas import amount
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS, CUSTOMERS, Cut
from tables.categories import REGULAR_INCOME, Category
from tables.errors import UserError
from tests.bank import AS_OF, PRODUCT_FACTS, PRODUCTS, TABLES, Bank, source_tables

CATALOGUE = {feature.name: feature for feature in feature_catalogue(PRODUCTS)}
NOTHING: Bank = {name: [] for name in TABLES}
PROTECTED = ("birth_date", "gender", "language", "age", "nationality")
# What no reason may rest on, though a model may use some of it: who somebody is and lives with,
# difficulties, whom in particular somebody pays.
DENIED_COLUMNS = (
    "birth_date",
    "gender",
    "language",
    "nationality",
    "household_id",
    "segment",
    "flags.",
    "counterparty",
)
DENIED_CATEGORIES = {
    Category.HEALTH,
    Category.BENEFIT,
    Category.CHILD_BENEFIT,
    Category.PENALTY_INTEREST,
    Category.FEES,
}


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
        assert not re.search(rf"\b({'|'.join(PROTECTED)})\b", feature.description.lower())


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


def test_no_reason_rests_on_what_is_nobodys_business() -> None:
    for feature in CATALOGUE.values():
        if feature.in_reason:
            assert not denied_columns(feature), feature.name
            assert not categories(feature) & DENIED_CATEGORIES, feature.name
            assert not tells_single_booking(feature), feature.name


@pytest.mark.parametrize(
    "name", ["household_size", "complaint_count_12m", "has_turned_18_12m", "other_lender_count_12m"]
)
def test_a_column_that_is_nobodys_business_is_found(name: str) -> None:
    assert denied_columns(CATALOGUE[name])
    assert not CATALOGUE[name].in_reason


@pytest.mark.parametrize("name", ["largest_debit_amount_3m", "largest_credit_amount_3m"])
def test_a_single_booking_is_found(name: str) -> None:
    assert tells_single_booking(CATALOGUE[name])
    assert not CATALOGUE[name].in_reason


def test_a_category_that_is_nobodys_business_is_found() -> None:
    health = ALL_ROWS.where(is_debit=True, category=Category.HEALTH)
    value = amount(Measure(BOOKINGS, "sum", "cents", health, within=3))
    assert categories(replace(CATALOGUE["travel_amount_3m"], value=value)) == {"health"}


def test_a_pension_is_never_told_from_a_salary() -> None:
    for feature in CATALOGUE.values():
        told = categories(feature)
        if feature.in_reason and told & set(REGULAR_INCOME):
            assert told >= set(REGULAR_INCOME), feature.name
            assert feature.tells_amount is (feature.unit != "money"), "a branch sees no income"


def test_what_is_unknown_is_never_told_as_nothing() -> None:
    for feature in CATALOGUE.values():
        assert not ("nothing" in feature.tells and feature.is_nullable), feature.name


def test_equal_measures_are_computed_once() -> None:
    share, amount = CATALOGUE["travel_share_3m"], CATALOGUE["travel_amount_3m"]
    assert len(measure_names([share, amount])) == 2
    assert len(measure_names([share, replace(amount, name="again")])) == 2


def categories(feature: Feature) -> set[str]:
    """The categories of bookings that a feature looks at."""
    allowed = [pair for measure in feature.value.measures for pair in measure.rows.allowed]
    return {str(value) for name, values in allowed if name == "category" for value in values}


def denied_columns(feature: Feature) -> set[str]:
    """Columns it is computed from that no reason may rest on."""
    return {column for name in DENIED_COLUMNS for column in feature.columns if name in column}


def tells_single_booking(feature: Feature) -> bool:
    """Its value is the amount of one booking."""
    return any(m.of == "cents" and m.how in ("max", "min") for m in feature.value.measures)


def is_balance(feature: Feature) -> bool:
    return feature.theme == "balances" and "balance" in feature.name


def _time(months: int) -> TimeSettings:
    return TimeSettings(observation_months=months, gap_days=7, outcome_months=2, train_cohorts=4)
