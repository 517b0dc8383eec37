"""Findings of the measurement as tables in files: CSV for a spreadsheet, Parquet for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from campaigns.csv_file import guarded
from jobs.home import Home
from tables.files import write_tree

PLAIN = pa_csv.WriteOptions(quoting_style="needed")


def measurement_folder(home: Home, as_of: date, run_id: str) -> Path:
    """Where the tables of a measurement lie: each run's its own, published or refused."""
    return home.reports / str(as_of) / f"measurement-{run_id[:12]}"


def measurement_page(home: Home, as_of: date, run_id: str) -> Path:
    """Where the page of all campaigns lies; it leads to the others and to the tables."""
    return measurement_folder(home, as_of, run_id).with_suffix(".html")


def write_findings(folder: Path, findings: Mapping[str, pa.Table]) -> None:
    """Write every table in both forms; the folder as it was is replaced at one instant.

    Args:
        folder: As ``measurement_folder`` says.
        findings: Tables by the name of their files.
    """

    def fill(target: Path) -> None:
        for name, rows in sorted(findings.items()):
            write_rows(rows, target / f"{name}.csv")
            pq.write_table(rows, target / f"{name}.parquet", compression="zstd")

    write_tree(folder, fill)


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write a table for a spreadsheet."""
    pa_csv.write_csv(without_formulas(rows), path, PLAIN)


def without_formulas(rows: pa.Table) -> pa.Table:
    """Texts as a spreadsheet may open them; each different one is looked at once."""
    for place, field in enumerate(rows.schema):
        is_encoded = pa.types.is_dictionary(field.type)
        if is_encoded or pa.types.is_string(field.type):
            rows = rows.set_column(place, field.name, _guarded(rows[field.name]))
    return rows


def _guarded(column: pa.ChunkedArray) -> pa.Array:
    encoded = pa.chunked_array([pc.cast(column, pa.string()).combine_chunks()]).combine_chunks()
    encoded = encoded.dictionary_encode()
    words = [guarded(word) for word in encoded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(encoded.indices)
