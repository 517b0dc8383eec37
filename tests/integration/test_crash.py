"""kill -9 at the points that matter: readers see the old run or the new one, never a mixture."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from conf.load import load_config
from jobs.checkpoint_files import committed_checkpoints
from jobs.cli import main
from jobs.exports import lists_folder
from jobs.publishing import execute
from jobs.steps import CAMPAIGN
from tables.derived import CAMPAIGN_LISTS, DECISIONS, OFFER_LOG
from tables.files import sha256_of
from tables.runs import Runs
from tables.store import Store
from tests.month import AS_OF, SMALL, Bank

NEW = (*SMALL, "campaign.branch_capacity=5")
BEFORE_THE_COMMIT = [
    ("jobs.staging:Staging.stage", 2, "after"),
    ("jobs.publishing:commit_files", 1, "before"),
    ("jobs.publishing:commit_files", 2, "after"),
    ("jobs.publishing:sync_version", 4, "after"),
    ("tables.runs:Runs._write", 1, "after"),
]
AFTER_THE_COMMIT = [
    ("tables.runs:commit_files", 1, "after"),
    ("jobs.exports:write_tree", 1, "before"),
    ("tables.files:sync_tree", 1, "after"),
]


@pytest.fixture(scope="module")
def copied(bank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crash") / "home"
    shutil.copytree(bank.home.path, folder)
    return Bank(type(bank.home)(folder), bank.config)


def killed(bank, point, number, when):
    settings = [word for override in NEW for word in ("--set", override)]
    command = ["campaign", "--as-of", str(AS_OF), "--home", str(bank.home.path), "--supersede"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.crash", point, str(number), when, *command, *settings],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == -signal.SIGKILL, f"{point} was not reached: {ended.stderr[-800:]}"


def seen(bank, spark):
    """What a reader sees: the run that stands, its tables, its list files."""
    record = Runs(bank.home.tables).current("campaign", AS_OF)
    store = Store(bank.home.tables, spark, record.pins)
    folder = lists_folder(bank.home, record)
    files = {
        p.relative_to(folder).as_posix(): sha256_of(p) for p in folder.rglob("*") if p.is_file()
    }
    lists = store.arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()
    decisions = store.arrow(DECISIONS, AS_OF)
    assert {row["run_id"] for row in lists} <= {record.run_id}
    assert set(decisions["run_id"].to_pylist()) == {record.run_id}
    log = Counter(store.arrow(OFFER_LOG, AS_OF)["run_id"].to_pylist())
    assert log[record.run_id] == decisions.num_rows, "a run's log is whole, and logged once"
    newest = committed_checkpoints(bank.home)[-1]
    assert (newest["run_id"], newest["size"]) == (record.run_id, sum(log.values()) + len(log)), (
        "and sealed"
    )
    return record.run_id, lists, files


def test_a_killed_run_shows_the_old_state_or_the_new_one_and_its_repetition_ends_with_the_new(
    copied, spark
):
    old = seen(copied, spark)
    for point in BEFORE_THE_COMMIT:
        killed(copied, *point)
        assert seen(copied, spark) == old, point

    killed(copied, *AFTER_THE_COMMIT[0])
    new_id, new_lists, files = seen(copied, spark)
    assert new_id != old[0]
    assert new_lists != old[1]
    assert files == {}, "the files are copies made from the commit; they come with the repetition"
    for point in AFTER_THE_COMMIT[1:]:
        killed(copied, *point)
        assert seen(copied, spark) == (new_id, new_lists, {}), point

    config = load_config("local", NEW)
    result = execute(copied.context(spark, config=config), CAMPAIGN)
    assert result.was_there_already
    run_id, lists, files = seen(copied, spark)
    assert (run_id, lists) == (new_id, new_lists)
    assert files == result.record.outputs["lists"]
    assert main(["offers", "verify", "--home", str(copied.home.path)]) == 0
    hidden = [path.name for path in copied.home.lists.rglob(".*")]
    assert hidden == [], "a repetition leaves no debris of killed attempts"
