"""`make bench-features` on a small bank: Polars, DuckDB and ours agree on every value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parents[2] / "bench" / "compare_features.py"
NOT_ON_CLASSIC_SPARK = 200_001  # so many customers take it hours


def test_peers_work_out_every_feature_of_the_catalogue(bank, tmp_path):
    said = [str(NOT_ON_CLASSIC_SPARK), "1", str(bank.home.path)]
    subprocess.run([sys.executable, str(PROGRAM), *said], cwd=tmp_path, check=True)
    figures = json.loads((tmp_path / "var/bench/features.json").read_text(encoding="utf-8"))
    assert figures["features"] > 200
    assert figures["cpu_ratio_polars"] > 0
