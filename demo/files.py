"""Files of deliveries and of the truth: same rows, same bytes; each with its digest for the manifest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Identifiers of rows never repeat, so a dictionary of them is wasted work.
UNIQUE = ("transaction_id", "holding_id", "contact_id", "balance_after", "amount", "recorded_at")
FORMAT = {
    "compression": "zstd",
    "compression_level": 1,
    "store_schema": False,  # strings stay strings for all readers
    "store_decimal_as_integer": True,
    "write_statistics": False,
}


@dataclass(frozen=True)
class Written:
    """A data file of a delivery."""

    delivery: str
    table: str
    path: str  # relative to the delivery's folder
    rows: int
    sha256: str


def write_parquet(landing: Path, delivery: str, table: str, part: str | None, rows: pa.Table) -> Written:
    """One file of a table, or one part of its folder."""
    path = f"{table}.parquet" if part is None else f"{table}/{part}.parquet"
    sink = pa.BufferOutputStream()
    write_rows(rows, sink)
    return _write(landing, delivery, table, path, rows.num_rows, sink.getvalue().to_pybytes())


def write_rows(rows: pa.Table, sink: pa.NativeFile | Path) -> None:
    """Parquet as every file of the bank is written."""
    repeating = [name for name in rows.column_names if name not in UNIQUE]
    pq.write_table(rows, sink, use_dictionary=repeating, **FORMAT)


def write_csv(
    landing: Path, delivery: str, table: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> Written:
    """A small table as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    lines = list(rows)
    writer.writerows(lines)
    return _write(landing, delivery, table, f"{table}.csv", len(lines), text.getvalue().encode())


def write_manifest(landing: Path, delivery: str, files: Iterable[Written]) -> None:
    """The delivery is complete: name every file with its rows and digest."""
    named = {file.path: {"rows": file.rows, "sha256": file.sha256} for file in files}
    manifest = {"delivery": delivery, "files": dict(sorted(named.items()))}
    text = json.dumps(manifest, indent=1) + "\n"
    (landing / delivery / "manifest.json").write_text(text, encoding="utf-8")


def _write(landing: Path, delivery: str, table: str, path: str, rows: int, content: bytes) -> Written:
    target = landing / delivery / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return Written(delivery, table, path, rows, sha256(content).hexdigest())
