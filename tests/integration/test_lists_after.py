"""What happens to lists after the run, on the small bank: what a person types and finds."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.cli import main
from jobs.home import Home
from jobs.lists_command import campaign_of
from tables.derived import CAMPAIGN_LISTS, EXPORTS
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
