"""Findings as files: what a spreadsheet opens is no formula, what a program reads is as found."""

from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.measurement.files import write_findings

NAME = pa.dictionary(pa.int32(), pa.string())


def test_every_table_is_written_in_both_forms_and_no_cell_is_a_formula(tmp_path):
    rows = pa.table(
        {
            "value": ["=1+1", 'a, "b"', None, "=1+1"],
            "branch": pa.array(["@B1", "B2", "B2", None]).cast(NAME),
            "effect": [-1.5, None, 0.25, 2.0],
            "is_sure": [True, False, False, True],
        }
    )
    folder = tmp_path / "measurement"
    write_findings(folder, {"gone": rows})
    write_findings(folder, {"results": rows})
    assert {path.name for path in folder.iterdir()} == {"results.csv", "results.parquet"}
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["value", "branch", "effect", "is_sure"],
            ["'=1+1", "'@B1", "-1.5", "true"],
            ['a, "b"', "B2", "", "false"],
            ["", "B2", "0.25", "false"],
            ["'=1+1", "", "2", "true"],
        ]
    assert pq.read_table(folder / "results.parquet").equals(rows)
