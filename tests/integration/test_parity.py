"""One month on the embedded engine and on classic Spark: equal tables, identical lists and log."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from jobs.home import Home
from jobs.runs.exports import lists_folder
from tables.derived import OFFER_LOG
from tables.files import sha256_of
from tests.classic_spark import environment, skip_without_java
from tests.log_keys import place_keys
from tests.month import AS_OF, SMALL
from tests.published import records, rows

# Classic Spark takes minutes for a month of hundreds of short queries, however few the rows.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def on_spark(bank, tmp_path_factory):
    """The same deliveries, run by classic Spark in a process of its own."""
    skip_without_java()
    home = Home(tmp_path_factory.mktemp("spark") / "home")
    shutil.copytree(bank.home.landing, home.landing)
    place_keys(home.path)
    engine = ("engine.kind=spark", "engine.shuffle_partitions=1")
    settings = [word for setting in (*SMALL, *engine) for word in ("--set", setting)]
    command = ["run", "--as-of", str(AS_OF), "--home", str(home.path), *settings]
    ended = subprocess.run(
        [sys.executable, "-m", "jobs.cli", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
        env=environment(home.path),
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return home


def test_both_engines_make_the_same_runs(bank, on_spark):
    ours, theirs = records(bank.home), records(on_spark)
    assert {name: r.run_id for name, r in ours.items()} == {
        name: r.run_id for name, r in theirs.items()
    }
    assert {r.engine for r in ours.values()} == {"embedded"}
    assert {r.engine for r in theirs.values()} == {"spark"}


def test_both_engines_publish_equal_tables(bank, on_spark):
    ours, theirs = records(bank.home)["campaign"], records(on_spark)["campaign"]
    pins = dict(records(bank.home)["train"].pins) | dict(ours.pins)
    other = dict(records(on_spark)["train"].pins) | dict(theirs.pins)
    assert set(pins) == set(other)
    differing = [
        name
        for name in sorted(pins)
        if rows(bank.home, name, pins[name]) != rows(on_spark, name, other[name])
    ]
    assert differing == []


def test_both_engines_make_identical_lists_and_log(bank, on_spark):
    ours, theirs = records(bank.home)["campaign"], records(on_spark)["campaign"]
    assert dict(ours.outputs["lists"]) == dict(theirs.outputs["lists"])
    folder = lists_folder(on_spark, theirs)
    assert {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in folder.rglob("*")
        if path.is_file()
    } == dict(ours.outputs["lists"])
    logs = [
        rows(home, OFFER_LOG.name, record.pins[OFFER_LOG.name])
        .sort_by("position")["line"]
        .to_pylist()
        for home, record in ((bank.home, ours), (on_spark, theirs))
    ]
    assert logs[0] == logs[1]
    notes = [(home.log / "checkpoint").read_bytes() for home in (bank.home, on_spark)]
    assert notes[0] == notes[1]
