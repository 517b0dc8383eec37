"""A whole month on a bank whose every text says CANARY: no message, log or report does.

Data are what is made to hold customers' values: deliveries, tables and lists.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
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
    settings = [word for item in (*SMALL, *TOLERANT) for word in ("--set", item)]
    command = [sys.executable, "-m", "jobs.cli", "run", "--debug", "--home", str(home)]
    ran = subprocess.run(
        [*command, "--as-of", str(AS_OF), *settings], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return home, ran.stdout + ran.stderr


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
