"""`xsell offers erase`: nothing below the home leads to the client, and all else is as it was."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from conf.load import load_config
from jobs.cli import main
from jobs.home import Home
from jobs.privacy import erasure
from jobs.publishing import Context, execute
from jobs.run_month import run_steps
from jobs.runs.rewriting import is_pending
from jobs.steps import INGEST, MONTH
from tables.derived import CAMPAIGN_LISTS
from tables.runs import Runs
from tables.store import Store
from tests.deliveries import ANY_REASON, csv_of
from tests.month import AS_OF, SMALL
from tests.traces import hits

DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)
GIVEN_UP, NEIGHBOUR = "C0000001", "C0000002"
WHOLE = ("branches", "advisors", "fx_rates", "customers", "accounts", "holdings", "flags")
CONSENTS = "consents.parquet"
OWNED = {
    "accounts": "account_id",
    "transactions": "transaction_id",
    "holdings": "holding_id",
    "contacts": "contact_id",
}
LENIENT = (*SMALL, "checks.max_quarantine_share=1.0", ANY_REASON)
CALL = (
    "--by",
    "data protection officer",
    "--reason",
    "request of 2026-12-10",
    "--on",
    "2026-12-11",
)


@dataclass(frozen=True)
class Erased:
    """A home, whom it shall forget, and all that leads to them."""

    home: Home
    client: str
    identifiers: frozenset[str]


def stored_rows(home: Home, name: str) -> list[dict[str, Any]]:
    """All rows of all files of a table."""
    paths = sorted((home.tables / name / "data").rglob("*.parquet"))
    return [row for path in paths for row in pq.read_table(path, partitioning=None).to_pylist()]


def deliver(landing: Path, day: date, like: Path, texts: dict[str, str]) -> Path:
    """A delivery with the whole tables of another one, and increments written here."""
    folder = landing / str(day)
    folder.mkdir()
    for path in sorted(like.iterdir()):
        if path.name.partition(".")[0] in WHOLE:
            shutil.copy(path, folder)
    pq.write_table(a_month_later(pq.read_table(like / "consents.parquet")), folder / CONSENTS)
    for name, text in texts.items():
        (folder / name).write_bytes(
            gzip.compress(text.encode()) if ".gz" in name else text.encode()
        )
    write_manifest(folder)
    return folder


def a_month_later(consents: pa.Table) -> pa.Table:
    for place, name in enumerate(consents.schema.names):
        if name in ("changed_at", "recorded_at"):
            later = pc.add(consents[name], pa.scalar(timedelta(days=29), pa.duration("us")))
            consents = consents.set_column(place, name, later)
    return consents


def write_manifest(folder: Path) -> None:
    files = {
        path.name: {
            "rows": rows_of(path),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }
    content = {"delivery": folder.name, "files": files}
    (folder / "manifest.json").write_text(json.dumps(content))


def rows_of(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    content = path.read_bytes()
    return len((gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()) - 1


def december(client: str, account: str, other: str) -> dict[str, str]:
    """Increments in which a client is booked, contacted, paid by another, merged, and misspelt."""
    seen = "2026-11-20T08:00:00Z"
    bookings = (
        f"T-booked-A | {account} | 2026-11-19 | -12.50 | {seen} | ",
        f"T-booked-B | {account} | 2026-11-19 | 12x | {seen} | ",
        f"T-booked-C | {other} | 2026-11-19 | -80.00 | {seen} | {account}",
        f"T-booked-D | {other} | 2026-11-19 | -80.00 | {seen} | A-elsewhere",
        f"T-booked-E | {account}\u200b | 2026-11-19 | -9.00 | {seen} | ",
    )
    contacts = (
        f"K-called-A | {client} | phone | 2026-11-18 | refused | {seen}",
        f"K-called-B | {NEIGHBOUR} | phone | 2026-11-18 | refused | {seen}",
    )
    header = "transaction_id | account_id | booked_on | amount | recorded_at | counterparty_id\n"
    called = "contact_id | customer_id | channel | contacted_on | disposition | recorded_at\n"
    merged = "customer_id | survivor_id | merged_on | recorded_at\n"
    merge = f"{GIVEN_UP} | {client} | 2026-11-10 | {seen}"
    return {
        "transactions.csv.gz": csv_of("transactions", header + "\n".join(bookings)),
        "contacts.csv": csv_of("contacts", called + "\n".join(contacts)),
        "customer_merges.csv": csv_of("customer_merges", merged + merge),
    }


def leads_to(home: Home, client: str) -> frozenset[str]:
    """All identifiers of a client and of the record that was merged into it."""
    records = {client, GIVEN_UP}
    found = set(records)
    for name, column in OWNED.items():
        found |= {row[column] for row in stored_rows(home, name) if row["customer_id"] in records}
    for row in stored_rows(home, "vault"):
        if row["customer_id"] in records:
            found |= {row["client"], row["secret"]}
    others = [row for row in stored_rows(home, "customers") if row["customer_id"] not in records]
    own = [row for row in stored_rows(home, "customers") if row["customer_id"] in records]
    found |= {row["household_id"] for row in own} - {row["household_id"] for row in others}
    return frozenset(found - {None})


@pytest.fixture(scope="module")
def before(bank, spark, tmp_path_factory) -> Erased:
    """A home in which a client is in every place that there is."""
    home = Home(tmp_path_factory.mktemp("erase") / "home")
    shutil.copytree(bank.home.path, home.path)
    record = Runs(home.tables).newest("campaign", lambda _: True)
    lists = Store(home.tables, None, record.pins).arrow(CAMPAIGN_LISTS, AS_OF).to_pylist()
    row = next(row for row in lists if row["customer_id"] not in (GIVEN_UP, NEIGHBOUR))
    client, offer = row["customer_id"], row["offer_id"]
    export(home, "out/all")
    accounts = {one["customer_id"]: one["account_id"] for one in stored_rows(home, "accounts")}
    texts = december(client, accounts[client], accounts[NEIGHBOUR])
    deliver(home.landing, DECEMBER, home.landing / str(AS_OF), texts)
    config = load_config("local", LENIENT)
    execute(Context(DECEMBER, config, home, spark), INGEST)
    lines = [
        "customer_id,offer_id,as_of,disposition,disposition_at,channel",
        f"{client},{offer},2026-11-01,opt_out,2026-11-12,phone",
        f"{client},no_such_offer,2026-11-01,refused,2026-11-12,phone",
        f"{lists[-1]['customer_id']},{lists[-1]['offer_id']},2026-11-01,opt_out,2026-11-12,phone",
    ]
    returned = home.path / "returned.csv"
    returned.write_text("\n".join(lines) + "\n")
    assert main(["offers", "disposition", "--file", str(returned), "--home", str(home.path)]) == 0
    export(home, "out/some", "--branch", row["branch_id"])
    with sqlite3.connect(home.mlruns / "mlflow.db") as database:
        database.execute("UPDATE registered_models SET description = ?", (f"asked by {client}",))
    return Erased(home, client, leads_to(home, client))


def export(home: Home, folder: str, *words: str) -> None:
    """Lists as a branch gets them, below the home, where nobody should leave them."""
    to = ["--to", str(home.path / folder), "--as-of", str(AS_OF), "--home", str(home.path)]
    assert main(["lists", "export", *to, *words]) == 0


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> Erased:
    """The home after the client was erased."""
    home = Home(tmp_path_factory.mktemp("erased") / "home")
    shutil.copytree(before.home.path, home.path)
    assert erase(home, before.client) == 0
    return Erased(home, before.client, before.identifiers)


def erase(home: Home, client: str, *words: str) -> int:
    return main(["offers", "erase", "--home", str(home.path), "--customer", client, *CALL, *words])


def test_the_client_is_in_every_place_before(before):
    """So that finding nothing afterwards says something."""
    found = [path.split("/") for path in hits(before.home.path, before.identifiers)]
    places = {path[0] for path in found}
    assert places == {"landing", "lists", "mlruns", "out", "returned.csv", "tables", "truth"}
    assert {path[1] for path in found if path[0] == "lists"} == {str(AS_OF), "recalls"}
    assert {path[1] for path in found if path[0] == "out"} == {"all", "some"}
    assert any(path[-1].endswith(".xlsx") for path in found if path[0] == "out")
    assert {path[1] for path in found if path[0] == "tables"} == {
        *("accounts", "campaign_lists", "consents", "contacts", "customer_features"),
        *("customer_merges", "customers", "decisions", "dispositions", "flags", "holdings"),
        *("labels", "offer_log", "propensity_scores", "quarantine", "quarantined_dispositions"),
        *("training_set", "transactions", "vault"),
    }


def test_no_byte_leads_to_an_erased_client(after):
    assert hits(after.home.path, after.identifiers) == {}


def test_manifests_of_lists_and_exports_are_true(after):
    manifests = [
        path
        for folder in (after.home.lists, after.home.path / "out", after.home.landing)
        for path in folder.rglob("manifest.json")
    ]
    assert len(manifests) > 25
    for path in manifests:
        for name, entry in json.loads(path.read_text())["files"].items():
            content = (path.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], path.parent / name
            if name.endswith((".csv", ".gz", ".parquet")) and "out" not in path.parts:
                assert rows_of(path.parent / name) == entry["rows"], path.parent / name


@pytest.mark.slow
def test_a_table_that_is_left_out_is_found(before, tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    shutil.copytree(before.home.path, home.path)
    whole = erasure._stage_table
    monkeypatch.setattr(
        erasure,
        "_stage_table",
        lambda rewriting, folder, client: (
            0 if folder.name == "quarantine" else whole(rewriting, folder, client)
        ),
    )
    assert erase(home, before.client) == 0
    assert {path.split("/")[1] for path in hits(home.path, before.identifiers)} == {"quarantine"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "left_out", ["stage_landing", "stage_rest", "stage_lists", "stage_recalls"]
)
def test_a_place_that_is_left_out_is_found(before, tmp_path, monkeypatch, capsys, left_out):
    home = Home(tmp_path / "home")
    shutil.copytree(before.home.path, home.path)
    shutil.rmtree(home.path / "out")  # copies of lists
    nothing = Counter() if left_out == "stage_landing" else 0
    monkeypatch.setattr(erasure, left_out, lambda *_: nothing)
    ends = erase(home, before.client)
    assert hits(home.path, before.identifiers)
    # of files that cannot be rewritten by themselves the search for the rest has found some
    assert ends == (1 if left_out in ("stage_lists", "stage_recalls") else 0)
    assert ends == 0 or "that xsell cannot write anew: lists/" in capsys.readouterr().err


def versions_of(home: Home, name: str) -> dict[int, list[Path]]:
    """The files of every version of a table, as Delta's own reader lists them."""
    newest = DeltaTable(home.tables / name).version()
    tables = {
        number: DeltaTable(home.tables / name, version=number) for number in range(newest + 1)
    }
    return {number: sorted(map(Path, table.file_uris())) for number, table in tables.items()}


def without_client(name: str, rows: pa.Table, identifiers: frozenset[str]) -> pa.Table:
    """Rows as an erasure should leave them, by a rule of the test's own."""
    wanted = pa.array(sorted(identifiers))
    if name == "offer_log":
        is_theirs = pc.is_in(rows["client"], wanted)
        for column in ("client", "line"):
            left = pc.if_else(is_theirs, None, rows[column])
            rows = rows.set_column(rows.schema.get_field_index(column), column, left)
        return rows
    gone = pa.array([False] * rows.num_rows)
    for column in {"customer_id", "survivor_id"}.intersection(rows.schema.names):
        gone = pc.or_(gone, pc.fill_null(pc.is_in(rows[column], wanted), False))
    if "raw_row" in rows.schema.names:
        pattern = "|".join(sorted(identifiers))
        gone = pc.or_(gone, pc.match_substring_regex(rows["raw_row"], pattern))
    if name == "transactions":
        left = pc.if_else(pc.is_in(rows["counterparty_id"], wanted), None, rows["counterparty_id"])
        place = rows.schema.get_field_index("counterparty_id")
        rows = rows.set_column(place, "counterparty_id", left)
    return rows.filter(pc.invert(gone))


def test_all_other_rows_of_every_version_are_as_they_were(before, after):
    compared = gone = 0
    for folder in sorted(before.home.tables.iterdir()):
        if folder.name == "runs":
            continue
        theirs = versions_of(after.home, folder.name)
        for number, paths in versions_of(before.home, folder.name).items():
            assert [path.name for path in paths] == [path.name for path in theirs[number]]
            for old, new in zip(paths, theirs[number], strict=True):
                was = pq.read_table(old, partitioning=None)
                expected = without_client(folder.name, was, before.identifiers)
                assert pq.read_table(new, partitioning=None).equals(expected), old
                compared, gone = compared + expected.num_rows, gone + was.num_rows
    assert compared > 100_000
    assert gone > compared


def test_delta_tells_the_sizes_that_files_have(after):
    for folder in after.home.tables.iterdir():
        actions = pa.table(DeltaTable(folder).get_add_actions(flatten=True)).to_pylist()
        for action in actions:
            path = folder / action["path"]
            assert action["size_bytes"] == path.stat().st_size, path
            assert action["num_records"] == pq.read_metadata(path).num_rows, path


def test_the_log_still_verifies_and_what_is_rewritten_otherwise_is_found(after, capsys, tmp_path):
    home = str(after.home.path)
    out = tmp_path / "examiner"
    assert main(["offers", "verify", "--home", home, "--export", str(out)]) == 0
    said = capsys.readouterr().out
    decided = sum(row["line"] is None for row in stored_rows(after.home, "offer_log"))
    assert f"of them erased: {decided}; " in said
    assert decided > 0
    [folder] = out.iterdir()
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify_offer_log.py"), str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{decided} of them erased" in done.stdout
    changed = tmp_path / "home"
    shutil.copytree(after.home.path, changed)
    record = Runs(after.home.tables).newest("erase", lambda _: True)
    path = next(
        name for name in record.outputs["rewritten"] if name.startswith("tables/decisions/data/")
    )
    pq.write_table(pq.read_table(changed / path).slice(1), changed / path)
    gone = next(name for name in record.outputs["rewritten"] if name.endswith(".xlsx"))
    (changed / gone).unlink()
    assert main(["offers", "verify", "--home", str(changed)]) == 1
    said = capsys.readouterr().out
    assert f"{path} is not what run" in said
    assert f"{gone} is gone, which run" in said


def test_what_runs_keep_of_it_names_nobody(before, after):
    record = Runs(after.home.tables).newest("erase", lambda _: True)
    assert record.counts["by"] == "data protection officer"
    assert record.counts["rows"]["vault"] == 2
    assert record.as_of == date(2026, 12, 11)
    assert not any(one in str(record) for one in before.identifiers)
    key = after.home.log / "keys"
    assert (key / "erased.key").stat().st_mode & 0o777 == 0o600
    old = (before.home.log / "keys" / "vault.key").read_bytes()
    assert (key / "vault.key").read_bytes() != old, "nobody can make the pseudonym again"


def digests(home: Home) -> dict[str, str]:
    return {
        path.relative_to(home.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.path.rglob("*"))
        if path.is_file() and path.name != "run.lock"
    }


def test_a_dry_run_tells_and_changes_nothing(before, capsys):
    was = digests(before.home)
    assert erase(before.home, before.client, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "Would be rewritten: " in said
    assert "  vault                     2\n" in said
    assert "branch B0000" in said
    assert before.client not in said
    assert digests(before.home) == was, "not even a key was made"


def test_who_was_erased_is_told_apart_from_who_never_was(after, capsys):
    assert erase(after.home, after.client) == 0
    assert "was erased before, and nothing names them" in capsys.readouterr().out
    assert erase(after.home, "C-no-such-client") == 2
    assert "is it misspelt? Nothing was changed" in capsys.readouterr().err


def test_a_reason_that_names_the_client_is_refused(before, capsys):
    words = ["--by", "dpo", "--reason", f"{before.client} asked"]
    home = str(before.home.path)
    assert main(["offers", "erase", "--home", home, "--customer", before.client, *words]) == 1
    assert "--reason names the client" in capsys.readouterr().err


@pytest.mark.slow
def test_a_reason_that_names_what_the_client_owns_is_refused(before, capsys):
    home = str(before.home.path)
    account = next(iter(sorted(one for one in before.identifiers if one.startswith("A"))))
    was = digests(before.home)
    words = ["--by", "dpo", "--reason", f"holder of {account} asked"]
    assert main(["offers", "erase", "--home", home, "--customer", before.client, *words]) == 1
    assert "--reason names the client" in capsys.readouterr().err
    assert digests(before.home) == was


def test_a_file_that_cannot_be_rewritten_stops_it_before_anything_changes(before, capsys):
    letter = before.home.path / "letter.txt"
    letter.write_text(f"Dear {before.client},")
    was = digests(before.home)
    assert erase(before.home, before.client) == 1
    letter.unlink()
    assert "1 files name the client that xsell cannot write anew: letter.txt" in (
        capsys.readouterr().err
    )
    assert {**digests(before.home), "letter.txt": was["letter.txt"]} == was


@pytest.mark.slow
def test_who_is_delivered_again_does_not_come_back(before, after, spark, capsys, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(after.home.path, home.path)
    config = load_config("local", SMALL)
    month = run_steps(Context(AS_OF, config, home, spark), MONTH)
    assert all(result.was_there_already for result in month), "nothing to do"
    # the source delivers the client once more, with an account that nobody has heard of
    like = before.home.landing / str(AS_OF)
    accounts = {
        one["customer_id"]: one["account_id"] for one in stored_rows(before.home, "accounts")
    }
    texts = december(before.client, accounts[before.client], accounts[NEIGHBOUR])
    texts["transactions.csv.gz"] += (
        texts["transactions.csv.gz"]
        .splitlines()[1]
        .replace(accounts[before.client], "A-new-account")
        .replace("T-booked-A", "T-booked-new")
        + "\n"
    )
    folder = deliver(home.landing, JANUARY, like, texts)
    opened = pq.read_table(folder / "accounts.parquet")
    row = next(one for one in opened.to_pylist() if one["customer_id"] == before.client)
    more = pa.Table.from_pylist([row | {"account_id": "A-new-account"}], schema=opened.schema)
    pq.write_table(pa.concat_tables([opened, more]), folder / "accounts.parquet")
    write_manifest(folder)
    lenient = load_config("local", LENIENT)
    result = execute(Context(JANUARY, lenient, home, spark), INGEST)
    counts = result.record.counts
    assert counts["rows_erased"] > 10
    deliveries = [row for row in stored_rows(home, "deliveries") if row["delivery"] == JANUARY]
    for one in deliveries:
        parts = ("rows_accepted", "rows_quarantined", "rows_erased")
        assert one["rows_in"] == sum(one[name] for name in parts)
    # what the bank has put there again goes when it is asked for again
    assert erase(home, before.client) == 0
    assert main(["offers", "verify", "--home", str(home.path)]) == 0
    assert hits(home.path, {*before.identifiers, "A-new-account", "T-booked-new"}) == {}
    stored = {row["transaction_id"]: row for row in stored_rows(home, "transactions")}
    assert stored["T-booked-D"]["counterparty_id"] == "A-elsewhere"
    # nor by what a branch returns
    returned = tmp_path / "returned.csv"
    returned.write_text(
        "customer_id,offer_id,as_of,disposition,disposition_at,channel\n"
        f"{before.client},card,2026-11-01,opt_out,2026-11-12,phone\n"
    )
    capsys.readouterr()
    assert main(["offers", "disposition", "--file", str(returned), "--home", str(home.path)]) == 0
    assert "1 rows in = 0 accepted + 0 there already + 0 quarantined + 1 of erased clients" in (
        capsys.readouterr().out
    )
    assert hits(home.path, before.identifiers) == {}


POINTS = [
    ("jobs.runs.rewriting:Rewriting.put", 5, "after"),
    ("jobs.runs.rewriting:Rewriting.commit", 1, "before"),
    ("jobs.runs.rewriting:write_file", 1, "after"),
    ("jobs.runs.rewriting:_put_in_place", 1, "after"),
    ("jobs.runs.rewriting:_put_in_place", 90, "before"),
    ("jobs.runs.rewriting:commit_rows", 1, "before"),
    ("tables.runs:Runs._write", 1, "after"),
    ("jobs.runs.rewriting:commit_rows", 1, "after"),
]


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_whoever_is_killed_has_changed_nothing_or_is_finished_by_the_next(
    before, after, capsys, tmp_path, point
):
    home = Home(tmp_path / "home")
    shutil.copytree(before.home.path, home.path)
    shutil.copy(after.home.log / "keys" / "erased.key", home.log / "keys")
    words = ["offers", "erase", "--home", str(home.path), "--customer", before.client, *CALL]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.crash", point[0], str(point[1]), point[2], *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-800:]
    if is_pending(home):
        assert main(["offers", "verify", "--home", str(home.path)]) == 1
        assert "an erasure was interrupted" in capsys.readouterr().out
        # any command that publishes finishes it
        to = str(tmp_path / "out")
        assert main(["lists", "export", "--as-of", str(AS_OF), "--to", to, "--home", words[3]]) == 0
        assert "finished what was interrupted" in capsys.readouterr().err
    else:
        assert hits(home.tables, before.identifiers), "nothing has changed"
        assert erase(home, before.client) == 0
    assert hits(home.path, before.identifiers) == {}
    assert main(["offers", "verify", "--home", str(home.path)]) == 0
    # files of one attempt bear its name: of these tables only what they say is the same
    ours, theirs = (
        digests_but_for(one, "erased", "checkpoints", "runs", "exports")
        for one in (home, after.home)
    )
    assert ours == theirs
    for name in ("erased", "checkpoints"):
        assert stored_rows(home, name) == stored_rows(after.home, name)


def digests_but_for(home: Home, *tables: str) -> dict[str, str]:
    """Of all files but logs and those of some tables."""
    others = ("log/", *(f"tables/{name}/" for name in tables))
    found = digests(home).items()
    return {name: digest for name, digest in found if not name.startswith(others)}
