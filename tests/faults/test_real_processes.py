"""Commands as they are typed, each a process of its own, with the shim in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from jobs.audit.checkpoint_files import committed_checkpoints
from jobs.home import Home
from jobs.runs.exports import lists_folder
from tables.derived import CAMPAIGN_LISTS, DECISIONS, OFFER_LOG
from tables.runs import Runs
from tables.store import Store
from tests.faults import tiny
from tests.faults.matrix import BROKEN, FULL, KILL, SAID, TAKES_SPACE, chosen
from tests.faults.order import calls
from tests.faults.seen import checked, debris, digests
from tests.month import AS_OF, SMALL


@pytest.fixture
def typed(shim, tmp_path):
    """Type a command, with a fault; how it ended, and what it did."""
    if shim is None:
        pytest.skip("needs a C compiler: a fault has to get into another process")

    def run(words, home, number=0, kind=0):
        trace = tmp_path / "trace"
        trace.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-m", "jobs.cli", *words, "--home", str(home)],
            env={
                **os.environ,
                "LD_PRELOAD": str(shim),
                "XSELL_SHIM": f"{number} {kind} {trace} {home}",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        done = calls(trace) if trace.exists() else []
        if kind == KILL:
            assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert any(call.has_failed for call in done) == (kind != 0), "the fault has to happen"
        return ended, done

    return run


def test_an_export_that_is_typed(typed, old, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(old, home)
    words = ["lists", "export", "--as-of", str(tiny.AS_OF), "--to", str(home / "out")]
    before = checked(home)
    ended, _ = typed(words, home, 60, FULL)
    assert ended.returncode == 1
    assert SAID[FULL] in ended.stderr and ended.stderr.count("\n") == 1
    ended, _ = typed(words, home, 100, KILL)
    assert (checked(home), list((home / "out").glob("[!.]*"))) == (before, [])
    ended, done = typed(words, home)
    assert ended.returncode == 0, ended.stderr
    assert [call for call in done if call.commits_a_run]
    assert (checked(home), debris(home)) == (before, [])
    [folder] = (home / "out").iterdir()
    assert folder.name in ended.stdout


NEW = (*SMALL, "campaign.branch_capacity=5")


def seen(home):
    """The run that stands, what it put on lists, and its files: all of one run, sealed as one."""
    record = Runs(home.tables).current("campaign", AS_OF)
    store = Store(home.tables, None, record.pins)
    lists, decisions = (store.arrow(one, AS_OF) for one in (CAMPAIGN_LISTS, DECISIONS))
    assert set(lists["run_id"].to_pylist()) <= {record.run_id}
    assert set(decisions["run_id"].to_pylist()) == {record.run_id}
    log = Counter(store.arrow(OFFER_LOG, AS_OF)["run_id"].to_pylist())
    assert log[record.run_id] == decisions.num_rows, "a run's log is whole, and logged once"
    newest = committed_checkpoints(home)[-1]
    assert (newest["run_id"], newest["size"]) == (record.run_id, sum(log.values()) + len(log)), (
        "and sealed"
    )
    folder = lists_folder(home, record)
    assert not folder.exists() or digests(folder) == record.outputs["lists"]
    return record.run_id


def of_both_kinds(done, home):
    """A dozen calls of a campaign, from its first to its last, each with a fault."""
    every = chosen(done, home)
    for turn, call in enumerate(every[:: len(every) // 12]):
        kind = (KILL, FULL if call.name in TAKES_SPACE else BROKEN)[turn % 2]
        yield call.number, KILL if call.name in ("unlink", "rmdir", "close") else kind


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_whole_campaign_that_is_typed(bank, typed, tmp_path):
    settings = [word for one in NEW for word in ("--set", one)]
    words = ["campaign", "--as-of", str(AS_OF), "--supersede", *settings]
    whole = replace(bank, home=Home(tmp_path / "whole"))
    shutil.copytree(bank.home.path, whole.home.path)
    before = seen(whole.home)
    ended, done = typed(words, whole.home.path)
    assert ended.returncode == 0, ended.stderr
    after = seen(whole.home)
    assert after != before
    for number, kind in of_both_kinds(done, whole.home.path):
        home = Home(tmp_path / "home")
        shutil.rmtree(home.path, ignore_errors=True)
        shutil.copytree(bank.home.path, home.path)
        ended, did = typed(words, home.path, number, kind)
        assert ended.returncode in (0, 1) or kind == KILL
        is_new = any(call.commits_a_run and not call.has_failed for call in did)
        assert seen(home) == (after if is_new else before), did[-1]
        ended, _ = typed(words, home.path)
        assert (ended.returncode, seen(home)) == (0, after), ended.stderr
        assert digests(home.lists) == digests(whole.home.lists)
        assert digests(home.log) == digests(whole.home.log)
        assert subprocess.run(
            [sys.executable, "-m", "jobs.cli", "offers", "verify", "--home", str(home.path)],
            capture_output=True,
            check=False,
        ).returncode == 0  # fmt: skip
