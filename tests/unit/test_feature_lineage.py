"""A feature reads no column but those it names; each named column matters to some feature."""

from __future__ import annotations

from copy import deepcopy
from itertools import zip_longest
from random import Random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from features.lineage import LINEAGE
from tables.sources import OWNER, SOURCES
from tests.bank import PRODUCTS, Bank, snapshot
from tests.drawn_bank import drawn

FEATURES = feature_catalogue(PRODUCTS)
Found = dict[str, dict[str, Any]]

# Columns that carry facts; identifiers only say what belongs together.
MIXED = {
    "transactions": "category channel counterparty_id amount currency balance_after booked_on",
    "fx_rates": "rate_to_base",
    "customers": "segment household_id payroll_employer_id advisor_id branch_id birth_date"
    " joined_on",
    "accounts": "closed_on opened_on currency",
    "holdings": "product_id matures_on closed_on opened_on",
    "contacts": "disposition disposition_on contacted_on channel product_id",
    "consents": "is_granted purpose",
    "flags": "flag valid_from valid_to",
}
UNUSED = {"contacts.channel", "contacts.product_id", "flags.valid_to"}
# These matter on or after the as-of date only, where to mix this bank's dates brings nothing.
UNSEEN = {"accounts.opened_on", "contacts.disposition_on"}
# One column of each table at a time: few features read more than one table.
ROUNDS = [
    {f"{table}.{column}" for table, column in zip(MIXED, together, strict=True) if column}
    for together in zip_longest(*(names.split() for names in MIXED.values()))
]


@pytest.fixture(scope="module")
def bank() -> Bank:
    return drawn(seed=11, customers=25)


@pytest.fixture(scope="module")
def clean(spark: SparkSession, bank: Bank) -> Found:
    return snapshot(spark, bank, FEATURES)


@pytest.mark.parametrize("mixed", ROUNDS, ids=lambda names: " ".join(sorted(names)))
def test_a_column_changes_the_features_that_name_it_and_no_other(
    spark: SparkSession, bank: Bank, clean: Found, mixed: set[str]
) -> None:
    changed = changed_features(clean, snapshot(spark, mix(bank, mixed), FEATURES))
    read = {feature.name: mixed & set(feature.columns) for feature in FEATURES}
    assert [name for name in changed if not read[name]] == []
    alone = {column for name in changed if len(read[name]) == 1 for column in read[name]}
    assert mixed - alone <= UNUSED | UNSEEN


def test_what_is_declared_exists_and_is_all_that_sources_name() -> None:
    known = {f"{t.name}.{column.name}" for t in SOURCES for column in t.columns}
    known |= {f"transactions.{column.name}" for column in OWNER}
    for feature in FEATURES:
        assert set(feature.columns) <= known
        for measure in feature.value.measures:
            lineage = LINEAGE[measure.source.name]
            named = {*lineage.rows, *(c for each in lineage.columns.values() for c in each)}
            assert {column.split(".")[0] for column in named} == set(measure.source.tables)


def test_no_column_of_a_source_is_declared_in_vain() -> None:
    used = {
        (measure.source.name, name)
        for feature in FEATURES
        for measure in feature.value.measures
        for name in {measure.of, *(column for column, _ in measure.rows.allowed)}
    }
    declared = {(name, column) for name, each in LINEAGE.items() for column in each.columns}
    clocks = {(name, "months_ago") for name in LINEAGE} | {("holdings", "closed_months_ago")}
    assert declared - used - clocks == {("counterparties", "precedence")}


def test_dates_of_birth_reach_no_model_and_no_sentence() -> None:
    protected = {"customers.birth_date", "customers.gender", "customers.language"}
    for feature in FEATURES:
        if protected & set(feature.columns):
            assert not feature.in_model
            assert not feature.in_reason


def mix(bank: Bank, columns: set[str]) -> Bank:
    """The same rows with the values of some columns dealt out anew."""
    mixed = deepcopy(bank)
    for name in sorted(columns):
        table, column = name.split(".")
        values = [row[column] for row in mixed[table]]
        Random(1).shuffle(values)
        for row, value in zip(mixed[table], values, strict=True):
            row[column] = value
    return mixed


def changed_features(one: Found, other: Found) -> list[str]:
    both = set(one) & set(other)
    return [f.name for f in FEATURES if any(one[c][f.name] != other[c][f.name] for c in both)]
