"""Deliveries for tests: tables written as text in the test, the manifest made true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tables.sources import SOURCES

# A setting for deliveries of a few rows, where any bad one is many.
ANY_REASON = "checks.max_quarantine_share_by_rule={duplicate_key: 1.0, orphan: 1.0, future: 1.0}"
COLUMNS = {table.name: table.column_names for table in SOURCES}
DEFAULTS = {
    "is_employee": "false",
    "recorded_at": "2023-01-01T09:00:00Z",
    "branch_id": "B1",
    "joined_on": "2023-01-01",
    "opened_on": "2023-01-01",
    "currency": "EUR",
    "product_id": "current_account",
}
NOT_DEFAULTED = {"contacts": {"branch_id"}}


def csv_of(table_name: str, text: str = "") -> str:
    """A complete CSV of a table from ``a | b`` lines under a header; the rest is filled in."""
    lines = [
        [cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line
    ]
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    left_out = NOT_DEFAULTED.get(table_name, set())
    # such as the mark of a deletion
    names = [*COLUMNS[table_name], *(name for name in header if name not in COLUMNS[table_name])]
    filled = [
        ",".join(
            dict(zip(header, row, strict=True)).get(
                name, "" if name in left_out else DEFAULTS.get(name, "")
            )
            for name in names
        )
        for row in rows
    ]
    return "\n".join([",".join(names), *filled]) + "\n"


def write_delivery(landing: Path, day: str, tables: Mapping[str, str] | None = None) -> Path:
    """A delivery with every table: those given as in ``csv_of``, the others without rows."""
    folder = landing / day
    folder.mkdir(parents=True)
    for name in COLUMNS:
        (folder / f"{name}.csv").write_text(csv_of(name, (tables or {}).get(name, "")))
    write_manifest(folder)
    return folder


def write_manifest(folder: Path, **changes: object) -> None:
    """A true manifest of what lies in the folder; ``changes`` replace its entries."""
    files = {
        path.relative_to(folder).as_posix(): {
            "rows": max(path.read_bytes().count(b"\n") - 1, 0) if path.suffix == ".csv" else 0,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    content = {"delivery": folder.name, "files": files, **changes}
    (folder / "manifest.json").write_text(json.dumps(content))
