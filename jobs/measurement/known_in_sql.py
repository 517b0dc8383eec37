"""Pinned tables as known before a day, for questions in SQL over their files; no engine is asked.

Where a few columns of many rows are to be met with few rows of hundreds of millions, as measuring
a year of campaigns does, DuckDB looks at one column first and reads of the others what is left. The
rows are those of ``Store.known_before``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from tables.arrow import arrow_schema
from tables.base import Table
from tables.files import scratch_folder
from tables.known_rows import persons_before
from tables.rows_in_sql import rows_of_files, sql_in_memory
from tables.sources import stored
from tables.store import Store

SCRATCH = ".sql-"
MEMORY = "2500MB"  # beyond it, rows go to the scratch folder
PERSONS = pa.schema([("record_id", pa.string()), ("survivor_id", pa.string())])


@dataclass(frozen=True)
class KnownInSql:
    """A database in memory in which tables can be made from those of a store.

    Attributes:
        store: At the versions that count.
        day: What was recorded before it counts.
        sql: The connection.
    """

    store: Store
    day: date
    sql: duckdb.DuckDBPyConnection

    def put(self, name: str, rows: pa.Table) -> None:
        """Make a table of rows that Python has."""
        self.sql.register("given", rows)
        self.sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
        self.sql.unregister("given")

    def make(self, name: str, query: str) -> None:
        """Make a table of what a query finds."""
        self.sql.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def view(self, name: str, table: Table, paths: Sequence[Path]) -> None:
        """Name files of a table; columns that did not exist when they were written are null."""
        schema = arrow_schema(table)
        if not paths:
            self.put(name, schema.empty_table())
            return
        rows_of_files(self.sql, schema, paths).create_view(name, replace=True)

    def persons(self, name: str, day: date) -> None:
        """Make a table shaped ``PERSONS``: who stands for each record given up by a day."""
        survivor = persons_before(self.store, day).survivor
        rows = [{"record_id": one, "survivor_id": other} for one, other in survivor.items()]
        self.put(name, pa.Table.from_pylist(rows, PERSONS))

    def known(self, table: Table, columns: Sequence[str], where: str = "TRUE") -> str:
        """A query for the last known version of each row of a source table, with its ``person``.

        Args:
            table: The table.
            columns: Those wanted; ``customer_id`` is the record that the row is about.
            where: Which rows are wanted, of the last versions.
        """
        view = f"versions_of_{table.name}"
        self.view(view, stored(table), self._paths(table))
        names = ", ".join(dict.fromkeys(["customer_id", *columns, "is_deleted"]))
        is_last = f" QUALIFY {last_of(table.key)}" if self._has_versions(table) else ""
        latest = f"SELECT {names} FROM {view} WHERE {self.is_known('recorded_at')}{is_last}"
        return (
            f"SELECT {', '.join(columns)}, coalesce(survivor_id, customer_id) AS person"
            f" FROM ({latest}) LEFT JOIN persons ON record_id = customer_id"
            f" WHERE NOT is_deleted AND ({where})"
        )

    def versions(self, name: str, table: Table) -> None:
        """Make a view of every stored version of a source table."""
        self.view(name, stored(table), self._paths(table))

    def is_known(self, recorded_at: str) -> str:
        """The condition that something was recorded before the day."""
        return f"{recorded_at} < {moment(self.day)}"

    def _paths(self, table: Table) -> list[Path]:
        return [self.store.folder / table.name / file.path for file in self.store.files(table)]

    def _has_versions(self, table: Table) -> bool:
        return table.kind == "whole" or self.store.has_revisions(table)


@contextmanager
def known_in_sql(store: Store, day: date) -> Iterator[KnownInSql]:
    """Open such a database; ``persons`` is there, as known before the day."""
    with (
        scratch_folder(store.folder, SCRATCH) as scratch,
        sql_in_memory(memory_limit=MEMORY, temp_directory=str(scratch)) as connection,
    ):
        opened = KnownInSql(store, day, connection)
        opened.persons("persons", day)
        yield opened


def moment(day: date) -> str:
    """The start of a day, UTC, in SQL."""
    return f"TIMESTAMPTZ '{day.isoformat()} 00:00:00+00'"


def day_of(at: str) -> str:
    """The day of an instant, UTC, in SQL."""
    return f"make_timestamp(epoch_us({at}))::DATE"


def in_days(day: date) -> str:
    """A day in SQL."""
    return f"DATE '{day.isoformat()}'"


def last_of(key: Sequence[str]) -> str:
    """The condition that a row is the last version of its key."""
    return f"row_number() OVER (PARTITION BY {', '.join(key)} ORDER BY recorded_at DESC) = 1"
