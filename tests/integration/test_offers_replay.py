"""A past campaign made again: the same bytes, in other parts, on another engine, months later."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.audit.client_facts import Campaign
from jobs.audit.replay import Replay
from jobs.home import Home
from tables.runs import Runs
from tables.sources import CONSENTS
from tests.classic_spark import environment, skip_without_java
from tests.later_ingest import learn
from tests.month import AS_OF


@pytest.fixture
def home(bank, tmp_path) -> Home:
    target = tmp_path / "home"
    for name in ("tables", "log", "mlruns"):
        shutil.copytree(bank.home.path / name, target / name)
    return Home(target)


def replayed(home: Home, spark, *, partitions: int = 3, only_campaign: bool = True):
    record = Runs(home.tables).current("campaign", AS_OF)
    config = Campaign.of(home, record).config
    engine = config.engine.model_copy(update={"shuffle_partitions": partitions})
    altered = config.model_copy(update={"engine": engine})
    return Replay(home, spark, record, altered).all_steps(only_campaign=only_campaign)


def files(home: Home) -> set[str]:
    return {path.relative_to(home.path).as_posix() for path in home.tables.rglob("*")}


def offered(home: Home) -> dict:
    record = Runs(home.tables).current("campaign", AS_OF)
    paths = sorted((home.tables / "decisions" / "data").rglob("*.parquet"))
    rows = pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths]).to_pylist()
    return next(
        row for row in rows if row["outcome"] == "offered" and row["run_id"] == record.run_id
    )


def refusal(client: str) -> dict:
    return {
        "customer_id": client,
        "purpose": "marketing_internal",
        "channel": "branch",
        "is_granted": False,
    }


def test_it_comes_out_as_it_did_and_leaves_nothing_behind(home, spark):
    before = files(home)
    found = replayed(home, spark)
    assert (found.findings, found.erased) == ([], 0)
    assert [line.split()[0] for line in found.lines] == ["decisions", "lists", "checkpoint"]
    assert files(home) == before


def test_what_was_delivered_later_changes_nothing(home, spark):
    client = offered(home)["customer_id"]
    said = {"changed_at": datetime(2026, 11, 20, tzinfo=UTC)}
    learn(home, date(2026, 12, 2), {CONSENTS: [refusal(client) | said]})
    assert replayed(home, spark, partitions=1).findings == []


def test_what_was_changed_of_that_time_shows(home, spark):
    """Whoever takes a consent out of the past does not get the same campaign from it."""
    client, changed = offered(home)["customer_id"], 0
    for path in (home.tables / "consents" / "data").rglob("*.parquet"):
        rows = pq.read_table(path, partitioning=None)
        granted = [
            given and name != client
            for given, name in zip(
                rows["is_granted"].to_pylist(), rows["customer_id"].to_pylist(), strict=True
            )
        ]
        changed += client in rows["customer_id"].to_pylist()
        at = rows.schema.get_field_index("is_granted")
        pq.write_table(rows.set_column(at, rows.schema.field(at), pa.array(granted)), path)
    assert changed
    found = replayed(home, spark)
    told = " ".join(found.findings)
    assert "decisions" in told
    assert "differ, e.g. leaf" in told
    assert "lists" in told


@pytest.mark.slow
def test_it_comes_out_as_it_did_from_what_was_delivered(home, spark):
    found = replayed(home, spark, only_campaign=False)
    assert found.findings == []
    assert len(found.lines) == 5


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_classic_spark_makes_the_same(home, tmp_path):
    skip_without_java()
    command = ["offers", "replay", "--home", str(home.path), "--as-of", str(AS_OF)]
    ended = subprocess.run(
        [sys.executable, "-m", "jobs.cli", *command, "--engine", "spark", "--partitions", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
        env=environment(tmp_path),
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-2000:]
    assert ended.stdout.endswith("it comes out as it did, byte for byte\n")
