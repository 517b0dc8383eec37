"""Exact counting of sets finds what Spark's FPGrowth finds, which the embedded engine lacks."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from measurement.combinations import HeldSets, frequent_sets
from tests.classic_spark import environment, skip_without_java
from tests.property.spark_growth import LEAST, PRODUCTS, drawn

pytestmark = pytest.mark.slow
SEEDS = (1, 2, 3)


def test_fpgrowth_finds_the_same_sets_with_the_same_counts(tmp_path: Path) -> None:
    skip_without_java()
    command = [sys.executable, "-m", "tests.property.spark_growth", str(tmp_path / "found")]
    ended = subprocess.run(
        [*command, *map(str, SEEDS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=environment(tmp_path),
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    growth = pickle.loads((tmp_path / "found").read_bytes())
    for seed in SEEDS:
        rows, clients = np.unique(drawn(seed), axis=0, return_counts=True)
        names = tuple(map(str, range(PRODUCTS)))
        bank = HeldSets(names, rows, clients, np.zeros_like(clients))
        assert frequent_sets(bank, LEAST, PRODUCTS) == growth[seed]
        assert max(map(len, growth[seed])) > 3
