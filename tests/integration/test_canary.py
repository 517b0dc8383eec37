"""A whole month on a bank whose every text says CANARY: no message, log or report does.

Data are what is made to hold customers' values: deliveries, tables and lists.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tables.base import Table
from tables.sources import CODES, SOURCES
from tests.month import AS_OF, SMALL, small_bank

MARKER = "CANARY"
TABLES = {table.name: table for table in SOURCES}
# What the bank's configuration names: with other words nobody could be scored.
NAMED = {"product_id", "currency", "category", "channel", "language"}
# What the bank calls its own branches, advisors and regions: a campaign says whose next contact
# earns most, and what becomes of the clients of a region.
PLACES = {"branch_id", "advisor_id", "region"}
DATA = ("landing", "tables", "lists", "truth")
TOLERANT = ("checks.max_quarantine_share=0.05",)


@pytest.fixture(scope="module")
def month(tmp_path_factory) -> tuple[Path, str]:
    """The home after a month from the command line, and all that was printed."""
    home = small_bank(tmp_path_factory.mktemp("canary")).home.path
    for delivery in sorted(path for path in (home / "landing").iterdir() if path.is_dir()):
        _mark(delivery, is_last=delivery.name == str(AS_OF))
    shutil.rmtree(home / "log" / "keys")  # it makes its own
    settings = [word for item in (*SMALL, *TOLERANT) for word in ("--set", item)]
    command = [sys.executable, "-m", "jobs.cli", "run", "--debug", "--home", str(home)]
    ran = subprocess.run(
        [*command, "--as-of", str(AS_OF), *settings],
        capture_output=True,
        text=True,
        check=False,
        umask=0,  # what others may read is not for the shell to decide
    )
    assert ran.returncode == 0, ran.stderr
    return home, ran.stdout + ran.stderr


@dataclass(frozen=True)
class Later:
    """What was typed after the month.

    Attributes:
        home: Where.
        out: Folder of everything that was exported.
        codes: Exit code of each command.
        printed: All that was printed, by command.
    """

    home: Path
    out: Path
    codes: dict[str, int]
    printed: dict[str, str]


# One process for all commands: to start one takes longer than what most of them do.
TYPED = """
import contextlib, io, json, os, sys
from jobs.cli import main
os.umask(0)
told = []
for words in json.loads(sys.stdin.read()):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(words)
        except SystemExit as stopped:
            code = stopped.code
    told.append([code, said.getvalue()])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def later(month, tmp_path_factory) -> Later:
    """Exports, look-ups, and everything that goes wrong, on a copy of the home."""
    home, out = month[0], tmp_path_factory.mktemp("out")
    [lists] = (home / "lists" / str(AS_OF)).glob("*/*")
    [[client]] = duckdb.sql(f"SELECT min(customer_id) FROM '{lists}/campaign.parquet'").fetchall()
    assert client.startswith(MARKER)
    returned = out / "returned.csv"
    returned.write_text(
        "customer_id,offer_id,as_of,disposition,disposition_at,channel\n"
        f"{client},{MARKER},2026-11-01,{MARKER},{MARKER},{MARKER}\n"
    )
    late = home / "landing" / "2026-12-01"
    shutil.copytree(home / "landing" / str(AS_OF), late)
    told = (late / "manifest.json").read_text()
    (late / "manifest.json").write_text(told.replace(str(AS_OF), late.name))
    (late / "customers.parquet").write_bytes(f"customer_id\n{client}\n".encode())
    month_, run = ("--as-of", str(AS_OF)), lists.name
    new_bank = ["demo", "--customers", "50", "--months", "2", "--home", str(out / "bank")]
    commands = {
        "demo": new_bank,
        "export": ["lists", "export", "--to", str(out / "lists"), *month_],
        "diff": ["lists", "diff", run, run, "--csv", str(out / "diff.csv")],
        "check": ["offers", "check", "--json", str(out / "check.json")],
        "verify": ["offers", "verify", "--export", str(out / "log")],
        "recall": ["offers", "recall", "--customer", client, "--since", "2026-11-02"],
        "asked for": ["lists", "show", "--customer", client, "--columns", "valid_to", *month_],
        "nobody": ["lists", "show", "--customer", f"{client}0", *month_],
        "recall nobody": ["offers", "recall", "--customer", f"{client}0", "--since", "2026-11-02"],
        "unreadable": ["offers", "disposition", "--file", str(returned)],
        "quarantine": ["deliveries", "quarantine"],
        "lookups": ["offers", "lookups"],
        "not as the manifest says": ["ingest", "--as-of", "2026-12-01", "--debug"],
        "no such month": ["offers", "check", "--as-of", "2026-10-01"],
    }
    typed = [[*words, "--home", str(home)] for words in commands.values() if words != new_bank]
    ran = subprocess.run(
        [sys.executable, "-c", TYPED],
        input=json.dumps([new_bank, *typed]),
        capture_output=True,
        text=True,
        check=True,
    )
    shutil.rmtree(late)
    told = dict(zip(commands, json.loads(ran.stdout), strict=True))
    codes = {name: code for name, (code, _) in told.items()}
    printed = {name: said for name, (_, said) in told.items()} | {"": ran.stderr}
    return Later(home, out, codes, printed)


def _mark(delivery: Path, *, is_last: bool) -> None:
    """Put the marker in front of every text that may be anything, and into a bad row's codes."""
    manifest = json.loads((delivery / "manifest.json").read_text())
    for name in manifest["files"]:
        table = TABLES[name.partition(".")[0].partition("/")[0]]
        added = is_last and table.name in ("customers", "accounts", "transactions", "holdings")
        if table.name != "fx_rates":  # has no other text than currencies
            _rewrite(delivery / name, table, with_bad_row=added)
        manifest["files"][name]["rows"] += added
        digest = hashlib.sha256((delivery / name).read_bytes()).hexdigest()
        manifest["files"][name]["sha256"] = digest
    (delivery / "manifest.json").write_text(json.dumps(manifest))


def _rewrite(path: Path, table: Table, *, with_bad_row: bool) -> None:
    is_csv = path.suffix == ".csv"
    source = f"read_csv('{path}', all_varchar = true)" if is_csv else f"'{path}'"
    texts = [column.name for column in table.columns if column.type == "string"]
    codes = NAMED | PLACES | set(CODES.get(table.name, {}))
    marked = ", ".join(f"'{MARKER}' || {name} AS {name}" for name in texts if name not in codes)
    spoilt = codes - PLACES | {table.key[0]}
    bad = ", ".join(f"'{MARKER}' AS {name}" for name in texts if name in spoilt)
    rows = f"SELECT * REPLACE ({marked}) FROM {source}"
    if with_bad_row:
        rows += f" UNION ALL SELECT * REPLACE ({bad}) FROM (FROM ({rows}) LIMIT 1)"
    kind = "csv, HEADER" if is_csv else "parquet"
    written = path.with_suffix(".new")
    duckdb.execute(f"COPY ({rows}) TO '{written}' (FORMAT {kind})")
    written.replace(path)


def written_beside_data(home: Path) -> Iterator[Path]:
    """Every file but the data themselves."""
    for path in home.rglob("*"):
        if path.is_file() and path.relative_to(home).parts[0] not in DATA:
            yield path


def test_the_marked_month_ran_as_a_bank_s_month_does(month):
    home, printed = month
    assert "is complete" in printed
    lists = [path for path in (home / "lists").rglob("*.csv") if MARKER in path.read_text()]
    assert lists
    # the bad rows were seen, and set aside or told
    assert "quarantined 3" in printed


def test_nothing_that_was_printed_shows_a_customer_s_value(month):
    _, printed = month
    assert MARKER not in printed


def test_no_file_beside_the_data_shows_a_customer_s_value(month):
    home, _ = month
    files = list(written_beside_data(home))
    assert {"reports", "mlruns"} <= {path.relative_to(home).parts[0] for path in files}
    assert [path for path in files if MARKER.encode() in path.read_bytes()] == []


def test_no_line_of_the_offer_log_shows_a_customer_s_value(month):
    home, _ = month
    lines = f"FROM '{home}/tables/offer_log/data/**/*.parquet'"
    [count] = duckdb.sql(f"SELECT count(*) {lines}").fetchall()
    assert count > (0,)
    marked = duckdb.sql(f"SELECT count(*) {lines} WHERE line LIKE '%{MARKER}%'").fetchall()
    assert marked == [(0,)]


def test_what_delta_notes_about_its_files_shows_no_customer_s_value(month):
    home, _ = month
    logs = list((home / "tables").rglob("_delta_log/*.json"))
    assert logs
    assert [path for path in logs if MARKER.encode() in path.read_bytes()] == []


def test_no_command_shows_a_customer_s_value_when_it_works_and_none_when_it_fails(later):
    failed = {"nobody", "recall nobody", "no such month"}
    refused = {"unreadable", "not as the manifest says"}
    assert later.codes == {
        name: 1 if name in failed else 3 if name in refused else 0 for name in later.codes
    }, later.printed
    # whoever asks for a client by name has the name
    assert {name for name, said in later.printed.items() if MARKER in said} == {"asked for"}
    assert "is on no list" in later.printed["nobody"]
    assert "SHA-256" in later.printed["not as the manifest says"]


def test_who_looked_up_whom_is_recorded_under_pseudonyms(later):
    record = later.home / "log" / "lookups.jsonl"
    assert MARKER.encode() not in record.read_bytes()
    assert [json.loads(line)["found"] for line in record.read_text().splitlines()] == [
        True, True, False, False,
    ]  # fmt: skip
    assert "4 look-ups; clients 2, who asked 1" in later.printed["lookups"]


def test_what_is_told_beside_lists_shows_no_customer_s_value(later):
    log = [path for path in (later.out / "log").rglob("*") if path.is_file()]
    files = [*log, later.out / "check.json", *written_beside_data(later.home)]
    assert len(log) > 3
    assert [path for path in files if MARKER.encode() in path.read_bytes()] == []


def test_nobody_else_reads_and_no_group_changes_what_is_written(later):
    folders = [later.home / name for name in ("tables", "lists", "log", "mlruns", "reports")]
    exported = ("lists", "log", "diff.csv", "check.json", "bank")
    written = [*folders, *(later.out / name for name in exported)]
    paths = [path for place in written for path in (place, *place.rglob("*"))]
    kinds = {path.suffix for path in paths}
    assert {".parquet", ".json", ".db", ".html", ".xlsx", ".csv", ".jsonl", ".txt"} <= kinds
    too_open = {path: stat.filemode(path.stat().st_mode) for path in paths if _is_too_open(path)}
    assert too_open == {}
    keys = later.home / "log" / "keys"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (keys, *keys.iterdir())} == {
        "keys": 0o700, "signing.pem": 0o600, "vault.key": 0o600,
    }  # fmt: skip


def _is_too_open(path: Path) -> bool:
    mode = stat.S_IMODE(path.lstat().st_mode)
    return bool(mode & ~(0o750 if path.is_dir() else 0o640))
