"""What a table is: its name, its grain, its key and its columns, written down once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

DDL_TYPES = ("string", "date", "timestamp", "boolean", "int", "bigint", "double", "decimal")


@dataclass(frozen=True)
class Column:
    """One column: its Spark SQL type, whether it may be null, and what it means."""

    name: str
    type: str
    is_nullable: bool
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table as a value.

    Attributes:
        name: Its name in the store and in a delivery.
        grain: "one row per …".
        key: Columns that are unique together; also the sort order of what is exported.
        columns: In order. Source tables list what the bank delivers; the store adds ``STORED``
            columns.
        kind: ``increment`` and ``whole`` are delivered (DESIGN §3), ``derived`` is computed by a
            run, ``record`` is appended to and never replaced.
        partition: The column whose value a derived table is replaced by, or None.
        bucket_order: Not empty: rows carry a ``bucket`` column when they are staged, files hold
            one bucket each, sorted by these columns.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    kind: Literal["increment", "whole", "derived", "record"]
    partition: str | None = None
    bucket_order: tuple[str, ...] = ()

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def ddl(self) -> str:
        """The schema as Spark DDL."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)


def columns(*lines: str) -> tuple[Column, ...]:
    """Read column declarations, one per string: ``name type[?] -- meaning``; ``?`` may be null.

    Raises:
        ValueError: A line does not have that form.
    """
    parsed = []
    for line in lines:
        declaration, separator, meaning = line.partition(" -- ")
        name, _, type_name = declaration.strip().partition(" ")
        if not (name and type_name and separator):
            raise ValueError(f"not a column declaration: {line!r}")
        is_nullable = type_name.endswith("?")
        parsed.append(Column(name, type_name.rstrip("?"), is_nullable, meaning.strip()))
    return tuple(parsed)
