"""Lists beside simple ways to fill them, by what models expect and by what was planted."""

from __future__ import annotations

import importlib
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
from pyspark.sql import SparkSession

from conf.load import load_config
from tests.month import AS_OF, SMALL, Bank, run_month, small_bank

CUSTOMERS = 3_000  # of fewer, chance decides which way comes to more
SIMPLE = ("score first", "customer order", "product by value")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> ModuleType:
    """The benchmark, on the session that is there already."""
    scripts = str(Path(__file__).parents[2] / "bench")
    monkeypatch.setattr(sys, "path", [*sys.path, scripts])  # last: bench/demo.py is not `demo`
    module = importlib.import_module("campaign_peers")
    monkeypatch.setattr(module, "open_engine", lambda _: nullcontext(spark))
    return module


@pytest.fixture
def large_bank(tmp_path: Path, spark: SparkSession) -> Bank:
    """A bank whose month has been run, large enough for its truth to show."""
    made = small_bank(tmp_path, CUSTOMERS)
    run_month(made, spark)
    return made


@pytest.mark.slow
def test_lists_are_worth_more_than_any_simple_way_in_expectation_and_in_truth(
    large_bank: Bank, peers: ModuleType
) -> None:
    rows = peers.passing(large_bank.home, large_bank.config, AS_OF)
    for limits in ((), peers._tight(rows)):
        config = load_config("local", (*SMALL, *limits))
        found = peers.compared(large_bank.home, rows, config, AS_OF)
        for name in SIMPLE:
            assert found["ours"].expected > found[name].expected
            assert found["ours"].true > found[name].true
        assert found["ours"].expected >= found["value first"].expected
