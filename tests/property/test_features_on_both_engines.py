"""Every feature has the same value on the embedded engine and on classic Spark."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from features.catalogue import feature_catalogue
from tests.bank import PRODUCTS, snapshot
from tests.classic_spark import environment, skip_without_java
from tests.drawn_bank import drawn

pytestmark = [pytest.mark.slow, pytest.mark.engine]
SEEDS = (1, 2)
NAMES = [feature.name for feature in feature_catalogue(PRODUCTS)]
Snapshots = dict[int, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def embedded(spark: SparkSession) -> Snapshots:
    features = feature_catalogue(PRODUCTS)
    return {seed: snapshot(spark, drawn(seed), features) for seed in SEEDS}


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The same, made in a process of its own."""
    skip_without_java()
    folder = tmp_path_factory.mktemp("spark")
    command = [sys.executable, "-m", "tests.property.spark_snapshots", str(folder / "found")]
    ended = subprocess.run(
        [*command, *map(str, SEEDS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=environment(folder),
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: Snapshots = pickle.loads((folder / "found").read_bytes())
    return found


def test_both_engines_find_the_same_customers(embedded: Snapshots, classic: Snapshots) -> None:
    assert {seed: set(rows) for seed, rows in classic.items()} == {
        seed: set(rows) for seed, rows in embedded.items()
    }
    assert all(len(rows) > 20 for rows in embedded.values())


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_give_the_same_value(
    embedded: Snapshots, classic: Snapshots, name: str
) -> None:
    for seed in SEEDS:
        ours = {customer: row[name] for customer, row in embedded[seed].items()}
        assert {customer: row[name] for customer, row in classic[seed].items()} == ours
