"""The entries of the offer log in their order, some at a time: a log is larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tables.arrow import arrow_schema
from tables.delta import DataFile
from tables.derived import CHECKPOINTS, OFFER_LOG
from tables.store import Store

ENTRIES_AT_ONCE = 500_000
COLUMNS = ("client", "offer_id", "line", "leaf")  # of an entry, all that its leaf is made of


def checkpoints_in_order(store: Store) -> list[dict[str, Any]]:
    """Rows of ``CHECKPOINTS``, the shortest log first."""
    rows: list[dict[str, Any]] = store.arrow_records(CHECKPOINTS).to_pylist()
    return sorted(rows, key=lambda row: int(row["size"]))


def in_order(
    folder: Path, files: Sequence[DataFile], columns: Sequence[str], run_id: str
) -> Iterator[pa.Table]:
    """The entries of a run by position, in tables of at most ``ENTRIES_AT_ONCE``.

    Files hold rows by position, so that of each only the rows asked for are read.

    Args:
        folder: Where the files of ``offer_log`` lie.
        files: Those that may hold entries of the run.
        columns: Which; ``position`` comes with them.
        run_id: Whose.
    """
    paths = [str(folder / file.path) for file in files]
    rows = ds.dataset(paths, schema=arrow_schema(OFFER_LOG), format="parquet")
    names, first = ["position", *columns], 0
    while True:
        wanted = (
            (pc.field("run_id") == run_id)
            & (pc.field("position") >= first)
            & (pc.field("position") < first + ENTRIES_AT_ONCE)
        )
        found = rows.to_table(columns=names, filter=wanted)
        if not found.num_rows:
            return
        yield found.sort_by("position")
        first += ENTRIES_AT_ONCE
