"""`xsell fairness` on a month that was really run: its figures are those of the decisions."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.compute as pc
import pytest
from pyspark.sql import functions as F

from features.catalogue import model_feature_names
from jobs.cli import main
from tables.derived import DECISIONS
from tables.files import sha256_of
from tables.runs import Runs
from tables.sources import CUSTOMERS
from tables.store import Store
from tests.month import AS_OF, SMALL, Bank

SETTINGS = (*SMALL, "fairness.proxies.max_customers=300")


def test_a_real_month_is_measured_and_nothing_is_published(
    bank: Bank, spark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: sha256_of(path) for path in bank.home.path.rglob("*") if path.is_file()}
    words = ["fairness", "--as-of", AS_OF, "--home", bank.home.path, "--out", tmp_path]
    settings = [text for one in SETTINGS for text in ("--set", one)]
    assert main([*map(str, words), *settings]) == 0
    # MLflow opens its store to be read; nothing else may differ
    after = {path: sha256_of(path) for path in bank.home.path.rglob("*") if path.is_file()}
    assert {p.name for p in before if before[p] != after.get(p)} <= {"mlflow.db"}

    told = capsys.readouterr().out
    models = len(bank.config.products)
    features = len(model_feature_names(tuple(bank.config.products)))
    assert f"Models: {models} read {features} features, none of them made of gender" in told

    with (tmp_path / "fairness.csv").open(encoding="utf-8", newline="") as file:
        rows = {
            (row["attribute"], row["group"], row["of"], row["figure"]): row
            for row in csv.DictReader(file)
        }
    record = Runs(bank.home.tables).current("campaign", AS_OF)
    store = Store(bank.home.tables, spark, record.pins)
    decided = store.snapshot(DECISIONS, AS_OF).where(
        ~F.array_contains("failed_gates", "eligibility.not_active")
    )
    # The engine's way to know a customer, beside ours without it.
    people = store.known_before(CUSTOMERS, AS_OF).select("customer_id", "gender")
    joined = decided.join(people, on="customer_id", how="left").toArrow()
    # Few are unknown, so that one of the two is not told.
    [gender] = [one for one in "fm" if rows["gender", one, "all", "selection"]["count"]]
    ours = rows["gender", gender, "all", "selection"]
    group = joined.filter(pc.equal(joined["gender"], gender))
    offered = group.filter(pc.equal(group["outcome"], "offered"))
    assert int(ours["among"]) == pc.count_distinct(group["customer_id"]).as_py()
    assert int(ours["count"]) == pc.count_distinct(offered["customer_id"]).as_py()
    everybody = rows["gender", "everybody", "all", "selection"]
    assert int(everybody["among"]) == pc.count_distinct(joined["customer_id"]).as_py()
    passing = joined.filter(pc.equal(pc.list_value_length(joined["failed_gates"]), 0))
    past = rows["language", "everybody", "all", "past_gates"]
    assert int(past["count"]) == pc.count_distinct(passing["customer_id"]).as_py()
