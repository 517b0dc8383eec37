"""Evidence for an examiner: a zip that verifies itself where none of this is installed."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.cli import main
from jobs.home import Home
from jobs.runs.recording import Entry, commit_rows
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_RESULTS, DECISIONS
from tables.runs import Runs
from tables.store import Store
from tests.log_keys import SIGNING
from tests.month import AS_OF


@pytest.fixture(scope="module")
def home(bank, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("evidence") / "home"
    for name in ("tables", "log", "mlruns"):
        shutil.copytree(bank.home.path / name, target / name)
    return target


@pytest.fixture(scope="module")
def customer(home) -> str:
    record = Runs(home / "tables").current("campaign", AS_OF)
    rows = Store(home / "tables", None, record.pins).arrow(DECISIONS, AS_OF).to_pylist()
    return next(row["customer_id"] for row in rows if row["outcome"] == "offered")


def packed(home: Path, customer: str, target: Path) -> Path:
    words = ["--as-of", str(AS_OF), "--customer", customer, "--to", str(target)]
    assert main(["offers", "evidence", "--home", str(home), *words]) == 0
    return target


@pytest.fixture(scope="module")
def archive(home, customer, tmp_path_factory) -> Path:
    return packed(home, customer, tmp_path_factory.mktemp("out") / "case-17.zip")


@pytest.fixture
def folder(archive, tmp_path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
    return tmp_path / "case-17"


def verified(folder: Path, *options: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-S", str(folder / "verify_evidence.py"), *options],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_it_verifies_itself_and_says_what_it_is(home, folder):
    key = ("--key", SIGNING.verifier.as_text(), "--kept", str(home / "log" / "checkpoint"))
    decisions = list((folder / "decisions").iterdir())
    assert verified(folder, *key) == (
        0,
        [
            f"decisions proven to be in the signed log: {len(decisions)}",
            "the evidence fits together",
        ],
    )
    assert "compare them with those the bank gave you" in " ".join(verified(folder)[1])
    assert "python3 verify_evidence.py --key KEY" in (folder / "README.txt").read_text()
    assert list((folder / "models").glob("*/model.sha256"))
    assert list((folder / "models").glob("*/card.html"))


def test_the_same_evidence_makes_the_same_bytes(home, customer, archive, tmp_path):
    assert packed(home, customer, tmp_path / "case-17.zip").read_bytes() == archive.read_bytes()


def test_it_tells_what_the_campaign_caused_once_that_is_measured(home, customer, folder, tmp_path):
    assert not (folder / "measurement.csv").exists()
    record = Runs(home / "tables").current("campaign", AS_OF)
    later, later_home = date(2027, 2, 1), tmp_path / "later"
    shutil.copytree(home, later_home)
    told = {
        "as_of": later, "run_id": "m" * 64, "campaign": record.run_id, "measure": "profit",
        "against": "campaign_control", "state": "too_few", "treated": 3, "control": 1,
        "is_sure": False,
    }  # fmt: skip
    parts = [("all", "all"), ("product", "mortgage"), ("branch", "B1")]
    rows = [told | {"cut": cut, "value": value} for cut, value in parts]
    rows.append(rows[0] | {"campaign": "another"})
    table = pa.Table.from_pylist(rows, schema=arrow_schema(CAMPAIGN_RESULTS))
    entry = Entry("m" * 64, "measure", later, {}, {}, record)
    commit_rows(Home(later_home), entry, [(CAMPAIGN_RESULTS, table)])
    with zipfile.ZipFile(packed(later_home, customer, tmp_path / "case.zip")) as file:
        lines = list(csv.DictReader(io.StringIO(file.read("case/measurement.csv").decode())))
    assert [(line["cut"], line["value"], line["state"]) for line in lines] == [
        ("all", "all", "too_few"),
        ("product", "mortgage", "too_few"),
    ]


def change_json(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def outcome(told: dict) -> None:
    told["offers"][0]["outcome"] = "offered" if told["offers"][0]["outcome"] != "offered" else "no"


def capacity(settings: dict) -> None:
    settings["campaign"]["branch_capacity"] += 1


def line(entry: dict) -> None:
    entry["line"] = entry["line"].replace('"is_exploration":false', '"is_exploration":true')


def step(entry: dict) -> None:
    entry["proof"][0] = "0" * 64


def place(entry: dict) -> None:
    entry["entry"] += 1


CHANGES = {
    "decisions/credit_card_2026.json": [(line, "is not entry"), (step, "is not entry"),
                                        (place, "is not entry")],
    "explanation.json": [(outcome, "is not told as it was sealed")],
    "configuration.json": [(capacity, "is not what the id of the run was made of")],
    "run.json": [
        (lambda run: run["inputs"].update(ingest="0"), "is not what the id of the run was made of")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_is_found_even_with_new_digests(folder, name):
    for change, finding in CHANGES[name]:
        path = folder / name
        before, sums = path.read_text(), (folder / "SHA256SUMS").read_text()
        change_json(path, change)
        status, said = verified(folder)
        assert (status, f"{name} was changed" in said) == (1, True)
        digest = subprocess.run(
            ["sha256sum", str(path)], capture_output=True, text=True, check=True
        ).stdout.split()[0]
        kept = [one for one in sums.splitlines() if not one.endswith(f"  {name}")]
        (folder / "SHA256SUMS").write_text("\n".join([*kept, f"{digest}  {name}"]) + "\n")
        status, said = verified(folder)
        assert status == 1, name
        assert any(finding in one for one in said), said
        assert said[-1] == "the evidence does NOT fit together"
        path.write_text(before)
        (folder / "SHA256SUMS").write_text(sums)


def test_a_file_that_is_missing_or_added_is_found(folder):
    (folder / "rules.md").unlink()
    (folder / "more.txt").write_text("hello")
    status, said = verified(folder)
    assert status == 1
    assert {"rules.md is missing", "more.txt was added"} <= set(said)


def test_it_may_not_lie_where_an_erasure_could_not_reach_into_it(home, customer, capsys):
    words = ["--as-of", str(AS_OF), "--customer", customer, "--to", str(home / "case.zip")]
    assert main(["offers", "evidence", "--home", str(home), *words]) == 1
    assert "is below the home folder" in capsys.readouterr().err
