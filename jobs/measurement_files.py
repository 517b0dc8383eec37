"""Findings of the measurement as tables in files: CSV for a spreadsheet, Parquet for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from campaigns.csv_file import write_csv
from jobs.home import Home
from tables.files import write_tree


def measurement_folder(home: Home, as_of: date) -> Path:
    """Where the tables of a measurement lie."""
    return home.reports / str(as_of) / "measurement"


def write_findings(folder: Path, findings: Mapping[str, pa.Table]) -> None:
    """Write every table in both forms; the folder as it was is replaced at one instant.

    Args:
        folder: As ``measurement_folder`` says.
        findings: Tables by the name of their files.
    """

    def fill(target: Path) -> None:
        for name, rows in sorted(findings.items()):
            write_csv(target / f"{name}.csv", rows)
            pq.write_table(rows, target / f"{name}.parquet", compression="zstd")

    write_tree(folder, fill)
