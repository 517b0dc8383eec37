"""Every delivered file as numbered rows in Parquet, so that any engine can say which row it means.

Engines split a file as they like and not all of them tell its name, so rows get their number here,
in one streaming pass that also counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from conf.notation import Notation
from extracts.delivered_rows import BadFile, parquet_batches, text_file_batches
from extracts.deliveries import DeliveredFile
from extracts.text import safe_reason
from tables.arrow import arrow_schema
from tables.base import Table, columns
from tables.errors import ContractViolation
from tables.redaction import may_blank
from tables.tombstones import Tombstones

PART_ROWS = 4_000_000  # a part is what the engine sorts at a time
# Read once or twice and thrown away: encoding would cost more than it saves, except where every row
# says the same.
PLAIN = {
    "compression": "lz4",
    "use_dictionary": ["delivery", "previous_delivery", "file_name"],
    "write_statistics": False,
}
READING_THREADS = 2
# Where a row stands: in which file, and between which deliveries of its table.
POSITION = columns(
    "delivery date -- day of the delivery",
    "previous_delivery date? -- day of the table's delivery before",
    "next_delivery date? -- day of the table's delivery after, if it has arrived",
    "file_name string -- file within the delivery",
    "row_number bigint -- row in the file, from 1, the header not counted",
    "unreadable array<string>? -- columns whose text was not in the declared notation",
    "raw_row string? -- the row as it stood, JSON, if anything in it was unreadable",
)

Neighbours = tuple[date | None, date | None]


@dataclass(frozen=True)
class LandedFile:
    """A delivered file, numbered.

    Attributes:
        file: What was delivered.
        path: Folder with the numbered copy, in parts.
        rows: Rows it really holds.
        erased: How many of them are erased clients', and not in the copy.
    """

    file: DeliveredFile
    path: Path
    rows: int
    erased: int = 0


def parts_of(files: Iterable[LandedFile]) -> list[str]:
    """Where the numbered rows of the files lie."""
    return [str(part) for file in files for part in sorted(file.path.iterdir())]


def pieces(files: Iterable[LandedFile]) -> Iterator[list[str]]:
    """Parts that together are few enough rows to be sorted in memory."""
    piece: list[str] = []
    rows = 0
    for part in parts_of(files):
        more = pq.read_metadata(part).num_rows
        if piece and rows + more > PART_ROWS:
            yield piece
            piece, rows = [], 0
        piece.append(part)
        rows += more
    if piece:
        yield piece


def numbered(table: Table) -> Table:
    """The columns of a numbered file; any may be null before it is checked."""
    fields = tuple(replace(column, is_nullable=True) for column in table.columns)
    return replace(table, columns=POSITION + fields)


def land(
    file: DeliveredFile,
    table: Table,
    neighbours: Neighbours,
    notation: Notation,
    target: Path,
    *,
    erased: Tombstones | None = None,
) -> LandedFile:
    """Copy a file's rows to ``target``, numbered from 1.

    Args:
        file: The file, already compared with its manifest's digest.
        table: The table it must hold.
        neighbours: Days of the table's deliveries before and after this one.
        notation: How a CSV is written.
        target: The folder to write Parquet parts to.
        erased: Whose rows are left out, before anything else sees them.

    Raises:
        BadFile: It is no such file, its columns are not the table's, or its rows are fewer or
            more than the manifest says, or it changed meanwhile.
    """
    try:
        before = _stamp(file.path)
        batches = batches_of(file, table, notation)
        placed = _placed(batches, arrow_schema(numbered(table)), file, neighbours)
        rows, dropped = _write(_without(placed, table, erased), target)
        after = _stamp(file.path)
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        reason = safe_reason(error, notation)
        raise BadFile(f"{file.label}: {reason}. Ask for the file again") from None
    if before != after:
        raise BadFile(f"{file.label}: changed while it was read. Deliver, then run")
    if rows != file.rows:
        raise BadFile(
            f"{file.label}: holds {rows} rows, the manifest says {file.rows}. Ask for it again"
        )
    return LandedFile(file, target, rows, dropped)


def batches_of(file: DeliveredFile, table: Table, notation: Notation) -> Iterator[pa.RecordBatch]:
    """The rows of a file in the types of its table, whatever its format.

    Raises:
        BadFile: Its columns are not the table's.
    """
    if file.name.endswith(".parquet"):
        return parquet_batches(file, table)
    return text_file_batches(file, table, notation)


def _stamp(path: Path) -> tuple[int, int]:
    """What differs when a file was written to."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _placed(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    file: DeliveredFile,
    neighbours: Neighbours,
) -> Iterator[pa.RecordBatch]:
    """Rows with the place where they stand."""
    rows = 0
    for batch in batches:
        yield _numbered_batch(batch, rows, schema, file, neighbours)
        rows += batch.num_rows


def _without(
    batches: Iterable[pa.RecordBatch], table: Table, erased: Tombstones | None
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Batches without erased clients, and how many rows each had."""
    blankable = may_blank(table)
    for batch in batches:
        yield (batch if erased is None else erased.kept(batch, blankable)), batch.num_rows


def _write(batches: Iterable[tuple[pa.RecordBatch, int]], target: Path) -> tuple[int, int]:
    """Write rows in parts; how many there were, and how many of them are not in a part."""
    rows, part, dropped = 0, 0, 0
    writer: pq.ParquetWriter | None = None
    target.mkdir()
    try:
        for batch, had in batches:
            if writer is None or rows >= part * PART_ROWS:
                if writer is not None:
                    writer.close()
                path = target / f"part-{part:05}.parquet"
                writer = pq.ParquetWriter(path, batch.schema, **PLAIN)
                part += 1
            writer.write_batch(batch)
            rows += had
            dropped += had - batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows, dropped


def _numbered_batch(
    batch: pa.RecordBatch,
    rows_before: int,
    schema: pa.Schema,
    file: DeliveredFile,
    neighbours: Neighbours,
) -> pa.RecordBatch:
    count = batch.num_rows
    given = {
        "delivery": pa.repeat(pa.scalar(file.delivery.day, pa.date32()), count),
        "previous_delivery": pa.repeat(pa.scalar(neighbours[0], pa.date32()), count),
        "next_delivery": pa.repeat(pa.scalar(neighbours[1], pa.date32()), count),
        "file_name": pa.repeat(file.name, count),
        "row_number": pa.array(np.arange(rows_before + 1, rows_before + count + 1)),
        **dict(zip(batch.schema.names, batch.columns, strict=True)),
    }
    arrays = [
        given[field.name] if field.name in given else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.record_batch(arrays, schema=schema)


def land_all(
    files: Sequence[DeliveredFile],
    tables: Mapping[str, Table],
    previous: Mapping[str, date],
    notation: Notation,
    folder: Path,
    *,
    advance: Callable[[int], None],
    erased: Tombstones | None = None,
) -> list[LandedFile]:
    """Number the rows of every file.

    Args:
        files: All files of the pending deliveries.
        tables: By name.
        previous: Day of the last delivery of a table before the pending ones, by name.
        notation: How a CSV is written.
        folder: Where the copies go.
        advance: Told the rows of each file when it is done.
        erased: Whose rows are left out.

    Raises:
        ContractViolation: One line per file that cannot be taken.
    """
    neighbours = _neighbours(files, previous)
    problems: list[str] = []

    def number(index: int, file: DeliveredFile) -> LandedFile | None:
        target = folder / f"{index:05}-{file.table_name}"
        around = neighbours[file.table_name, file.delivery.day]
        try:
            landed = land(file, tables[file.table_name], around, notation, target, erased=erased)
        except BadFile as error:
            problems.append(str(error))
            return None
        advance(landed.rows)
        return landed

    with ThreadPoolExecutor(READING_THREADS) as threads:
        landed = list(threads.map(number, range(len(files)), files))
    if problems:
        raise ContractViolation("\n".join(sorted(problems)))
    return [one for one in landed if one is not None]


def _neighbours(
    files: Iterable[DeliveredFile], previous: Mapping[str, date]
) -> dict[tuple[str, date], Neighbours]:
    """Days of a table's deliveries before and after each one."""
    days: dict[str, set[date]] = {}
    for file in files:
        days.setdefault(file.table_name, set()).add(file.delivery.day)
    found: dict[tuple[str, date], Neighbours] = {}
    for table_name, its_days in days.items():
        in_order = sorted(its_days)
        before = [previous.get(table_name), *in_order[:-1]]
        after = [*in_order[1:], None]
        for day, earlier, later in zip(in_order, before, after, strict=True):
            found[table_name, day] = (earlier, later)
    return found
