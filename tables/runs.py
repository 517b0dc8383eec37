"""The `runs` table: a row per committed run, and all that makes its results visible."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tables.arrow import arrow_schema
from tables.base import Table, columns
from tables.delta import (
    NONE,
    DataFile,
    commit_files,
    files_of,
    latest_version,
    remove_uncommitted,
)
from tables.files import make_folder

RUNS = Table(
    name="runs",
    grain="one row per committed run of one step",
    key=("sequence",),
    kind="record",
    columns=columns(
        "sequence bigint -- order of commits, from 1",
        "run_id string -- hash of step, as-of date, campaign, inputs, configuration, models, code",
        "step string -- ingest, features, train, score, campaign or measure; export, disposition,"
        " erase or retention",
        "as_of date -- cut-off of the run",
        "campaign_id string -- the campaign configured",
        "supersedes string? -- run of the same step and date that this one replaces",
        "inputs string -- JSON: what was read, name to run_id or digest",
        "pins string -- JSON: version of every table read or written",
        "outputs string -- JSON: SHA-256 of every file written, by table and path; of files"
        " rewritten in place, under rewritten, the old one and the new one",
        "counts string -- JSON: what the summary shows",
        "config_hash string -- SHA-256 of the merged configuration",
        "config string -- the merged configuration, JSON",
        "code_version string -- version and digest of the code",
        "engine string -- embedded, spark or connect; none where none was needed",
        "seconds double -- how long the run took",
        "status string -- committed: a row of any other kind is never written",
    ),
)


@dataclass(frozen=True)
class RunRecord:
    """One row of ``runs``."""

    run_id: str
    step: str
    as_of: date
    campaign_id: str
    supersedes: str | None
    inputs: Mapping[str, str]
    pins: Mapping[str, int]
    outputs: Mapping[str, Mapping[str, str]]
    counts: Mapping[str, object]
    config_hash: str
    config: str
    code_version: str
    engine: str
    seconds: float
    sequence: int = 0
    status: str = field(default="committed")


class Runs:
    """All committed runs of one bank, in order of their commits."""

    def __init__(self, tables_folder: Path) -> None:
        self._folder = tables_folder / RUNS.name

    def committed(self) -> list[RunRecord]:
        """Every committed run, oldest first."""
        files = files_of(self._folder, latest_version(self._folder))
        rows = [row for file in files for row in _rows(self._folder / file.path)]
        return sorted((_record(row) for row in rows), key=lambda record: record.sequence)

    def find(self, run_id: str) -> RunRecord | None:
        """The run of that id."""
        return next((record for record in self.committed() if record.run_id == run_id), None)

    def current(self, step: str, as_of: date) -> RunRecord | None:
        """The run that stands for a step and as-of date: the last one committed."""
        return self.newest(step, lambda record: record.as_of == as_of)

    def newest(self, step: str, accept: Callable[[RunRecord], bool]) -> RunRecord | None:
        """The last committed run of a step that ``accept`` takes."""
        runs = [record for record in self.committed() if record.step == step]
        return next((record for record in reversed(runs) if accept(record)), None)

    def head(self, table_name: str) -> int | None:
        """The table's version that the last run to write it committed."""
        writers = [record for record in self.committed() if table_name in record.outputs]
        return writers[-1].pins[table_name] if writers else None

    def remove_leftovers(self, tables: Iterable[str]) -> None:
        """Remove what killed runs have left in tables. Only under the run lock."""
        committed = self.committed()
        remove_uncommitted(self._folder, ())
        for name in tables:
            pinned = {record.pins[name] for record in committed if name in record.pins}
            remove_uncommitted(self._folder.parent / name, pinned)

    def append(self, record: RunRecord) -> RunRecord:
        """Commit a run: after this call, and not before, readers see what it produced.

        Raises:
            deltalake.exceptions.CommitFailedError: Somebody else committed meanwhile.
        """
        version = latest_version(self._folder)
        present = files_of(self._folder, version)
        numbered = RunRecord(**{**record.__dict__, "sequence": len(present) + 1})
        new = self._write(numbered)
        after = NONE if version is None else version
        commit_files(self._folder, RUNS, [*present, new], record.run_id, after)
        return numbered

    def _write(self, record: RunRecord) -> DataFile:
        make_folder(self._folder / "data")
        path = self._folder / "data" / f"{record.run_id[:12]}-{uuid.uuid4().hex}.parquet"
        row = pa.Table.from_pylist([_row(record)], schema=arrow_schema(RUNS))
        pq.write_table(row, path)
        return DataFile(path.relative_to(self._folder).as_posix(), 1, path.stat().st_size)


def _rows(path: Path) -> list[dict[str, object]]:
    with pq.ParquetFile(path) as file:  # `read_table` takes five times as long for one row
        rows: list[dict[str, object]] = file.read().to_pylist()
        return rows


JSON_FIELDS = ("inputs", "pins", "outputs", "counts")


def _row(record: RunRecord) -> dict[str, object]:
    row = dict(record.__dict__)
    for name in JSON_FIELDS:
        row[name] = json.dumps(row[name], sort_keys=True, ensure_ascii=False)
    return row


def _record(row: dict[str, object]) -> RunRecord:
    for name in JSON_FIELDS:
        row[name] = json.loads(str(row[name]))
    return RunRecord(**row)  # type: ignore[arg-type]
