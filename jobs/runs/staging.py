"""Write the rows of a run where nobody sees them yet."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tables.arrow import arrow_schema
from tables.base import Table
from tables.buckets import BUCKET
from tables.delta import DataFile, data_files, null_counts
from tables.files import make_folder
from tables.store import slice_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


# Who asks for one client's rows, which lie together, decodes so many and not the whole file. An
# engine that has no such option ignores it.
ROWS_TOGETHER = ("max_row_group_size", "65536")
PART = "part-00000.parquet"


class Staging:
    """Data files of one attempt of one run, by table.

    Each attempt writes under a path of its own, so that a crashed one can't mix with its
    repetition.
    """

    def __init__(self, folder: Path, run_id: str, as_of: date, partitions: int) -> None:
        self.folder = folder
        self.files: dict[str, list[DataFile]] = {}
        self.tables: dict[str, Table] = {}
        self._attempt = f"{run_id[:12]}-{uuid.uuid4().hex[:12]}"
        self._as_of = as_of
        self._partitions = partitions
        self._numbers = itertools.count()

    def stage(self, table: Table, rows: DataFrame | pa.Table, *, is_ordered: bool = False) -> None:
        """Write rows of ``table``; called again, from any thread, it adds to them.

        Args:
            table: The table.
            rows: Its rows.
            is_ordered: They come by their key already and are written as they come: to put wide
                rows in order costs a tenth of a large build.
        """
        target = self._target(table)
        if isinstance(rows, pa.Table):
            self._write_arrow(table, rows, target)
        else:
            self._write_frame(table, rows, target, is_ordered)
        self._add(table, target)

    def stage_file(self, table: Table, write: Callable[[Path], None]) -> None:
        """Add a file that ``write`` makes: a Parquet file with the columns of ``table``."""
        target = self._target(table)
        make_folder(target)
        write(target / PART)
        self._add(table, target)

    def _add(self, table: Table, target: Path) -> None:
        files = data_files(self.folder / table.name, target)
        self.files.setdefault(table.name, []).extend(files)
        self.tables[table.name] = table

    def rows(self, table: Table) -> int:
        """How many rows of ``table`` are staged."""
        return sum(file.rows for file in self.files.get(table.name, []))

    def nulls(self, table: Table) -> dict[str, int]:
        """Nulls in what is staged of ``table``, by column, where the files tell their number."""
        folder = self.folder / table.name
        files = self.files.get(table.name, [])
        if not files:
            return dict.fromkeys(table.column_names, 0)
        return null_counts(folder / file.path for file in files)

    def _target(self, table: Table) -> Path:
        part = f"{self._attempt}-{next(self._numbers)}"
        below = slice_path(self._as_of) if table.kind in ("derived", "record") else "data/"
        return self.folder / table.name / below / part

    def _write_arrow(self, table: Table, rows: pa.Table, target: Path) -> None:
        make_folder(target)
        ordered = rows.select(list(table.column_names)).cast(arrow_schema(table))
        ordered = ordered.sort_by([(name, "ascending") for name in table.key])
        pq.write_table(ordered, target / PART, compression="zstd")

    def _write_frame(self, table: Table, rows: DataFrame, target: Path, is_ordered: bool) -> None:
        columns = list(table.column_names)
        if is_ordered and table.kind == "record":
            rows.select(*columns).write.option(*ROWS_TOGETHER).parquet(str(target))
        elif is_ordered:
            rows.select(*columns).write.parquet(str(target))
        elif table.bucket_order:
            (
                rows.repartition(self._partitions, BUCKET)
                .sortWithinPartitions(*table.bucket_order)
                .select(*columns, BUCKET)
                .write.partitionBy(BUCKET)
                .parquet(str(target))
            )
        else:
            (
                rows.select(*columns)
                .repartition(self._partitions, table.key[-1] if table.key else columns[0])
                .sortWithinPartitions(*table.key)
                .write.option(*ROWS_TOGETHER)
                .parquet(str(target))
            )
