"""How a month is delivered changes no feature: at once or in two parts, in whatever order."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from features.catalogue import customer_features_table
from jobs.home import Home
from jobs.publishing import Context, execute
from jobs.steps import FEATURES, INGEST
from tables.files import sha256_of
from tables.sources import SOURCES
from tables.store import Store
from tests.month import AS_OF

pytestmark = pytest.mark.slow  # half a minute: two ingests of the whole history

BEFORE, MIDDLE = date(2026, 10, 1), date(2026, 10, 16)
TABLES = {table.name: table for table in SOURCES}
KNOWN = f"recorded_at::timestamptz < timestamptz '{MIDDLE} 00:00:00+00'"
# What stood in a whole table in the middle of the month: what was recorded by then, and the rows of
# the delivery before that were changed or removed later.
STATE = """
from {now} where {known} union all
from {before} anti join (from {now} where {known}) using ({key})
"""
COPY = "copy (from ({query}) r order by hash(r::varchar)) to '{path}' (format {kind})"


def features_of(home, config):
    """What was published."""
    record = Context(AS_OF, config, home, None).runs.current("features", AS_OF)
    table = customer_features_table(tuple(config.products))
    return Store(home.tables, None, record.pins).arrow(table, AS_OF)


@pytest.fixture(scope="module")
def delivered_otherwise(bank, spark, tmp_path_factory):
    """The same bank: October in two deliveries, the rows of every file in another order."""
    home = Home(tmp_path_factory.mktemp("otherwise"))
    home.create()
    for folder in sorted(bank.home.landing.iterdir()):
        if folder.name != str(AS_OF):
            unchanged = {path.name: f"from {rows(path)}" for path in data(folder)}
            deliver(home.landing / folder.name, unchanged)
    for day, queries in october_in_two(bank.home.landing).items():
        deliver(home.landing / str(day), queries)
    context = Context(AS_OF, bank.config, home, spark)
    execute(context, INGEST)
    execute(context, FEATURES)
    return home


def october_in_two(landing):
    """Queries by file: what was recorded in each half, and whole tables as they stood then."""
    parts = {MIDDLE: {}, AS_OF: {}}
    for path in data(landing / str(AS_OF)):
        table, now = TABLES[path.stem], rows(path)
        before = rows(landing / str(BEFORE) / path.name)
        if table.kind == "increment":
            parts[MIDDLE][path.name] = f"from {now} where {KNOWN}"
            parts[AS_OF][path.name] = f"from {now} where not {KNOWN}"
        else:
            parts[MIDDLE][path.name] = STATE.format(
                now=now, before=before, known=KNOWN, key=", ".join(table.key)
            )
            parts[AS_OF][path.name] = f"from {now}"
    return parts


def data(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in (".csv", ".parquet")]


def rows(path: Path) -> str:
    """A file as DuckDB reads it; CSV as the text that stands there."""
    return f"read_csv('{path}', all_varchar = true)" if path.suffix == ".csv" else f"'{path}'"


def deliver(folder: Path, queries: dict[str, str]) -> None:
    """A delivery with a true manifest."""
    folder.mkdir()
    files = {}
    for name, query in queries.items():
        path = folder / name
        kind = "csv, header" if path.suffix == ".csv" else "parquet"
        [count] = duckdb.execute(COPY.format(query=query, path=path, kind=kind)).fetchone()
        files[name] = {"rows": count, "sha256": sha256_of(path)}
    manifest = {"delivery": folder.name, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def manifest_rows(folder: Path) -> dict[str, int]:
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    return {Path(name).stem: entry["rows"] for name, entry in entries.items()}


def test_both_parts_of_the_month_bring_something(bank, delivered_otherwise):
    first, rest = (manifest_rows(delivered_otherwise.landing / str(d)) for d in (MIDDLE, AS_OF))
    at_once = manifest_rows(bank.home.landing / str(AS_OF))
    for name in ("transactions", "contacts", "consents"):
        assert first[name] + rest[name] == at_once[name]
        assert min(first[name], rest[name]) > 0
    for name in ("customers", "accounts", "holdings", "flags"):
        assert rest[name] == at_once[name] > 0
    for name in ("customers", "holdings"):
        assert first[name] < rest[name]


def test_the_same_month_delivered_otherwise_gives_the_same_features(bank, delivered_otherwise):
    expected = features_of(bank.home, bank.config)

    assert expected.num_rows > 400
    assert features_of(delivered_otherwise, bank.config).equals(expected)
