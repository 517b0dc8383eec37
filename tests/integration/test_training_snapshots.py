"""Features of sampled customers are those of a full snapshot, value by value."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import pytest

from conf.load import load_config
from jobs.build_features import build_snapshot
from jobs.training_snapshots import pair_features
from tests.versions_bank import stored_bank

COHORTS = (date(2023, 12, 1), date(2024, 4, 1))
CONFIG = load_config("local")


@contextmanager
def silent(_total, _label):
    yield lambda done: None


@pytest.fixture(scope="module")
def run(spark, tmp_path_factory):
    """All that snapshots take from a run, over a bank in which everything changes."""
    store = stored_bank(spark, tmp_path_factory.mktemp("tables"), seed=5)
    return SimpleNamespace(store=store, config=CONFIG, progress=silent)


@pytest.fixture(scope="module")
def full(run):
    """The full snapshot of each cohort, by customer."""
    return {
        cohort: {row["customer_id"]: row.asDict() for row in build_snapshot(run, cohort).collect()}
        for cohort in COHORTS
    }


def test_features_of_pairs_are_those_of_full_snapshots(run, full, spark, tmp_path):
    pairs = {cohort: sorted(rows)[place::2] for place, (cohort, rows) in enumerate(full.items())}
    frames = {
        cohort: spark.createDataFrame([(name,) for name in names], "customer_id string")
        for cohort, names in pairs.items()
    }
    found = dict(pair_features(run, frames, tmp_path))
    assert list(found) == list(COHORTS)
    for cohort, frame in found.items():
        rows = {row["customer_id"]: row.asDict() for row in frame.collect()}
        assert sorted(rows) == pairs[cohort]
        assert rows == {name: full[cohort][name] for name in pairs[cohort]}
