"""What happens to lists after the run, on the small bank: what a person types and finds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.cli import main
from jobs.home import Home
from jobs.lists_command import campaign_of
from jobs.staging import Staging
from tables.arrow import arrow_schema
from tables.delta import commit_files
from tables.derived import CAMPAIGN_LISTS, DECISIONS, EXPORTS
from tables.files import sha256_of
from tables.runs import Runs
from tables.sources import CONSENTS, CUSTOMERS, FLAGS
from tables.store import Store
from tests.later_ingest import learn, present
from tests.month import AS_OF

MIDDLE = date(2026, 11, 15)


@pytest.fixture
def home(bank, tmp_path) -> Home:
    """A copy of the bank's tables, to learn and to record in."""
    shutil.copytree(bank.home.tables, tmp_path / "home" / "tables")
    return Home(tmp_path / "home")


def xsell(home, capsys, *words, as_of=AS_OF):
    """Exit code and what was printed."""
    month = [] if as_of is None else ["--as-of", str(as_of)]
    code = main([*map(str, words), "--home", str(home.path), *month])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def offers(home):
    record = campaign_of(home, AS_OF)
    return Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()


def digests(folder: Path):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def exported(home):
    runs = Runs(home.tables)
    pins = {EXPORTS.name: runs.head(EXPORTS.name)}
    return Store(home.tables, None, pins).arrow_records(EXPORTS).to_pylist()


def withdraw(home, first, second, third):
    """Consent of one client, the life of another, the peace of a third."""
    learn(
        home,
        MIDDLE,
        {
            CONSENTS: [
                {
                    "customer_id": first["customer_id"],
                    "purpose": "profiling",
                    "channel": first["channel"],
                    "changed_at": datetime(2026, 11, 10, 9, tzinfo=UTC),
                    "is_granted": False,
                }
            ],
            CUSTOMERS: [
                present(home, CUSTOMERS, second["customer_id"])
                | {
                    "deceased_on": date(2026, 11, 9),
                    "recorded_at": datetime(2026, 11, 12, tzinfo=UTC),
                }
            ],
            FLAGS: [
                {
                    "customer_id": third["customer_id"],
                    "flag": "complaint_open",
                    "valid_from": date(2026, 11, 3),
                }
            ],
        },
    )


def test_an_export_is_what_was_committed_less_what_was_withdrawn_since(
    home, capsys, caplog, tmp_path
):
    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "a")
    folder = Path(out.strip())
    assert (code, digests(folder)) == (0, dict(campaign_of(home, AS_OF).outputs["lists"]))

    gone = offers(home)[:3]
    withdraw(home, *gone)
    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "b")
    assert code == 0
    assert "3 of " in out
    assert (
        "before 2026-11-15 (care.treatment_flag 1, consent.profiling 1, eligibility.active 1)"
        in out
    )
    folder = Path(out.splitlines()[0])
    names = {row["customer_id"] for row in gone}
    kept = pq.read_table(folder / "campaign.parquet")["customer_id"].to_pylist()
    assert len(kept) == len(offers(home)) - 3
    assert not names & set(kept)
    told = (folder / "recalled.csv").read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in told} == names
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["recalled"]["left_out"] == 3
    found = digests(folder)
    found.pop("manifest.json")
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == found
    for name in found:
        if name.endswith(".csv") and name != "recalled.csv":
            assert not names & set((folder / name).read_text().replace("\r\n", ",").split(","))

    code, out, _ = xsell(home, capsys, "lists", "export", "--to", tmp_path / "c", "--on", AS_OF)
    assert "the store knows more" in caplog.text
    assert digests(Path(out.strip())) == dict(campaign_of(home, AS_OF).outputs["lists"])
    assert [(row["known_before"], row["recalled_row_count"]) for row in exported(home)] in (
        [(AS_OF, 0), (MIDDLE, 3)],
        [(MIDDLE, 3), (AS_OF, 0)],
    )


def test_a_branch_gets_its_own_files_and_no_parquet(home, capsys, tmp_path):
    branches = sorted({row["branch_id"] for row in offers(home)})[:2]
    words = ("lists", "export", "--to", tmp_path, "--branch", branches[1], "--branch", branches[0])
    _, out, _ = xsell(home, capsys, *words)
    pinned = dict(campaign_of(home, AS_OF).outputs["lists"])
    for branch, line in zip(branches, out.splitlines(), strict=True):
        found = digests(Path(line))
        assert json.loads((Path(line) / "manifest.json").read_text())["branch_id"] == branch
        del found["manifest.json"]
        assert found
        assert all(Path(name).stem == f"branch_{branch}" for name in found)
        assert found == {name: pinned[name] for name in found}
    runs = len(Runs(home.tables).committed())
    assert xsell(home, capsys, *words)[1] == out
    assert len(Runs(home.tables).committed()) == runs, "the same export again is no other one"
    assert [row["branch_id"] for row in exported(home)].count(branches[0]) == 1


def test_an_export_that_cannot_be_is_refused(home, capsys, tmp_path):
    words = ("lists", "export", "--to", tmp_path / "x")
    assert "has no list; there are B0" in xsell(home, capsys, *words, "--branch", "B9")[2]
    assert "is before the campaign" in xsell(home, capsys, *words, "--on", "2026-10-31")[2]
    assert not (tmp_path / "x").exists()
    assert Runs(home.tables).head(EXPORTS.name) is None


def another_campaign(home, gone, settings):
    """The same month decided anew: one offer less, by a gate that the configuration closed."""
    first = campaign_of(home, AS_OF)
    store = Store(home.tables, None, first.pins)
    pins, run_id = dict(first.pins), "d" * 64
    staging = Staging(home.tables, run_id, AS_OF, 1)
    decided = store.arrow(DECISIONS, AS_OF).to_pylist()
    for row in decided:
        if (row["customer_id"], row["offer_id"]) == gone:
            row |= {"outcome": "suppressed", "failed_gates": ["contact_policy.contact_cap"]}
        row["rules_version"] = "another"
    listed = [
        row for row in offers(home) if (row["customer_id"], row["offer_id"]) != gone
    ]  # fmt: skip
    for table, rows in ((DECISIONS, decided), (CAMPAIGN_LISTS, listed)):
        staging.stage(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
        folder, files = home.tables / table.name, staging.files[table.name]
        pins[table.name] = commit_files(folder, table, files, run_id)
    config = json.loads(first.config)
    config["contact_policy"] |= settings
    record = replace(first, run_id=run_id, pins=pins, config=json.dumps(config))
    return Runs(home.tables).append(record)


def test_a_diff_names_what_left_and_the_rule_that_was_changed(home, capsys, tmp_path):
    first, victim = campaign_of(home, AS_OF), offers(home)[1]
    gone = (victim["customer_id"], victim["offer_id"])
    another_campaign(home, gone, {"max_contacts_30d": 1})
    words = ("lists", "diff", first.run_id[:8], "dddd", "--csv", tmp_path / "diff.csv")
    code, out, _ = xsell(home, capsys, *words, as_of=None)
    assert code == 0
    count = len(offers(home))
    assert f"0 entered, 1 left, {count} stayed" in out
    [line] = [line for line in out.splitlines() if line.startswith("left ")]
    assert victim["customer_id"] in line
    assert "policy: contact.customer_cap_30d 1-" in line
    assert (tmp_path / "diff.csv").read_text().splitlines()[1].startswith("left,policy,")

    branch = next(
        row["branch_id"] for row in offers(home) if row["branch_id"] != victim["branch_id"]
    )
    words = ("lists", "diff", first.run_id[:8], "dddd", "--branch", branch)
    assert "The lists are the same." in xsell(home, capsys, *words, as_of=None)[1]


def test_a_campaign_does_not_differ_from_itself(home, capsys):
    month = ("--as-of", AS_OF)
    code, out, _ = xsell(home, capsys, "lists", "diff", *month, *month, as_of=None)
    assert (code, out.splitlines()[-1]) == (0, "The lists are the same.")


def test_runs_that_cannot_be_compared_are_named(home, capsys):
    run = campaign_of(home, AS_OF).run_id
    for words, said in (
        (["zzz", run[:6]], f"run zzz is no committed campaign; there are {run[:12]}"),
        ([run], "say which two campaigns"),
        ([run, run, "--branch", "B9"], "has no list; there are B0"),
    ):
        code, _, err = xsell(home, capsys, "lists", "diff", *words, as_of=None)
        assert code == 1
        assert said in err
