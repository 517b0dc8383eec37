"""The Berka bank's raw files as monthly deliveries in the standard shape (DESIGN §3).

Every row says when the bank knew it: the evening of the day on which it happened. A delivery
brings what was known before its day, so that history grows on both clocks as it did in 1993. What
the files tell only of a later time, or without a time, is not used: standing orders, district
statistics of 1995, how loans ended.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa

from conf.source import SourceSettings
from extracts.berka_facts import Row, berka_facts, customer_id
from extracts.berka_files import SLICE_ENDS, read_berka
from extracts.deliveries import MANIFEST
from tables.errors import UserError
from tables.files import write_tree
from tables.sources import SOURCES
from tables.windows import months_before

LONG_AGO = datetime.min.replace(tzinfo=UTC)
COLUMNS = {table.name: table.column_names for table in SOURCES}


def make_berka_deliveries(
    data: Path, landing: Path, as_of: date, source: SourceSettings
) -> list[str]:
    """Write one delivery per month up to ``as_of``; the same files give the same bytes.

    Args:
        data: Folder of the raw files (see their PROVENANCE.md).
        landing: Where deliveries go.
        as_of: Day of the last delivery, the first of a month.
        source: The settings of `conf/sources/berka.yaml`.

    Returns:
        Days of the deliveries.

    Raises:
        UserError: A raw file is missing, or ``as_of`` is beyond the complete slice.
        ContractViolation: A code in the files is not in the settings.
    """
    adapter = source.adapter
    assert adapter is not None
    if months_before(as_of, 1) > SLICE_ENDS:
        raise UserError(
            f"the Berka transactions are complete until {SLICE_ENDS} only;"
            f" {as_of} is too late. Choose 1994-04-01 or a month before"
        )
    facts = berka_facts(read_berka(data), adapter)
    days = list(_months(adapter.history_from, as_of))
    known_until = LONG_AGO
    for day in days:
        midnight = datetime.combine(day, time(), UTC)
        files = {
            name: _delivered(rows, source.delivery_of(name).delivery, known_until, midnight)
            for name, rows in facts.items()
        }
        _write_delivery(landing, day, files, source.delimiter)
        known_until = midnight
    return [day.isoformat() for day in days]


def loan_outcomes(data: Path, as_of: date) -> pa.Table:
    """What happened later, for the back-test only: nothing of it is ever delivered.

    Returns:
        One row per customer who had no loan before ``as_of``: ``customer_id`` and ``granted_on``,
        the day of a loan taken on or after it, null if there was none to the end of 1998.
    """
    files = read_berka(data)
    granted = {loan.account_id: loan.granted_on for loan in files.loans}
    rows = [
        {"customer_id": customer_id(account), "granted_on": granted.get(account.account_id)}
        for account in files.accounts.values()
        if account.opened_on < as_of and granted.get(account.account_id, as_of) >= as_of
    ]
    rows.sort(key=lambda row: str(row["customer_id"]))
    schema = pa.schema([("customer_id", pa.string()), ("granted_on", pa.date32())])
    return pa.Table.from_pylist(rows, schema=schema)


def _months(first: date, last: date) -> Iterator[date]:
    """First days of the months after ``first`` up to ``last``."""
    day = months_before(first.replace(day=1), -1)
    while day <= last:
        yield day
        day = months_before(day, -1)


def _delivered(
    rows: Sequence[Row], delivery: str, known_until: datetime, midnight: datetime
) -> list[Row]:
    """What a delivery brings: all that is known, or what became known since the one before."""
    since = known_until if delivery == "increment" else LONG_AGO
    return [row for row in rows if since <= _recorded_at(row) < midnight]


def _recorded_at(row: Row) -> datetime:
    recorded_at = row["recorded_at"]
    assert isinstance(recorded_at, datetime)
    return recorded_at


def _write_delivery(
    landing: Path, day: date, tables: Mapping[str, Sequence[Row]], delimiter: str
) -> None:
    def write(folder: Path) -> None:
        files = {}
        for name, rows in tables.items():
            path = folder / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as text:
                writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
                writer.writerow(COLUMNS[name])
                writer.writerows([_text(row.get(key)) for key in COLUMNS[name]] for row in rows)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[path.name] = {"rows": len(rows), "sha256": digest}
        manifest = {"delivery": day.isoformat(), "files": files}
        content = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        (folder / MANIFEST).write_text(content, encoding="utf-8")

    write_tree(landing / day.isoformat(), write)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
