"""Features, models, scores through `spark-submit`: executors have nothing but the wheel."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest

from conf.load import load_config
from jobs.home import Home
from jobs.run_month import run_steps
from jobs.steps import FEATURES, INGEST, SCORE, TRAIN
from models.registry import Registry
from tables.derived import PROPENSITY_SCORES
from tests.classic_spark import skip_without_java
from tests.month import SMALL, Bank
from tests.published import records, rows
from tests.spark_cluster import DRIVER_MEMORY, MASTER, make_cluster

STEPS = (FEATURES, SCORE)
OWN_BOOSTERS = ("models.min_positives=4",)  # for most products of the small bank
# Two steps of hundreds of short queries, each after the start of three JVMs.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def cluster(bank, spark, tmp_path_factory):
    """What the bank has ingested, and its models, in a home that only the cluster goes on with."""
    skip_without_java()
    made = make_cluster(tmp_path_factory.mktemp("cluster"))
    for name in ("landing", "mlruns"):
        shutil.copytree(bank.home.path / name, made.home.path / name, dirs_exist_ok=True)
    run_steps(Bank(made.home, bank.config).context(spark), (INGEST,))
    return made


@pytest.fixture(scope="module")
def finished(cluster):
    """The cluster after both steps."""
    for step in STEPS:
        ended = cluster.submit(step.name, "--py-files", str(cluster.wheel))
        assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return cluster


def test_without_the_wheel_nothing_starts(cluster):
    ended = cluster.submit("doctor")
    assert ended.returncode == 2
    # spark-submit sends all that its Python says to one stream
    assert "add --py-files" in ended.stdout


def test_python_on_the_cluster_does_not_find_the_project_by_itself(cluster):
    asked = subprocess.run(
        [cluster.python, "-c", "import pyspark, models"],
        capture_output=True,
        text=True,
        check=False,
        cwd=cluster.folder,
        env={},
    )
    assert "No module named 'models'" in asked.stderr


def test_the_cluster_makes_the_runs_of_the_embedded_engine(bank, finished):
    ours, theirs = records(bank.home, STEPS), records(finished.home, STEPS)
    assert {r.engine for r in theirs.values()} == {"spark"}
    assert {name: (r.run_id, r.code_version) for name, r in ours.items()} == {
        name: (r.run_id, r.code_version) for name, r in theirs.items()
    }


@pytest.mark.parametrize(
    ("step", "name"), [("features", "customer_features"), ("score", PROPENSITY_SCORES.name)]
)
def test_the_cluster_publishes_the_rows_of_the_embedded_engine(bank, finished, step, name):
    ours, theirs = (
        rows(home, name, records(home)[step].pins[name]) for home in (bank.home, finished.home)
    )
    assert ours.num_rows > 0
    assert theirs == ours


@pytest.mark.parametrize("step", ["features", "score"])
def test_the_work_is_done_by_two_executors_and_not_by_the_driver(finished, step):
    added = {event["Executor ID"] for event in finished.events(step, "ExecutorAdded")}
    worked = {event["Task Info"]["Executor ID"] for event in finished.events(step, "TaskEnd")}
    assert added == worked == {"0", "1"}


def test_executors_are_processes_of_their_own(finished):
    drivers = {caller for caller, _ in finished.python_calls("submit.py")}
    executors = {caller for caller, _ in finished.python_calls("pyspark.daemon")}
    assert len(executors) == 2
    assert not executors & drivers


@pytest.mark.parametrize("step", ["features", "score"])
def test_what_spark_submit_was_told_is_not_overridden(finished, step):
    told = finished.events(step, "EnvironmentUpdate")[0]["Spark Properties"]
    assert told["spark.master"] == MASTER
    assert told["spark.driver.memory"] == DRIVER_MEMORY


@pytest.fixture(scope="module")
def trained(cluster, bank, spark):
    """A home with the models of the embedded engine, and a cluster with its own."""
    here, there = (Home(cluster.folder / name) for name in ("here", "there"))
    for home in (here, there):
        shutil.copytree(cluster.home.path, home.path, ignore=shutil.ignore_patterns("mlruns"))
        home.create()
    config = load_config("local", (*SMALL, *OWN_BOOSTERS))
    run_steps(Bank(here, config).context(spark), (TRAIN,))
    trains = replace(cluster, home=there)
    ended = trains.submit("train", "--py-files", str(cluster.wheel), more=OWN_BOOSTERS)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return here, trains


def versions(home, products):
    """Kind and digest of every version, by product."""
    registry = Registry(home.path)
    return {
        product_id: [(v.tags["kind"], v.tags["sha256"]) for v in registry.versions(product_id)]
        for product_id in products
    }


def test_the_cluster_trains_the_models_of_the_embedded_engine_byte_by_byte(bank, trained):
    here, there = trained
    ours = versions(here, bank.config.products)
    assert sum(kind == "booster" for models in ours.values() for kind, _ in models) > 4
    assert versions(there.home, bank.config.products) == ours


def test_each_product_is_a_task_and_both_executors_train(bank, trained):
    here, there = trained
    kinds = [kind for models in versions(here, bank.config.products).values() for kind, _ in models]
    [stage] = [
        event["Stage Info"]["Stage ID"]
        for event in there.events("train", "StageCompleted")
        if any("MapInArrow" in rdd.get("Scope", "") for rdd in event["Stage Info"]["RDD Info"])
    ]
    tasks = [
        event["Task Info"]["Executor ID"]
        for event in there.events("train", "TaskEnd")
        if event["Stage ID"] == stage
    ]
    assert len(tasks) == kinds.count("booster") + 1  # and the pooled model
    assert set(tasks) == {"0", "1"}
