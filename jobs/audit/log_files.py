"""Files of the offer log: decisions are put in its order in parts, for a log exceeds memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from campaigns.offer_log import DECIDED, ENCODED, Places, log_rows
from tables.arrow import arrow_schema
from tables.derived import OFFER_LOG

LINES_IN_PART = 2**18
POSITION = pa.field("position", pa.int64())
PLACED = DECIDED.append(POSITION)
TEXTS = [field.name for field in DECIDED if field.type == ENCODED]


def different(decisions: Sequence[Path], column: str) -> pa.Array:
    """What stands in a column of texts of files of ``DECISIONS``, each once."""
    found = [_encoded(path, column).dictionary for path in decisions]
    return pc.unique(pa.chunked_array(found, pa.string()))


def in_parts(decisions: Sequence[Path], places: Places, folder: Path) -> list[Path]:
    """Decisions with their ``position``, apart by ``LINES_IN_PART`` of these; in no order.

    Args:
        decisions: Files of ``DECISIONS``.
        places: Of these decisions.
        folder: For the files, one a part, in the order of parts; there is at least one.
    """
    rows = sum(pq.read_metadata(path).num_rows for path in decisions)
    parts = [folder / f"{first}.arrow" for first in range(0, max(rows, 1), LINES_IN_PART)]
    with ExitStack() as files:
        writers = [files.enter_context(pa.ipc.new_stream(path, PLACED)) for path in parts]
        for path in decisions:
            for placed in _placed(path, places):
                _write_apart(placed, writers)
    return parts


def write_lines(part: Path, places: Places, target: Path) -> None:
    """Write the lines of a part in their order, shaped ``OFFER_LOG``."""
    with pa.memory_map(str(part)) as file:
        rows = pa.ipc.open_stream(file).read_all().unify_dictionaries()
        rows = rows.take(pc.sort_indices(rows["position"])).combine_chunks()
    named = places.named(rows, rows["position"].combine_chunks())
    with pq.ParquetWriter(
        target, arrow_schema(OFFER_LOG), compression="zstd", use_dictionary=["run_id", "offer_id"]
    ) as writer:
        for lines in log_rows(named):
            writer.write_table(lines)


def _encoded(path: Path, column: str) -> pa.DictionaryArray:
    with pq.ParquetFile(path, read_dictionary=[column]) as file:
        return file.read([column])[column].unify_dictionaries().combine_chunks()


def _placed(path: Path, places: Places) -> Iterator[pa.RecordBatch]:
    """The decisions of a file with their position."""
    clients, first = places.clients(_encoded(path, "customer_id")), 0
    with pq.ParquetFile(path, read_dictionary=TEXTS) as file:
        for batch in file.iter_batches(LINES_IN_PART, columns=DECIDED.names, use_threads=False):
            positions = places.of(clients.slice(first, batch.num_rows), batch["offer_id"])
            yield batch.cast(DECIDED).append_column(POSITION, positions)
            first += batch.num_rows


def _write_apart(placed: pa.RecordBatch, writers: Sequence[pa.RecordBatchStreamWriter]) -> None:
    part = (placed["position"].to_numpy() // LINES_IN_PART).astype(np.uint16)  # sorted by radix
    order = np.argsort(part, kind="stable")
    apart = placed.take(pa.array(order))
    ends = np.searchsorted(part[order], range(len(writers) + 1))
    for writer, (first, end) in zip(writers, pairwise(ends), strict=True):
        if first < end:
            writer.write_batch(apart.slice(first, end - first))
