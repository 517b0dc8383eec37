"""Bad deliveries, as files anyone can read (tests/bad_inputs): each with what must become of it."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyspark.sql import SparkSession

from conf.load import load_config
from jobs import cli, run_month
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import INGEST
from tables.arrow import arrow_schema
from tables.derived import QUARANTINE
from tables.files import sha256_of
from tables.runs import Runs
from tables.sources import SOURCES
from tables.store import Store
from tests.deliveries import ANY_REASON, COLUMNS, csv_of, write_delivery, write_manifest

CASES = Path(__file__).parent.parent / "bad_inputs"
TABLES = {table.name: table for table in SOURCES}
BEFORE, DAY = "2024-03-01", "2024-04-01"
OPTIONS = ("bank.transaction_buckets=2", ANY_REASON)
# What a row says where a case is silent.
FILLED = {
    "transactions": {
        "account_id": "A1",
        "booked_on": "2024-03-05",
        "amount": "1.00",
        "recorded_at": "2024-03-05T18:00:00Z",
    },
}


def cases(name):
    # Everything is text: what YAML takes for a date or a number is what a file would say.
    return yaml.load((CASES / f"{name}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)


SOUND = cases("sound")
REFUSED = {case["name"]: case for case in cases("refused")}


@pytest.fixture
def xsell(tmp_path, spark, monkeypatch, capsys):
    """The command line on a home, with the session that is there already."""

    @contextmanager
    def open_engine(settings):
        yield spark

    monkeypatch.setattr(run_month, "open_engine", open_engine)

    def run(as_of, most_set_aside=0.5):
        options = (*OPTIONS, f"checks.max_quarantine_share={most_set_aside}")
        settings = [word for option in options for word in ("--set", option)]
        code = cli.main(["ingest", "--as-of", as_of, "--home", str(tmp_path), *settings])
        return code, capsys.readouterr().err

    return run


@pytest.fixture
def typed(tmp_path, capsys):
    """What a command that needs no engine prints."""

    def run(*words):
        assert cli.main([*words, "--home", str(tmp_path)]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def home(tmp_path):
    found = Home(tmp_path)
    found.create()
    return found


@pytest.fixture(scope="module")
def month_before(tmp_path_factory, spark):
    """A home that has taken the sound delivery a month before."""
    home = Home(tmp_path_factory.mktemp("before"))
    home.create()
    write_delivery(home.landing, BEFORE, SOUND)
    config = load_config("local", [*OPTIONS, "checks.max_quarantine_share=0.5"])
    execute(Context(date.fromisoformat(BEFORE), config, home, spark), INGEST)
    return home.path


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_delivery_is_refused_with_a_reason(home, xsell, month_before, name):
    case = REFUSED[name]
    if "after" in case:
        assert case["after"] == BEFORE
        shutil.copytree(month_before, home.path, dirs_exist_ok=True)
    before = len(Runs(home.tables).committed())
    deliver(home.landing, case)

    code, said = xsell(DAY)

    assert code == 3
    for phrase in case["says"]:
        assert phrase in said
    assert "Traceback" not in said
    assert len(Runs(home.tables).committed()) == before


def test_bad_rows_are_set_aside_for_every_rule_they_break_and_no_others(home, xsell, typed):
    found = cases("set_aside")
    expected = _write_rows(home.landing, [(case["table"], case["row"]) for case in found])

    code, said = xsell(DAY, most_set_aside=1.0)

    assert code == 0, said
    told: dict[tuple[str, int], list[str]] = {}
    for row in _store(home).records(QUARANTINE).collect():
        place = (row["table_name"], row["row_number"])
        told.setdefault(place, []).append(f"{row['rule']}({row['column_name']})")
    names = {place: case["name"] for place, case in zip(expected, found, strict=True)}
    assert {names.get(place, place): sorted(rules) for place, rules in told.items()} == {
        case["name"]: sorted(case["rules"]) for case in found
    }

    told = typed("deliveries", "quarantine", "--table", "accounts")
    assert "2024-04-01 accounts: orphan (customer_id) in 1 rows of accounts.csv: deliver" in told
    assert "row 4" in told
    assert "C9" not in told
    assert "row 4: 'C9'" in typed("deliveries", "quarantine", "--table", "accounts", "--values")
    assert re.search(r"^2024-04-01 +11 tables +48 +12 +36 +0$", typed("deliveries", "list"), re.M)
    assert re.search(r"^accounts +4 +2 +2 +0$", typed("deliveries", "show", DAY), re.M)


def test_odd_rows_that_are_right_are_taken(home, xsell):
    found = cases("accepted")
    rows = [
        (case["table"], case["row"]) for case in found for _ in range(int(case.get("times", 1)))
    ]
    _write_rows(home.landing, rows, reverse="transactions")

    code, said = xsell(DAY)

    assert code == 0, said
    assert [row["raw_row"] for row in _store(home).records(QUARANTINE).collect()] == []
    for case in found:
        table = TABLES[case["table"]]
        rows = _store(home).versions(table).collect()
        key = {name: case["row"][name] for name in table.key if name in case["row"]}
        same = [
            row for row in rows
            if all(_text(row[name]) == str(value) for name, value in key.items())
        ]  # fmt: skip
        assert len(same) == 1, case["name"]
        assert {name: _text(same[0][name]) for name in case["known"]} == case["known"]


def _text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "hour"):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def _store(home):
    record = Runs(home.tables).committed()[-1]
    return Store(home.tables, SparkSession.active(), record.pins)


def _write_rows(landing, rows, reverse=None):
    """The sound delivery with more rows; returns the place of each."""
    folder = write_delivery(landing, DAY, SOUND)
    places = []
    for name, row in rows:
        path = folder / f"{name}.csv"
        cells = _defaults(name) | FILLED.get(name, {}) | row
        line = ",".join(cells[column] for column in COLUMNS[name])
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(line + "\n")
        places.append((name, _rows_in(path) - 1))
    if reverse:
        _reverse_columns(folder / f"{reverse}.csv")
    write_manifest(folder, files=_counted(folder))
    return places


def _defaults(name):
    header, line = csv_of(name, f"{COLUMNS[name][0]}\nx").splitlines()
    return dict(zip(header.split(","), line.split(","), strict=True))


def _rows_in(path):
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(line.replace("\0", "") for line in file))


def _counted(folder):
    return {
        path.name: {"rows": _rows_in(path) - 1, "sha256": sha256_of(path)}
        for path in sorted(folder.glob("*.csv"))
    }


def _reverse_columns(path):
    with path.open(encoding="utf-8", newline="") as file:
        lines = [row[::-1] for row in csv.reader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def deliver(landing, case):
    """The sound delivery, changed as a case says."""
    tables = dict(SOUND)
    if "table" in case:
        tables[case["table"]] = case["text"]
    folder = write_delivery(landing, DAY, tables)
    if "file" in case:
        (folder / case["file"]).write_bytes(case["raw"].encode(case.get("encoding", "utf-8")))
    if edit := case.get("edit"):
        path = folder / edit["file"]
        path.write_text(path.read_text().replace(edit["from"], edit["to"]))
    write_manifest(folder, **case.get("manifest", {}))
    if "do" in case:
        globals()[f"do_{case['do']}"](folder)


def do_cut_after_manifest(folder):
    path = folder / "transactions.csv"
    path.write_bytes(path.read_bytes()[:-3])


def do_utf_16(folder):
    path = folder / "branches.csv"
    path.write_bytes(path.read_text().encode("utf-16"))
    write_manifest(folder)


def do_folder_instead_of_file(folder):
    (folder / "branches.csv").unlink()
    (folder / "branches.csv").mkdir()


def _replace_branches(folder, name, content, rows=2):
    (folder / "branches.csv").unlink()
    (folder / name).write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files["branches.csv"]
    files[name] = {"rows": rows, "sha256": sha256_of(folder / name)}
    write_manifest(folder, files=files)


def do_gz_that_is_none(folder):
    _replace_branches(folder, "branches.csv.gz", (folder / "branches.csv").read_bytes())


def do_cut_gz(folder):
    packed = gzip.compress((folder / "branches.csv").read_bytes() * 200)
    _replace_branches(folder, "branches.csv.gz", packed[: len(packed) // 2])


def do_zip_bomb(folder):
    start = (folder / "branches.csv").read_bytes()
    _replace_branches(folder, "branches.csv.gz", gzip.compress(start + b"B," * (16 << 20)))


def do_parquet_that_is_none(folder):
    _replace_branches(folder, "branches.parquet", b"PAR1 no more PAR1")


def do_parquet_with_numbers_as_ids(folder):
    rows = pa.table({"branch_id": [1], "name": ["North"], "region": ["N"], "recorded_at": [None]})
    pq.write_table(
        rows.set_column(3, "recorded_at", pa.nulls(1, pa.timestamp("us", "UTC"))),
        folder / "made",
    )
    content = (folder / "made").read_bytes()
    (folder / "made").unlink()
    _replace_branches(folder, "branches.parquet", content, rows=1)


def do_parquet_with_float_money(folder):
    schema = arrow_schema(TABLES["transactions"])
    place = schema.get_field_index("amount")
    pq.write_table(
        schema.set(place, pa.field("amount", pa.float64())).empty_table(),
        folder / "transactions.parquet",
    )
    (folder / "transactions.csv").unlink()
    write_manifest(folder)


def do_link_instead_of_file(folder):
    target = folder.parent.parent / "elsewhere.csv"
    (folder / "branches.csv").rename(target)
    (folder / "branches.csv").symlink_to(target)


def _edit_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["files"])
    path.write_text(json.dumps(manifest))


def do_traversal(folder):
    _edit_manifest(folder, lambda files: files.update({"../x.csv": files["branches.csv"]}))


def do_no_manifest(folder):
    (folder / "manifest.json").unlink()


def do_manifest_no_json(folder):
    (folder / "manifest.json").write_text('{"delivery": ')


def do_manifest_names_twice(folder):
    entry = json.dumps({"rows": 2, "sha256": "0" * 64})
    twice = f'{{"branches.csv": {entry}, "branches.csv": {entry}}}'
    (folder / "manifest.json").write_text(f'{{"delivery": "{DAY}", "files": {twice}}}')


def do_manifest_lies_about_rows(folder):
    _edit_manifest(folder, lambda files: files["branches.csv"].update(rows=7))


def do_manifest_lies_about_content(folder):
    _edit_manifest(folder, lambda files: files["branches.csv"].update(sha256="0" * 64))


def do_forgotten_file(folder):
    (folder / "notes.csv").write_text("a\n")


def do_missing_file(folder):
    (folder / "branches.csv").unlink()


def do_missing_table(folder):
    (folder / "flags.csv").unlink()
    write_manifest(folder)


def do_unknown_table(folder):
    (folder / "transaction.csv").write_text("a\n")
    write_manifest(folder)


def do_two_ways(folder):
    (folder / "branches").mkdir()
    (folder / "branches" / "part-1.csv").write_bytes((folder / "branches.csv").read_bytes())
    write_manifest(folder)


def do_folder_no_date(folder):
    folder.rename(folder.parent / "april")


def do_gap(folder):
    write_delivery(folder.parent, "2024-01-01", SOUND)


def do_past_delivery_changed(folder):
    path = folder.parent / "2024-03-01" / "branches.csv"
    path.write_text(path.read_text().replace("North", "Nord"))
    write_manifest(path.parent)


def do_late_delivery(folder):
    write_delivery(folder.parent, "2024-02-15", SOUND)
