"""`xsell deliveries`: what came, what was set aside, and what to tell the source team."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from extracts.rules import FIXES, Rule
from jobs.home import Home
from tables.base import Table
from tables.derived import DELIVERIES, QUARANTINE
from tables.errors import UserError
from tables.runs import Runs
from tables.store import Store

Row = dict[str, Any]
COUNTS = ("rows_in", "rows_accepted", "rows_quarantined", "rows_erased")
HEADER = ("rows in", "accepted", "quarantined", "erased")


def list_command(options: argparse.Namespace) -> int:
    """Print every ingested delivery with its rows."""
    entries = _records(options, DELIVERIES)
    lines = [
        (str(day), f"{len(tables)} tables", *_totals(tables))
        for day, tables in _grouped(entries, "delivery")
    ]
    _write([("delivery", "", *HEADER), *lines])
    return 0


def show_command(options: argparse.Namespace) -> int:
    """Print the tables of one delivery.

    Raises:
        UserError: It was not ingested.
    """
    entries = _records(options, DELIVERIES)
    chosen = [entry for entry in entries if str(entry["delivery"]) == options.delivery]
    if not chosen:
        days = ", ".join(str(day) for day, _ in _grouped(entries, "delivery"))
        raise UserError(f"delivery {options.delivery} was not ingested; there are {days}")
    _write([("table", *HEADER), *((one["table_name"], *_totals([one])) for one in chosen)])
    sys.stdout.write(f"manifest SHA-256 {chosen[0]['manifest_sha256']}\n")
    return 0


def quarantine_command(options: argparse.Namespace) -> int:
    """Print why rows were set aside, where they stand, and how to mend them."""
    reasons = [
        row
        for row in _records(options, QUARANTINE)
        if options.delivery in (None, str(row["delivery"]))
        and options.table in (None, row["table_name"])
    ]
    for (day, table, file, rule, column), rows in _grouped(
        reasons, "delivery", "table_name", "file_name", "rule", "column_name"
    ):
        sys.stdout.write(
            f"{day} {table}: {rule} ({column}) in {len(rows)} rows of {file}: {FIXES[Rule(rule)]}\n"
        )
        for row in rows[: options.rows]:
            value = f": {row['value']!r}" if options.values else ""
            sys.stdout.write(f"    row {row['row_number']}{value}\n")
    if not reasons:
        sys.stdout.write("Nothing is in quarantine.\n")
    return 0


def _records(options: argparse.Namespace, table: Table) -> list[Row]:
    home = Home(Path(options.home).resolve())
    record = Runs(home.tables).newest("ingest", lambda _: True)
    if record is None:
        raise UserError("nothing has been ingested yet. Run xsell ingest --as-of YYYY-MM-01 first")
    return list(Store(home.tables, None, record.pins).arrow_records(table).to_pylist())


def _grouped(rows: Iterable[Row], *names: str) -> list[tuple[Any, list[Row]]]:
    """Rows by the values of some columns, in their order; one value stands for itself."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in names)

    groups = groupby(sorted(rows, key=key), key)
    return [(found[0] if len(names) == 1 else found, list(group)) for found, group in groups]


def _totals(entries: Sequence[Row]) -> tuple[str, ...]:
    return tuple(f"{sum(entry[name] or 0 for entry in entries):,}" for name in COUNTS)


def _write(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        cells = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
        sys.stdout.write("  ".join([first.ljust(widths[0]), *cells]).rstrip() + "\n")
