"""Reading tables at the versions that a committed run pinned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark.sql import Column, functions as F

from tables.arrow import arrow_schema
from tables.base import Table
from tables.buckets import bucket_of
from tables.delta import DataFile, files_of, may_hold
from tables.errors import UserError
from tables.merges import MERGED, MERGED_ARROW, as_survivors, survivors
from tables.rows_in_sql import Wanted, rows_with, sql_in_memory
from tables.sources import CUSTOMER_MERGES, stored
from tables.stored_columns import StoredColumns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame, SparkSession


class Store:
    """The tables of one bank at fixed versions: what is committed later is invisible.

    Args:
        folder: Where the tables lie, one folder each.
        spark: The session that reads them; without one, only ``arrow`` and ``files`` work.
        pins: Version by table name, as one committed run recorded them.
        staged: Files by table name that the run itself has written and not yet committed.
        buckets: Of tables laid out in buckets, only these are read; None is all of them.
    """

    def __init__(
        self,
        folder: Path,
        spark: SparkSession | None,
        pins: Mapping[str, int],
        staged: Mapping[str, Sequence[DataFile]] | None = None,
        buckets: Collection[str] | None = None,
    ) -> None:
        self.folder = folder
        self._spark = spark
        self._pins = dict(pins)
        self._staged = dict(staged or {})
        self._buckets = buckets
        self._merged: dict[date, pa.Table] = {}
        self._revised: dict[str, list[DataFile]] = {}
        self._pinned_files: dict[str, list[DataFile]] = {}
        self._sql: DuckDBPyConnection | None = None

    def with_staged(self, staged: Mapping[str, Sequence[DataFile]]) -> Store:
        """The store as it would be after a commit of ``staged``, for the audit before it."""
        return Store(self.folder, self._spark, self._pins, staged)

    def of_buckets(self, buckets: Collection[str]) -> Store:
        """The store with only some buckets of the tables that are laid out in buckets."""
        view = Store(self.folder, self._spark, self._pins, self._staged, buckets)
        view._merged, view._revised = self._merged, self._revised  # found out once
        return view

    def staged(self, table: Table) -> DataFrame:
        """Only what the run itself has written."""
        return self._read(table, self._staged.get(table.name, ()))

    def version(self, table: Table) -> int:
        """The pinned version.

        Raises:
            UserError: No committed run that this one reads from has produced the table.
        """
        if table.name not in self._pins:
            raise UserError(f"no committed run has produced {table.name}; run the steps before it")
        return self._pins[table.name]

    def versions(self, table: Table) -> DataFrame:
        """Every stored version of every row of a source table; no rows before the first ingest."""
        return self._read(stored(table), self._in_buckets(table))

    def records(self, table: Table) -> DataFrame:
        """Every row of a table that is only appended to; no rows before the first run."""
        return self._read(table, self.files(table))

    def known_before(self, table: Table, as_of: date) -> DataFrame:
        """A source table as the bank's systems knew it at the start of ``as_of``, UTC.

        Returns:
            One row per key: its latest version recorded before ``as_of``; deleted keys are absent.
            Records that were known to be one person by then have one ``customer_id``.
        """
        return self.of_persons(table, self._latest_before(table, as_of), as_of)

    def of_persons(self, table: Table, rows: DataFrame, as_of: date) -> DataFrame:
        """Rows of a source table known before ``as_of``, with one ``customer_id`` per person."""
        if table == CUSTOMER_MERGES or "customer_id" not in rows.columns:
            return rows
        given_up = self.given_up_before(as_of)
        return rows if given_up is None else as_survivors(table, rows, given_up)

    def given_up_before(self, as_of: date) -> DataFrame | None:
        """``merged_before`` as a frame shaped ``MERGED``; None if nobody was merged by then."""
        merged = self.merged_before(as_of)
        if not merged.num_rows:
            return None
        return cast("SparkSession", self._spark).createDataFrame(merged, MERGED)

    def merged_before(self, as_of: date) -> pa.Table:
        """Who stands for records that were given up by then, shaped ``MERGED_ARROW``.

        Raises:
            ContractViolation: Records were merged in a circle.
        """
        if as_of not in self._merged:
            is_needed = any(file.rows for file in self.files(CUSTOMER_MERGES))
            merges = self._latest_before(CUSTOMER_MERGES, as_of).toArrow() if is_needed else None
            self._merged[as_of] = (
                MERGED_ARROW.empty_table() if merges is None else survivors(merges)
            )
        return self._merged[as_of]

    def _latest_before(self, table: Table, as_of: date) -> DataFrame:
        is_known = F.col("recorded_at") < F.lit(as_of).cast("timestamp")
        known = self.versions(table).where(is_known)
        if table.kind == "whole":
            known = latest_versions(table, known)
        else:
            if revised := self._with_revisions(table):
                revisions = self._read(stored(table), revised).where("is_revision")
                known = latest_revisions(table, known, revisions.where(is_known))
            known = known.where(~F.col("is_deleted"))
        return known.select(*visible_columns(table))

    def has_revisions(self, table: Table) -> bool:
        """Whether there can be two versions of a key; to look for them costs a join of all rows."""
        return bool(self._with_revisions(table))

    def _with_revisions(self, table: Table) -> list[DataFile]:
        """Files in which a key may have a second version, of every bucket: a row may have moved."""
        if table.name not in self._revised:
            self._revised[table.name] = [
                file
                for file in self.files(table)
                if may_hold(self.folder / table.name / file.path, "is_revision")
            ]
        return self._revised[table.name]

    def _in_buckets(self, table: Table) -> list[DataFile]:
        files = self.files(table)
        if self._buckets is None or not stored(table).bucket_order:
            return files
        return [file for file in files if bucket_of(file.path) in self._buckets]

    def snapshot(self, table: Table, as_of: date) -> DataFrame:
        """The rows of a derived table for one as-of date."""
        return self._read(table, self.slice_files(table, as_of))

    def arrow(self, table: Table, as_of: date, columns: Sequence[str] | None = None) -> pa.Table:
        """The same without an engine, sorted by key."""
        return self._arrow(table, self.slice_files(table, as_of), columns)

    def arrow_of(
        self, table: Table, as_of: date, customers: Collection[str], columns: Sequence[str]
    ) -> pa.Table:
        """Some columns of ``arrow`` for some customers, in no order: not all rows are held."""
        return self.snapshot_with(table, as_of, {"customer_id": customers}, columns)

    def snapshot_with(
        self, table: Table, as_of: date, wanted: Wanted, columns: Sequence[str]
    ) -> pa.Table:
        """Some columns of the rows of ``arrow`` that have some values, likewise."""
        return self._with(table, self.slice_files(table, as_of), wanted, columns)

    def records_with(
        self, table: Table, wanted: Wanted, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Rows of ``arrow_records`` that have some values, in no order."""
        return self._with(table, self.files(table), wanted, columns or table.column_names)

    def snapshot_where(
        self, table: Table, as_of: date, wanted: pc.Expression, columns: Sequence[str]
    ) -> pa.Table:
        """Some columns of the rows of ``arrow`` that meet a condition, likewise."""
        return self._where(table, self.slice_files(table, as_of), wanted, columns)

    def arrow_where(
        self, table: Table, wanted: pc.Expression, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Some rows of a table that is only appended to, likewise."""
        return self._where(table, self.files(table), wanted, columns)

    def stored_columns(self, table: Table, as_of: date) -> StoredColumns:
        """The rows of a derived table for one as-of date, to be read column by column."""
        files = self.slice_files(table, as_of)
        return StoredColumns([self.folder / table.name / file.path for file in files])

    def arrow_records(self, table: Table) -> pa.Table:
        """What ``records`` gives, without an engine, sorted by key."""
        return self._arrow(table, self.files(table))

    def _with(
        self, table: Table, files: Sequence[DataFile], wanted: Wanted, columns: Sequence[str]
    ) -> pa.Table:
        paths = [self.folder / table.name / file.path for file in files]
        if self._sql is None:
            self._sql = sql_in_memory()
        with self._sql.cursor() as connection:
            return rows_with(connection, arrow_schema(table), paths, wanted, columns)

    def _where(
        self,
        table: Table,
        files: Sequence[DataFile],
        wanted: pc.Expression,
        columns: Sequence[str] | None,
    ) -> pa.Table:
        schema, names = arrow_schema(table), list(columns or table.column_names)
        if not files:
            return schema.empty_table().select(names)
        paths = [str(self.folder / table.name / file.path) for file in files]
        return ds.dataset(paths, schema=schema, format="parquet").to_table(names, filter=wanted)

    def _arrow(
        self, table: Table, files: Sequence[DataFile], columns: Sequence[str] | None = None
    ) -> pa.Table:
        names = list(columns) if columns is not None else table.column_names
        schema = arrow_schema(table)
        asked = pa.schema([schema.field(name) for name in dict.fromkeys([*names, *table.key])])
        paths = [self.folder / table.name / file.path for file in files]
        parts = [_shaped(_read_columns(path, asked.names), asked) for path in paths]
        rows = pa.concat_tables(parts or [asked.empty_table()])
        return rows.sort_by([(name, "ascending") for name in table.key]).select(names)

    def files(self, table: Table) -> list[DataFile]:
        """Files of the pinned version and those staged; none if no run has produced the table."""
        if table.name not in self._pinned_files:
            found = files_of(self.folder / table.name, self._pins.get(table.name))
            self._pinned_files[table.name] = found
        return [*self._pinned_files[table.name], *self._staged.get(table.name, ())]

    def slice_files(self, table: Table, as_of: date) -> list[DataFile]:
        """Files with the rows of a derived table for one as-of date."""
        if table.kind == "derived" and table.name in self._staged:
            return list(self._staged[table.name])
        self.version(table)
        return [file for file in self.files(table) if file.path.startswith(slice_path(as_of))]

    def _read(self, table: Table, files: Sequence[DataFile]) -> DataFrame:
        assert self._spark is not None, "this store was opened without an engine"
        if not files:
            return self._spark.createDataFrame([], table.ddl)
        paths = [str(self.folder / table.name / file.path) for file in files]
        return self._spark.read.schema(table.ddl).parquet(*paths)


def _read_columns(path: Path, names: Sequence[str]) -> pa.Table:
    """Those of the columns that had been thought of when the file was written."""
    with pq.ParquetFile(path) as file:
        present = set(file.schema_arrow.names)
        return file.read([name for name in names if name in present])


def _shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows under a schema; null where a column did not exist yet when they were written."""
    for field in schema:
        if field.name not in rows.schema.names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names).cast(schema)


def slice_path(as_of: date) -> str:
    """Where a derived table keeps the rows of one as-of date, below its folder."""
    return f"data/{as_of.isoformat()}/"


def latest_versions(table: Table, known: DataFrame) -> DataFrame:
    """The last version of each key among ``known`` row versions, without deleted ones.

    To rank the versions of each key would sort the whole table; ``recorded_at`` tells a key's
    versions apart, so the latest time finds the latest version.
    """
    newest, is_same_key = _newest(table, known)
    is_latest = is_same_key & (F.col("recorded_at") == F.col("newest_at"))
    return known.join(newest, on=is_latest, how="left_semi").where(~F.col("is_deleted"))


def latest_revisions(table: Table, known: DataFrame, revisions: DataFrame) -> DataFrame:
    """The last version of each key of an increment table: few keys have more than one.

    Args:
        table: The table.
        known: Row versions.
        revisions: All later versions of a key that are known, be they among ``known`` or not.
    """
    newest, is_same_key = _newest(table, revisions)
    # A key is there once in `newest`, so no row is doubled.
    return known.join(newest, on=is_same_key, how="left").where(
        F.col("newest_at").isNull() | (F.col("recorded_at") >= F.col("newest_at"))
    )


def _newest(table: Table, versions: DataFrame) -> tuple[DataFrame, Column]:
    """Per key when its last version was recorded, ``newest_at``, and how to join that."""
    newest = (
        versions.groupBy(*table.key)
        .agg(F.max("recorded_at").alias("newest_at"))
        .withColumnsRenamed({name: f"newest_{name}" for name in table.key})
    )
    return newest, reduce(and_, (F.col(name) == F.col(f"newest_{name}") for name in table.key))


def visible_columns(table: Table) -> list[str]:
    """Columns a reader of a source table sees: what was delivered, what conforming added."""
    hidden = {"delivery", "is_deleted", "is_revision"}
    return [name for name in stored(table).column_names if name not in hidden]
