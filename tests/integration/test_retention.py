"""`xsell retention`: what is too old goes, and all that was proved of it stays proved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.arguments import parser
from jobs.cli import main
from jobs.home import Home
from jobs.privacy import retention
from jobs.privacy.retention_command import retention_command
from jobs.run_month import run_steps
from jobs.runs import rewriting
from jobs.runs.rewriting import is_pending
from jobs.steps import MONTH
from tests.month import AS_OF

DECEMBER = date(2026, 12, 1)
GONE = (
    *("propensity_scores", "customer_features", "labels", "training_set"),
    *("decisions", "campaign_lists", "care_lists"),
)
CLASSES = ("scores_and_features", "decisions", "quarantine", "lookups")


def words(home: Home, months: int, as_of: date = DECEMBER) -> list[str]:
    """The command with one bound for everything."""
    bounds = [f"jurisdiction.profiles.eu_strict.retention.{name}={months}" for name in CLASSES]
    forgets = "levers.market_evening.once_in_days=0"  # no lever cools off longer than a month
    sets = [word for said in (*bounds, forgets) for word in ("--set", said)]
    by = ["--by", "data protection officer"]
    return ["retention", "--home", str(home.path), "--as-of", str(as_of), *by, *sets]


def a_copy(bank, folder: Path) -> Home:
    home = Home(folder / "home")
    shutil.copytree(bank.home.path, home.path)
    lookup = {"by": "x", "client": "p", "command": "lists show", "found": True, "user": "x"}
    lines = [json.dumps({"at": f"{day}T10:00:00Z", **lookup}) for day in ("2026-11-30", DECEMBER)]
    (home.log / "lookups.jsonl").write_text("\n".join([*lines, "torn"]) + "\n")
    return home


def rows_of(home: Home, name: str) -> int:
    paths = (home.tables / name / "data").rglob("*.parquet")
    return sum(pq.read_metadata(path).num_rows for path in paths)


def files_of(home: Home) -> dict[str, bytes]:
    paths = [path for path in home.path.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(home.path).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def removed(bank, tmp_path_factory) -> Home:
    """The small bank's home after its only month was removed."""
    home = a_copy(bank, tmp_path_factory.mktemp("retention"))
    assert main(words(home, 0)) == 0
    return home


@pytest.mark.slow
def test_months_within_the_bound_stay(bank, tmp_path, capsys):
    home = a_copy(bank, tmp_path)
    before = files_of(home)
    assert main(words(home, 1)) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main([*words(home, 0), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert f"2026-11-01  {rows_of(home, 'decisions'):,}" in told
    assert "1 lines" in told
    assert {name: files_of(home).get(name) for name in before} == before


def test_a_mistyped_month_removes_nothing(bank, tmp_path, capsys):
    home = a_copy(bank, tmp_path)
    assert main(words(home, 0, date(2062, 12, 1))) == 1
    assert "is it misspelt?" in capsys.readouterr().err
    assert rows_of(home, "decisions")


def test_rows_lists_and_lookups_go_and_delta_says_so(removed, bank):
    assert {name: rows_of(removed, name) for name in GONE} == dict.fromkeys(GONE, 0)
    assert not (removed.lists / str(AS_OF)).exists()
    kept = (removed.log / "lookups.jsonl").read_text().splitlines()
    assert [line[:18] for line in kept] == ['{"at": "2026-12-01', "torn"]
    for name in (*GONE, "offer_log"):
        for action in pa.table(DeltaTable(removed.tables / name).get_add_actions()).to_pylist():
            path = removed.tables / name / action["path"]
            assert action["size_bytes"] == path.stat().st_size
            assert action["num_records"] == pq.read_metadata(path).num_rows
    for name in ("transactions", "customers", "vault"):
        assert rows_of(removed, name) == rows_of(bank.home, name), "the bank's own history stays"


def test_the_log_keeps_its_leaves_and_verifies_twice(removed, capsys, tmp_path):
    decided = rows_of(removed, "offer_log")
    out = tmp_path / "examiner"
    assert main(["offers", "verify", "--home", str(removed.path), "--export", str(out)]) == 0
    assert f"of them erased: {decided:,}; " in capsys.readouterr().out
    [folder] = out.iterdir()
    script = [sys.executable, "-I", "-S", str(folder / "verify_offer_log.py"), str(folder)]
    assert subprocess.run(script, check=False, capture_output=True).returncode == 0


def test_again_there_is_nothing_to_do(removed, capsys):
    assert main(words(removed, 0)) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_the_month_is_found_done_and_not_made_again(removed, bank, spark):
    steps = run_steps(replace(bank, home=removed).context(spark), MONTH)
    assert all(step.was_there_already for step in steps)
    assert not (removed.lists / str(AS_OF)).exists()


def test_who_asks_for_a_removed_month_is_told(removed, capsys, tmp_path):
    place = ["--home", str(removed.path), "--as-of", str(AS_OF)]
    assert main(["offers", "explain", "--customer", "C0000002", *place]) == 1
    assert "were removed by retention of 2026-12-01" in capsys.readouterr().err
    assert main(["lists", "export", "--to", str(tmp_path / "out"), *place]) == 1
    assert "were removed by retention" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "is_left"), [("emptied_file", False), ("_put_in_place", True)])
def test_whoever_is_stopped_has_removed_nothing_or_is_finished(
    bank, tmp_path, monkeypatch, name, is_left
):
    home, calls = a_copy(bank, tmp_path), []
    module = rewriting if is_left else retention
    whole = getattr(module, name)

    def stopped(*given):
        calls.append(given)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return whole(*given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, name, stopped)
        retention_command(parser().parse_args(words(home, 0)))
    assert is_pending(home) == is_left
    assert main(words(home, 0)) == 0
    assert {name: rows_of(home, name) for name in GONE} == dict.fromkeys(GONE, 0)
    assert main(["offers", "verify", "--home", str(home.path)]) == 0
