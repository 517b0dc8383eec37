"""A user's mistake: one clear line, the right exit code, nothing published, no stack trace."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import subprocess
import sys

import pytest

from tables.files import sha256_of
from tables.runs import Runs
from tests.month import SMALL
from tests.typed import Typed


@pytest.fixture(scope="module")
def xsell():
    typed = Typed()
    yield typed
    typed.close()


def in_its_own_process(*words):
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def assert_refused(ended, exit_code, *phrases):
    assert ended.returncode == exit_code, ended.stderr
    assert "Traceback" not in ended.stderr
    for phrase in phrases:
        assert phrase in ended.stderr
    assert ended.stdout == ""


@pytest.fixture
def landed(bank, tmp_path):
    """A home with the small bank's deliveries and nothing else."""
    shutil.copytree(bank.home.landing, tmp_path / "landing")
    return tmp_path


def test_no_delivery(tmp_path):
    ended = in_its_own_process("run", "--as-of", "2026-11-01", "--home", tmp_path)
    assert_refused(ended, 1, "no delivery under", "choose another --home")
    assert len(ended.stderr.splitlines()) == 1
    assert Runs(tmp_path / "tables").committed() == []


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    """`xsell runs | head -1`: the pipe is closed before anything is written to it."""
    command = [sys.executable, "-m", "jobs.cli", "runs", "--home", str(tmp_path)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    program.stdout.close()
    assert program.stderr.read() == ""
    assert program.wait(timeout=60) == 0


def test_a_month_before_the_first_delivery(xsell, landed):
    ended = xsell("ingest", "--as-of", "2020-01-01", "--home", landed)
    assert_refused(ended, 1, "dated on or before 2020-01-01")


def test_a_month_that_was_never_delivered(xsell, landed):
    ended = xsell("ingest", "--as-of", "2027-03-01", "--home", landed)
    assert_refused(ended, 3, "the last delivery is 2026-11-01")
    assert Runs(landed / "tables").committed() == []


def test_features_of_a_month_that_was_never_delivered(xsell, bank):
    """What was known a month before is there, and would give features that look right."""
    ended = xsell("features", "--as-of", "2026-12-01", "--home", bank.home.path)
    assert_refused(ended, 3, "nothing was delivered in the month before 2026-12-01")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("2026-11-02", "did you mean 2026-11-01?"),
        ("2026-13-01", "is not a date of the form YYYY-MM-DD"),
        ("yesterday", "is not a date of the form YYYY-MM-DD"),
    ],
)
def test_an_as_of_date_that_is_not_the_first_of_a_month(xsell, tmp_path, text, phrase):
    ended = xsell("run", "--as-of", text, "--home", tmp_path)
    assert_refused(ended, 2, phrase)
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["--set", "campaign.branch_capazity=9"], "did you mean branch_capacity?"),
        (["--set", "campaign.control_share=1.5"], "control_share"),
        (["--env", "prd"], "did you mean prod?"),
    ],
)
def test_a_wrong_configuration_is_found_before_anything_starts(xsell, tmp_path, words, phrase):
    ended = xsell("run", "--as-of", "2026-11-01", "--home", tmp_path, *words)
    assert_refused(ended, 2, phrase)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_what_its_manifest_says(xsell, landed):
    victim = landed / "landing" / "2026-11-01" / "holdings.parquet"
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    ended = xsell("ingest", "--as-of", "2026-11-01", "--home", landed)
    assert_refused(ended, 3, "2026-11-01/holdings.parquet", "SHA-256")
    assert Runs(landed / "tables").committed() == []


def test_a_file_that_cannot_be_read(xsell, landed):
    folder = landed / "landing" / "2026-11-01"
    victim = folder / "holdings.parquet"
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["holdings.parquet"]["sha256"] = sha256_of(victim)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    ended = xsell("ingest", "--as-of", "2026-11-01", "--home", landed)
    assert_refused(ended, 3, "2026-11-01/holdings.parquet")
    assert Runs(landed / "tables").committed() == []


def test_no_champion(xsell, bank, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(bank.home.path, home)
    shutil.rmtree(home / "mlruns")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    ended = xsell("score", "--as-of", "2026-11-01", "--home", home, *settings)
    assert_refused(ended, 1, "No champion for", "Run xsell train, then xsell models promote")


def test_a_step_whose_input_was_never_made(xsell, landed):
    ended = xsell("score", "--as-of", "2026-11-01", "--home", landed)
    assert_refused(ended, 1, "has not been run for 2026-11-01", "Run xsell ingest")


def test_a_home_that_cannot_be_written(xsell, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ended = xsell("run", "--as-of", "2026-11-01", "--home", tmp_path / "file" / "home")
    assert_refused(ended, 1, "cannot create", "--home")
    assert len(ended.stderr.splitlines()) == 1


def test_the_same_month_from_other_settings_is_refused_without_supersede(xsell, bank, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(bank.home.path, home)
    before = Runs(home / "tables").committed()
    settings = [word for setting in SMALL for word in ("--set", setting)]
    ended = xsell(
        "campaign", "--as-of", "2026-11-01", "--home", home, *settings,
        "--set", "campaign.branch_capacity=3",
    )  # fmt: skip
    assert_refused(ended, 1, "already published", "another configuration", "--supersede")
    assert Runs(home / "tables").committed() == before


def test_help_answers_at_once():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = in_its_own_process("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 0
    assert "campaign" in ended.stdout
    # of its own work, so that a busy machine changes nothing
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    assert seconds < 1, "measured at 0.11 s"


def test_no_spark_connect_server(landed):
    with socket.socket() as taken:  # bound but not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        url = f"sc://127.0.0.1:{taken.getsockname()[1]}"
        engine = ("--set", "engine.kind=connect", "--set", f"engine.url={url}")
        ended = in_its_own_process("run", "--as-of", "2026-11-01", "--home", landed, *engine)
    assert_refused(ended, 1, f"no Spark Connect server answers at {url}", "set engine.url")
    assert len(ended.stderr.splitlines()) == 1
