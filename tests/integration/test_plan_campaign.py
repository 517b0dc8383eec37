"""The job: from known tables to four staged ones that agree with each other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from conf.load import load_config
from jobs import plan_campaign as job
from jobs.run import Run
from jobs.runs.staging import Staging
from models.scorer import Champion, Scorer
from tables.base import Table
from tables.delta import DataFile
from tables.derived import (
    CAMPAIGN_LISTS,
    CARE_LISTS,
    CHECKPOINTS,
    DECISIONS,
    OFFER_LOG,
    VAULT,
)
from tables.sources import BRANCHES, CUSTOMERS
from tables.store import Store
from tests.campaign_bank import AS_OF, frame, make_bank
from tests.log_keys import place_keys

RUN_ID = "c" * 64
CLIENTS = 150
# One of each kind: a plan of these is made in half the time of one of all.
OFFERS = (
    "car_leasing_2026", "credit_card_2026", "gold_card_upgrade_2026", "investment_fund_inflow_2026",
    "mortgage_2026", "travel_insurance_2026", "travel_insurance_renewal_2026",
    "travel_package_2026",
)  # fmt: skip


class BankStore(Store):
    """A store that knows the tables of a test bank."""

    def __init__(self, folder: Path, spark: SparkSession, frames: Mapping[str, DataFrame]) -> None:
        super().__init__(folder, spark, pins={})
        self._session = spark
        self._frames = frames

    def known_before(self, table: Table, as_of: date) -> DataFrame:
        if table == BRANCHES:
            return frame(self._session, BRANCHES, [])
        return self._frames[table.name]

    def snapshot(self, table: Table, as_of: date) -> DataFrame:
        return self._frames[table.name]

    def files(self, table: Table) -> list[DataFile]:
        # A bank that is no files: only how many clients it has is asked for.
        return [DataFile("", CLIENTS, 0)] if table == CUSTOMERS else super().files(table)


Staged = tuple[Run, dict[str, list[dict[str, object]]]]


@pytest.fixture(scope="module")
def plain(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """A campaign with its options and its log in one part."""
    with pytest.MonkeyPatch.context() as patch:
        return planned(spark, tmp_path_factory.mktemp("plain"), patch, capacity=3)


def planned(
    spark: SparkSession, home: Path, monkeypatch: pytest.MonkeyPatch, capacity: int
) -> Staged:
    """The run after the job, and the rows it staged."""
    # Of three contacts of a branch one is left to chance.
    settings = (
        f"branch_capacity={capacity}", "min_expected_profit=-2.00", "exploration_share=0.34"
    )  # fmt: skip
    every = load_config("local", [f"campaign.{one}" for one in settings])
    config = every.model_copy(update={"offers": {name: every.offers[name] for name in OFFERS}})
    champions = {
        product: Champion(product, 1, "0" * 64, Scorer(product, "segment_rate"))
        for product in config.products
    }
    monkeypatch.setattr(job, "champions", lambda _config, _home, _digests: champions)
    place_keys(home)
    frames = make_bank(11, CLIENTS, config).sources(spark).__dict__
    staging = Staging(home / "tables", RUN_ID, AS_OF, partitions=2)
    store = BankStore(home / "tables", spark, frames)
    run = Run("campaign", AS_OF, RUN_ID, config, home, spark, store, staging)
    job.plan_campaign(run)
    tables = (DECISIONS, OFFER_LOG, VAULT, CHECKPOINTS, CAMPAIGN_LISTS, CARE_LISTS)
    staged = store.with_staged(staging.files)
    return run, {table.name: rows_of(staged.staged(table)) for table in tables}


def rows_of(rows: DataFrame) -> list[dict[str, object]]:
    table: pa.Table = rows.toArrow()
    found: list[dict[str, object]] = table.to_pylist()
    return found


def test_decisions_log_and_lists_tell_the_same_story(plain: Staged) -> None:
    run, staged = plain
    decided, lists = staged["decisions"], staged["campaign_lists"]

    outcomes = [row["outcome"] for row in decided]
    assert len(decided) == CLIENTS * len(run.config.offers)
    assert sum(run.counts[name] for name in set(outcomes)) == len(decided)  # type: ignore[misc]
    assert outcomes.count("offered") == len(lists) == run.counts["offered"] > 0
    log = {row["leaf"]: json.loads(str(row["line"])) for row in staged["offer_log"]}
    assert len(log) == len(decided)
    clients = {row["customer_id"]: row["client"] for row in staged["vault"]}
    assert {*clients} == {row["customer_id"] for row in decided}
    tried = [row for row in decided if row["is_exploration"]]
    assert Counter(row["branch_id"] for row in lists if row["is_exploration"]) == dict.fromkeys(
        ("B0", "B1", "B2"), 1
    )
    assert {row["outcome"] for row in tried} <= {"offered", "control"}
    assert all(0 < float(str(row["choice_probability"])) <= 1 for row in tried)
    assert {bool(row["failed_gates"]) for row in tried} == {False}
    for row in lists:
        line = log[row["log_leaf"]]
        assert (line["outcome"], line["client"], line["offer_id"]) == (
            "offered",
            clients[row["customer_id"]],
            row["offer_id"],
        )
        assert row["reason_1"]
    offered = {row["customer_id"] for row in lists}
    helped = {row["customer_id"] for row in staged["care_lists"]}
    assert helped == {row["customer_id"] for row in decided if row["care_treatment"]}
    assert helped
    assert not helped & offered
    assert not list((run.home / "tables").glob(".candidates*")), "nothing is left behind"


def test_options_that_stay_where_the_engine_is_make_the_same_tables(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Staged
) -> None:
    here, staged_here = plain
    monkeypatch.setattr("jobs.campaigns.parts.OPTIONS_HERE", 0)
    monkeypatch.setattr("jobs.campaigns.parts.OPTIONS_PER_PART", 100)
    there, staged_there = planned(spark, tmp_path, monkeypatch, capacity=3)
    assert staged_there == staged_here
    assert there.figures == here.figures


def test_clients_who_are_decided_about_in_parts_get_the_same(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Staged
) -> None:
    monkeypatch.setattr("jobs.campaigns.client_parts.CANDIDATES_AT_ONCE", 500)
    in_parts, staged_in_parts = planned(spark, tmp_path, monkeypatch, capacity=3)
    run, staged = plain
    assert _by_key(staged_in_parts) == _by_key(staged)
    assert in_parts.figures == run.figures
    many, few = (len(one.staging.files["decisions"]) for one in (in_parts, run))
    assert many > few, "they were parts"


def _by_key(staged: dict[str, list[dict[str, object]]]) -> dict[str, list[str]]:
    """Rows in an order of their own: where they lie in files is no part of what is decided."""
    return {name: sorted(map(repr, rows)) for name, rows in staged.items()}


def test_a_log_that_is_staged_in_parts_is_the_same(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: Staged
) -> None:
    monkeypatch.setattr("jobs.audit.log_files.LINES_IN_PART", 400)
    in_parts = planned(spark, tmp_path, monkeypatch, capacity=3)
    assert log_of(in_parts) == log_of(plain)
    many, few = (len(run.staging.files["offer_log"]) for run, _ in (in_parts, plain))
    assert many > few, "they were parts"
    assert not list((tmp_path / "tables").glob(".log-*")), "nothing is left behind"


def log_of(planned_one: Staged) -> list[dict[str, object]]:
    """Lines in their order, then checkpoints."""
    _, staged = planned_one
    rows = sorted(staged["offer_log"], key=lambda row: int(str(row["position"])))
    return rows + staged["checkpoints"]


def test_a_campaign_without_capacity_offers_nothing_and_logs_everything(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, staged = planned(spark, tmp_path, monkeypatch, capacity=0)
    assert staged["campaign_lists"] == []
    assert run.counts["offered"] == 0
    assert run.counts["over_capacity"] != 0
    assert len(staged["offer_log"]) == CLIENTS * len(run.config.offers)
