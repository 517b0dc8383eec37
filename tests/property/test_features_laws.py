"""Laws that hold for every bank: windows nest, shares are shares, the order of rows is nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from tests.bank import PRODUCTS, Bank, snapshot
from tests.drawn_bank import drawn

FEATURES = feature_catalogue(PRODUCTS)
NOT_PARTS = re.compile(r"savings_rate_\d+m|income_variation_12m")
FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(min_value=0, max_value=2**32)


def nested_windows() -> dict[str, list[str]]:
    """Counts and sums of the same thing, from the shortest window to the longest."""
    families: dict[str, list[tuple[int, str]]] = {}
    for feature in FEATURES:
        found = re.fullmatch(r"(.*(?:count|amount|months))_(\d+)([md])", feature.name)
        if found and not re.search("net_flow|change|balance", feature.name):
            days = int(found[2]) * (30 if found[3] == "m" else 1)
            families.setdefault(found[1], []).append((days, feature.name))
    return {
        family: [name for _, name in sorted(members)]
        for family, members in families.items()
        if len(members) > 1
    }


def test_the_catalogue_has_nested_windows() -> None:
    assert len(nested_windows()) > 10
    assert nested_windows()["inflow_amount"] == [f"inflow_amount_{n}m" for n in (1, 3, 6, 12)]


@FEW
@given(seed=seeds)
def test_windows_nest_and_shares_are_shares(spark: SparkSession, seed: int) -> None:
    for row in snapshot(spark, drawn(seed, customers=20), FEATURES).values():
        for members in nested_windows().values():
            # A largest value is unknown where nothing happened; more time may only bring one.
            values = [(row[name] is not None, row[name]) for name in members]
            assert values == sorted(values), members
        for feature in FEATURES:
            value = row[feature.name]
            if feature.unit == "share" and not NOT_PARTS.fullmatch(feature.name):
                assert value is None or 0 <= value <= 1, feature.name
            if not feature.is_nullable:
                assert value is not None, feature.name


@FEW
@given(seed=seeds)
def test_order_and_partitions_of_rows_change_nothing(spark: SparkSession, seed: int) -> None:
    bank = drawn(seed, customers=20)
    assert snapshot(spark, shuffled(bank, seed), FEATURES, partitions=3) == snapshot(
        spark, bank, FEATURES
    )


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
