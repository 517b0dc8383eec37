"""The data dictionary: every table and column in words, from their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tables.base import Column, Table
from tables.derived import DERIVED
from tables.runs import RUNS
from tables.sources import CODES, HISTORY, OWNER, REFERENCES, SOURCES

INTRODUCTION = """\
# Data dictionary

Generated from `tables/` by `make docs`; change the declarations, not this file. Dates are ISO,
timestamps UTC, money is `decimal(18,2)`, ids are text. *Key* columns are unique together; a column
that *may be null* is empty where the fact is unknown or there is none; a *code* has only the values
named. The columns of `customer_features` and `training_set` are in the
[feature catalogue](feature_catalogue.md)."""

KINDS = {
    "increment": "Each delivery brings new rows.",
    "whole": "Each delivery brings the whole table; a row that is gone was deleted.",
    "derived": "A run computes it; a rerun replaces the rows of its as-of date by the same.",
    "record": "Rows are appended and never changed.",
}
STORED = """
The store keeps every version of every row. A version is identified by the key and `recorded_at`,
and carries besides:
"""


def data_dictionary() -> str:
    """The whole dictionary as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "\n## What a bank delivers"
    yield STORED
    yield from _columns(HISTORY + OWNER, {OWNER[0].name: "only `transactions`"})
    for table in SOURCES:
        yield from _section(table)
    yield "\n## What a run publishes"
    for table in (*DERIVED, RUNS):
        yield from _section(table)


def _section(table: Table) -> Iterator[str]:
    grain = table.grain[0].upper() + table.grain[1:]
    yield f"\n### {table.name}\n\n{grain}. {KINDS[table.kind]}\n"
    yield from _columns(table.columns, _notes(table))


def _notes(table: Table) -> dict[str, str]:
    """What is to be said of a column besides its meaning."""
    notes: dict[str, list[str]] = {column.name: [] for column in table.columns}
    for name in table.key:
        notes[name].append("key")
    for column in table.columns:
        if column.is_nullable:
            notes[column.name].append("may be null")
    for name, other in REFERENCES.get(table.name, {}).items():
        notes[name].append(f"names a row of `{other.name}`")
    for name in CODES.get(table.name, {}):
        notes[name].append("code")
    return {name: ", ".join(said) for name, said in notes.items()}


def _columns(columns: Iterable[Column], notes: Mapping[str, str]) -> Iterator[str]:
    yield "| column | type | meaning | |\n| --- | --- | --- | --- |"
    for column in columns:
        note = notes.get(column.name, "")
        yield f"| {column.name} | {column.type} | {column.meaning} | {note} |"
