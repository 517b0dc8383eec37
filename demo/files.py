"""Files of deliveries and of the truth: same rows, same bytes; each with its digest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MANIFEST = "manifest.json"
# Values that hardly repeat: a dictionary of them would be wasted work.
UNIQUE = ("transaction_id", "holding_id", "contact_id", "balance_after", "amount", "recorded_at")
FORMAT: dict[str, Any] = {
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


def write_parquet(folder: Path, table: str, part: str | None, rows: pa.Table) -> Written:
    """A table's file in a delivery, or one part of its folder."""
    sink = pa.BufferOutputStream()
    write_rows(rows, sink)
    name = f"{table}.parquet" if part is None else f"{table}/{part}.parquet"
    file = Written(folder.name, table, name, rows.num_rows, sha256="")
    return _write(folder / name, file, sink.getvalue())


def write_rows(rows: pa.Table, sink: pa.NativeFile | Path) -> None:
    """Parquet as every file of the bank is written."""
    repeating = [name for name in rows.column_names if name not in UNIQUE]
    pq.write_table(rows, sink, use_dictionary=repeating, **FORMAT)


def write_csv(
    folder: Path, table: str, header: Sequence[str], lines: Sequence[Sequence[str]]
) -> Written:
    """A small table as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    name = f"{table}.csv"
    file = Written(folder.name, table, name, len(lines), sha256="")
    return _write(folder / name, file, text.getvalue().encode())


def write_manifest(folder: Path, files: Iterable[Written]) -> None:
    """The delivery is complete: name every file with its rows and digest."""
    named = {file.path: {"rows": file.rows, "sha256": file.sha256} for file in files}
    manifest = {"delivery": folder.name, "files": dict(sorted(named.items()))}
    text = json.dumps(manifest, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _write(target: Path, file: Written, content: bytes | pa.Buffer) -> Written:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return replace(file, sha256=sha256(content).hexdigest())
