"""Laws that hold for every bank: windows nest, shares are shares, the order of rows is nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from features.feature import Feature
from tests.bank import PRODUCTS, Bank, snapshot
from tests.drawn_bank import drawn

FEATURES = feature_catalogue(PRODUCTS)
PARTITIONS = (1, 2, 7)
FEW = settings(
    max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(min_value=0, max_value=2**32)


def families() -> dict[str, list[Feature]]:
    """The same thing over several windows, from the shortest to the longest."""
    found: dict[str, list[tuple[int, Feature]]] = {}
    for feature in FEATURES:
        if named := re.fullmatch(r"(.+)_(\d+)([md])", feature.name):
            found.setdefault(f"{named[1]} {named[3]}", []).append((int(named[2]), feature))
    return {
        name: [feature for _, feature in sorted(members, key=lambda member: member[0])]
        for name, members in found.items()
        if len(members) > 1
    }


def aggregate(family: Sequence[Feature]) -> str | None:
    """What its values are: count, sum, …; None if each is put together of several."""
    kinds = {tuple(measure.how for measure in feature.value.measures) for feature in family}
    [kind] = kinds
    return kind[0] if len(kind) == 1 else None


def test_the_catalogue_has_nested_windows() -> None:
    kinds = {name: aggregate(family) for name, family in families().items()}
    assert set(kinds.values()) == {"count", "sum", "months", "max", "min", None}
    assert sum(kind is not None for kind in kinds.values()) > 25
    inflow = [feature.name for feature in families()["inflow_amount m"]]
    assert inflow == [f"inflow_amount_{months}m" for months in (1, 3, 6, 12)]


@FEW
@given(seed=seeds)
def test_windows_nest_and_shares_are_shares(spark: SparkSession, seed: int) -> None:
    for row in snapshot(spark, drawn(seed, customers=20), FEATURES).values():
        for family in families().values():
            if kind := aggregate(family):
                # Unknown where nothing happened; more time may only bring a value, and more of it.
                sign = -1 if kind == "min" else 1
                values = [row[feature.name] for feature in family]
                extents = [(v is not None, v if v is None else sign * v) for v in values]
                assert extents == sorted(extents), family[0].name
        for feature in FEATURES:
            value = row[feature.name]
            if feature.unit == "share":
                assert value is None or 0 <= value <= 1, feature.name
            if not feature.is_nullable:
                assert value is not None, feature.name


@FEW
@given(seed=seeds)
def test_order_and_partitions_of_rows_change_nothing(spark: SparkSession, seed: int) -> None:
    bank = drawn(seed, customers=20)
    expected = snapshot(spark, bank, FEATURES)
    for partitions in PARTITIONS:
        mixed = shuffled(bank, seed + partitions)
        assert snapshot(spark, mixed, FEATURES, partitions=partitions) == expected, partitions


@pytest.mark.parametrize("copies", [1, 7])
def test_sums_of_cents_are_exact_however_many(spark: SparkSession, copies: int) -> None:
    """Ten-cent pieces, of which floats would not make a whole."""
    bank = drawn(3, customers=5)
    booking = bank["transactions"][0] | {
        "customer_id": "C0",
        "amount": Decimal("0.10"),
        "currency": "EUR",
        "category": "salary",
    }
    days = [row["booked_on"] for row in bank["transactions"]]
    bank["transactions"] = [
        booking | {"transaction_id": f"{copy}-{place}", "booked_on": day}
        for copy in range(copies)
        for place, day in enumerate(days)
    ]
    bank["customers"] = [bank["customers"][0] | {"left_on": None, "deceased_on": None}]
    row = snapshot(spark, bank, FEATURES, partitions=4)["C0"]
    year = sum(day.isoformat() >= "2023-04-01" for day in days)
    assert row["inflow_amount_12m"] == Decimal(copies * year).scaleb(-1)
    assert row["income_variation_12m"] == 0.0


def shuffled(bank: Bank, seed: int) -> Bank:
    return {name: Random(seed).sample(rows, len(rows)) for name, rows in bank.items()}
