"""The entries of the offer log in their order, some at a time: a log is larger than memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tables.delta import DataFile
from tables.derived import CHECKPOINTS, VAULT
from tables.store import Store

ENTRIES_AT_ONCE = 2**16
DIGITS = 12  # so that names sort as numbers do
COLUMNS = ("client", "offer_id", "line", "leaf")  # of an entry, all that its leaf is made of


def checkpoints_in_order(store: Store) -> list[dict[str, Any]]:
    """Rows of ``CHECKPOINTS``, the shortest log first."""
    rows: list[dict[str, Any]] = store.arrow_records(CHECKPOINTS).to_pylist()
    return sorted(rows, key=lambda row: int(row["size"]))


def secrets_of(store: Store) -> dict[str, str]:
    """What salts are made from, by pseudonym."""
    vault = store.arrow_records(VAULT)
    return dict(zip(vault["client"].to_pylist(), vault["secret"].to_pylist(), strict=True))


def number_in_name(number: int) -> str:
    """A size or place as files are named by it."""
    return f"{number:0{DIGITS}}"


def in_order(
    folder: Path, files: Sequence[DataFile], columns: Sequence[str], run_id: str
) -> Iterator[pa.RecordBatch]:
    """The entries of a run by position.

    Files that were staged together are each in order and are read side by side, a batch of each at
    a time; what was staged one after the other follows each other.

    Whether none is missing or twice is for the caller to look at: ``position`` comes with them.

    Args:
        folder: Where the files of ``offer_log`` lie.
        files: Of all runs.
        columns: Which.
        run_id: Whose.
    """
    own = [folder / file.path for file in files if file.rows and _is_of(file.path, run_id)]
    together: dict[Path, list[Path]] = {}
    for path in sorted(own, key=_first_position):
        together.setdefault(path.parent, []).append(path)
    names = ["position", *columns]
    for paths in together.values():
        yield from heapq.merge(*(_runs(path, names) for path in paths), key=_first)


def _first_position(path: Path) -> int:
    """What the file itself tells of its first row."""
    with pq.ParquetFile(path) as file:
        first = next(file.iter_batches(1, columns=["position"]))
    return _first(first)


def _runs(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The entries of a file in pieces whose positions follow each other."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ENTRIES_AT_ONCE, columns=columns, use_threads=False):
            position = batch["position"].to_numpy()
            ends = [*(np.flatnonzero(np.diff(position) != 1) + 1), len(position)]
            for first, end in pairwise([0, *ends]):
                yield batch.slice(first, end - first)


def _first(batch: pa.RecordBatch) -> int:
    return int(batch["position"][0].as_py())


def _is_of(path: str, run_id: str) -> bool:
    """A run stages below a folder that its id begins (`jobs/runs/staging.py`)."""
    return any(part.startswith(f"{run_id[:12]}-") for part in PurePosixPath(path).parts)
