"""Rules that a delivered row must keep, each with the reason given for setting the row aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from pyspark.sql import Column, functions as F

from tables.base import Column as TableColumn, Table
from tables.sources import CODES


class Rule(StrEnum):
    """Why a row is in quarantine."""

    TYPE = "type"
    MISSING = "missing"
    CODE = "code"
    RECORDED_TOO_LATE = "recorded_too_late"
    DUPLICATE_KEY = "duplicate_key"
    ORPHAN = "orphan"


FIXES = {
    Rule.TYPE: "write dates as 2026-11-01, times as 2026-11-01T06:30:00Z, money as 1234.50",
    Rule.MISSING: "fill the column; the contract does not allow it to be empty",
    Rule.CODE: "use the codes of the contract, or extend the contract",
    Rule.RECORDED_TOO_LATE: "what a delivery brings was recorded before its day",
    Rule.DUPLICATE_KEY: "one key came with two contents; say which one is right",
    Rule.ORPHAN: "deliver the row that it refers to, in the same delivery or before",
}

# What a cast would accept silently (2020-01 as a day, 10.999 as 11.00) is not in this notation.
NOTATIONS = {
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "timestamp": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$",
    "boolean": r"^(true|false)$",
    "int": r"^[+-]?\d{1,10}$",
    "bigint": r"^[+-]?\d{1,19}$",
}


@dataclass(frozen=True)
class Check:
    """One rule for one column of a row.

    Attributes:
        rule: The rule.
        column_name: The column it is about.
        fails: True where the rule is broken, never null.
        value: The offending value as text.
    """

    rule: Rule
    column_name: str
    fails: Column
    value: Column


def typed_columns(table: Table, is_text: bool) -> list[Column]:
    """The table's columns in its types; text that isn't in the contract's notation becomes null."""
    return [_typed(column, is_text).alias(column.name) for column in table.columns]


def checks(table: Table, is_text: bool) -> list[Check]:
    """Every rule that can be checked by looking at one numbered row alone."""
    found = [check for column in table.columns for check in _of_column(table, column, is_text)]
    return [*found, _recorded_too_late(table, is_text)]


def breaks_any(found: list[Check]) -> Column:
    """At least one rule is broken."""
    return reduce(or_, (check.fails for check in found))


def _of_column(table: Table, column: TableColumn, is_text: bool) -> list[Check]:
    raw = _present(column)
    value = F.col(column.name).cast("string")
    found = []
    if is_text and column.type != "string":
        is_wrong = raw.isNotNull() & _typed(column, is_text).isNull()
        found.append(Check(Rule.TYPE, column.name, is_wrong, value))
    if not column.is_nullable:
        found.append(Check(Rule.MISSING, column.name, raw.isNull(), value))
    if codes := CODES.get(table.name, {}).get(column.name):
        is_unknown = F.coalesce(~raw.isin(*codes), F.lit(False))
        found.append(Check(Rule.CODE, column.name, is_unknown, value))
    return found


def _recorded_too_late(table: Table, is_text: bool) -> Check:
    column = next(column for column in table.columns if column.name == "recorded_at")
    is_late = _typed(column, is_text) >= F.col("delivery").cast("timestamp")
    value = F.col(column.name).cast("string")
    fails = F.coalesce(is_late, F.lit(False))
    return Check(Rule.RECORDED_TOO_LATE, column.name, fails, value)


def _present(column: TableColumn) -> Column:
    """The value as delivered; empty text is no value."""
    value = F.col(column.name)
    return F.when(value != "", value) if column.type == "string" else value


def _typed(column: TableColumn, is_text: bool) -> Column:
    if not is_text or column.type == "string":
        return _present(column)
    notation = NOTATIONS.get(column.type) or _decimal_notation(column.type)
    text = F.col(column.name)
    return F.when(text.rlike(notation), text.try_cast(column.type))


def _decimal_notation(type_name: str) -> str:
    """No more digits than ``decimal(p,s)`` holds, so that nothing is rounded."""
    precision, scale = map(int, type_name.removeprefix("decimal(").rstrip(")").split(","))
    return rf"^[+-]?\d{{1,{precision - scale}}}(\.\d{{1,{scale}}})?$"
