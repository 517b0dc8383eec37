"""`xsell offers check`: a reviewer recomputes a campaign, and nobody is named unless asked for."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from audit.independent import facts
from jobs.audit.lookups import recorded
from jobs.cli import main
from jobs.home import Home
from jobs.lists.which_campaign import campaign_of
from jobs.runs.exports import lists_folder
from tests.month import AS_OF


@pytest.fixture
def home(bank, tmp_path) -> Home:
    """A copy of what a test may touch."""
    for name in ("tables", "log", "lists", "landing"):
        shutil.copytree(bank.home.path / name, tmp_path / "home" / name)
    return Home(tmp_path / "home")


def check(home: Home, capsys, *words: object) -> tuple[int, str, str]:
    code = main(["offers", "check", "--home", str(home.path), *map(str, words)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def change_decisions(home: Home, change: str) -> tuple[str, str]:
    """Change the first offered decision where it lies; client and offer."""
    [file] = (home.tables / "decisions" / "data").rglob("*.parquet")
    with duckdb.connect() as database:
        database.execute(f"create table rows as from read_parquet('{file}')")
        place = "(select min(rowid) from rows where outcome = 'offered')"
        [found] = database.execute(
            f"update rows set {change} where rowid = {place} returning customer_id, offer_id"
        ).fetchall()
        database.execute(f"copy rows to '{file}' (format parquet)")
    return found


def test_a_committed_campaign_breaks_no_rule(home, capsys, tmp_path):
    code, out, err = check(home, capsys, "--json", tmp_path / "found.json")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("rules checked, 0 violations")
    assert "not recomputed: value.not_profitable" in out
    told = json.loads((tmp_path / "found.json").read_text())
    rules = {one["rule"]: one for one in told["rules"]}
    record = campaign_of(home, AS_OF)
    assert (told["violations"], told["run_id"]) == (0, record.run_id)
    decisions = sum(
        record.counts[name]
        for name in (
            "offered", "control", "outranked", "over_capacity", "suppressed", "ineligible",
        )
    )  # fmt: skip
    assert rules["gate.consent.no_consent"]["rows"] == decisions
    assert rules["decisions.every_pair"]["rows"] == decisions
    assert rules["files.delivered"]["rows"] == 24
    assert rules["files.committed"]["rows"] == len(record.outputs["lists"])
    assert not list(home.path.glob(".check-*")), "no client's value is left behind"


def test_what_was_changed_is_named_by_its_leaf_and_the_client_only_if_asked_for(home, capsys):
    client, offer = change_decisions(
        home, "failed_gates = ['consent.no_consent'], outcome = 'suppressed'"
    )
    lists = lists_folder(home, campaign_of(home, AS_OF))
    [branch, *_] = sorted(lists.glob("branches/*.csv"))
    branch.write_bytes(branch.read_bytes() + b"\r\n")
    shutil.copy(home.landing / "2025-04-01/flags.parquet", home.landing / "2025-03-01")

    code, out, _ = check(home, capsys, "--run", campaign_of(home, AS_OF).run_id[:9])
    assert code == 1
    broken = {line.split()[0] for line in out.splitlines()[2:] if line.split()[-1] == "1"}
    assert broken == {
        "files.manifest", "files.committed", "files.delivered",
        "decisions.listed_is_offered", "gate.consent.no_consent",
    }  # fmt: skip
    assert f"what branches/{branch.name} is not what the run committed" in out
    assert "what 2025-03-01: flags.parquet is not what the manifest says" in out
    leaf = next(row["log_leaf"] for row in listed(lists) if row["customer_id"] == client)
    assert out.count(f"leaf {leaf}  offer {offer}") == 2
    assert client not in out
    assert not list(recorded(home))

    words = ("--as-of", AS_OF, "--show-customers", "--by", "Ana")
    code, out, _ = check(home, capsys, *words)
    assert code == 1
    assert f"client {client}  what fails as decided, and passes by what was delivered" in out
    [(_, lookup)] = recorded(home)
    assert lookup is not None
    assert (lookup.by, lookup.command) == ("Ana", "offers check")


def listed(lists: Path) -> list[dict]:
    return duckdb.read_parquet(str(lists / "campaign.parquet")).fetchdf().to_dict("records")


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("landing", "2024-12-01/manifest.json cannot be read: the deliveries"),
        ("lists", "manifest.json cannot be read. xsell run of the same month"),
        ("tables/decisions/data", "the decisions of the run cannot be read"),
    ],
)
def test_what_is_missing_is_said_in_one_line(home, capsys, gone, said):
    shutil.rmtree(home.path / gone)
    (home.path / gone).mkdir()
    code, out, err = check(home, capsys)
    assert (code, out) == (1, "")
    assert said in err
    assert err.endswith("Nothing was checked\n")
    assert len(err.splitlines()) == 1


def test_a_campaign_that_there_is_not_is_named(home, capsys):
    code, _, err = check(home, capsys, "--run", "abc")
    assert (code, "run abc is no committed campaign" in err) == (1, True)
    code, _, err = check(home, capsys, "--as-of", "2026-10-01")
    assert (code, "no campaign has been published for 2026-10-01" in err) == (1, True)
    nowhere = Home(home.path / "nowhere")
    code, _, err = check(nowhere, capsys)
    assert (code, "no campaign has been published" in err) == (1, True)


def test_homes_of_whom_a_branch_has_told_something_in_time_are_known(tmp_path):
    with duckdb.connect() as database:
        database.execute("set timezone = 'UTC'")
        database.execute("create table persons as select 'old' as record, 'new' as person")
        database.execute(
            "create table home as from (values ('new', 'h1'), ('c2', 'h2'), ('c3', 'h3'))"
            " as rows(customer_id, home)"
        )
        database.execute(
            "copy (select * from (values ('old', timestamptz '2026-10-31 23:59:59+00'),"
            " ('c2', timestamptz '2026-11-01 00:00:00+00')) as rows(customer_id, recorded_at))"
            f" to '{tmp_path}/told.parquet' (format parquet)"
        )
        facts.know_returned(database, [tmp_path / "told.parquet"], date(2026, 11, 1))
        assert database.execute("from returned_home").fetchall() == [("h1",)]
