"""Commit rows of append-only tables outside of a month's steps; no engine is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from jobs.home import Home
from jobs.runs.identity import code_version
from jobs.runs.rewritten import REWRITTEN
from jobs.runs.staging import Staging
from tables.base import Table
from tables.delta import commit_files, digests, files_of
from tables.runs import RunRecord, Runs

NO_ENGINE = "none"


@dataclass(frozen=True)
class Entry:
    """What is recorded, as ``runs`` tells it.

    Attributes:
        run_id: Hash of what it was made from: the same again is found done.
        step: What was done.
        as_of: Month it belongs to.
        inputs: What was read, name → run_id or digest.
        counts: Facts about it.
        made_by: A run, best a campaign, whose campaign and configuration it shares.
        rewritten: Files that were rewritten in place, as ``jobs.runs.rewritten`` tells it.
    """

    run_id: str
    step: str
    as_of: date
    inputs: Mapping[str, str]
    counts: Mapping[str, object]
    made_by: RunRecord
    rewritten: Mapping[str, str] = field(default_factory=dict)


def commit_rows(home: Home, entry: Entry, rows: Sequence[tuple[Table, pa.Table]]) -> RunRecord:
    """Append rows and commit them at one instant; call it under the run lock.

    Args:
        home: Where.
        entry: What ``runs`` says about it.
        rows: Of tables of the kind ``record``; a table without new rows stays as it is.
    """
    runs = Runs(home.tables)
    written = [table.name for table, _ in rows]
    runs.remove_leftovers(written)
    if (done := runs.find(entry.run_id)) is not None:
        return done
    staging = Staging(home.tables, entry.run_id, entry.as_of, partitions=1)
    pins: dict[str, int] = {}
    outputs: dict[str, Mapping[str, str]] = {}
    if entry.rewritten:
        outputs[REWRITTEN] = entry.rewritten
    for table, added in rows:
        if not added.num_rows:
            continue
        staging.stage(table, added)
        folder, staged = home.tables / table.name, staging.files[table.name]
        files = [*files_of(folder, runs.head(table.name)), *staged]
        pins[table.name] = commit_files(folder, table, files, entry.run_id)
        outputs[table.name] = digests(folder, staged)
    record = runs.append(
        RunRecord(
            run_id=entry.run_id,
            step=entry.step,
            as_of=entry.as_of,
            campaign_id=entry.made_by.campaign_id,
            supersedes=None,
            inputs=entry.inputs,
            pins=pins,
            outputs=outputs,
            counts=entry.counts,
            config_hash=entry.made_by.config_hash,
            config=entry.made_by.config,
            code_version=code_version(),
            engine=NO_ENGINE,
            seconds=0.0,
        )
    )
    runs.remove_leftovers(written)
    return record
