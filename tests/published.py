"""What a home has published, to compare two homes."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.home import Home
from jobs.steps import MONTH, Step
from tables.delta import files_of
from tables.runs import RunRecord, Runs
from tests.month import AS_OF


def records(home: Home, steps: Iterable[Step] = MONTH) -> dict[str, RunRecord | None]:
    """The run that stands, by step."""
    runs = Runs(home.tables)
    return {step.name: runs.current(step.name, AS_OF) for step in steps}


def rows(home: Home, name: str, version: int) -> pa.Table | None:
    """All rows of a version, sorted by all columns that have an order; None if there are none."""
    folder = home.tables / name
    paths = [folder / file.path for file in files_of(folder, version)]
    if not paths:
        return None
    whole = pa.concat_tables(_without_promises(pq.read_table(p, partitioning=None)) for p in paths)
    plain = [
        (field.name, "ascending") for field in whole.schema if not pa.types.is_list(field.type)
    ]
    return whole.sort_by(plain)


def _without_promises(part: pa.Table) -> pa.Table:
    """Engines differ in what they write as never null, and in what they call a list's elements.

    Delta's schema says both, not the files.
    """
    schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in part.schema])
    return part.replace_schema_metadata(None).cast(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", kind.value_type)) if pa.types.is_list(kind) else kind
