"""Rules that a delivered row must keep, each with the reason given for setting the row aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from pyspark.sql import Column, functions as F

from tables.base import Column as TableColumn, Table
from tables.sources import CODES, DELETION_MARK, EARLIEST, LATEST


class Rule(StrEnum):
    """Why a row is in quarantine."""

    TYPE = "type"
    MISSING = "missing"
    CODE = "code"
    IMPLAUSIBLE_DATE = "implausible_date"
    FUTURE = "future"
    RECORDED_TOO_LATE = "recorded_too_late"
    DUPLICATE_KEY = "duplicate_key"
    ORPHAN = "orphan"


FIXES = {
    Rule.TYPE: "write dates as 2026-11-01, times as 2026-11-01T06:30:00Z, money as 1234.50,"
    " ids without characters that nobody sees",
    Rule.MISSING: "fill the column; the contract does not allow it to be empty",
    Rule.CODE: "use the codes of the contract, or extend the contract",
    Rule.IMPLAUSIBLE_DATE: "write the year with four digits; leave an open end empty",
    Rule.FUTURE: "what has not happened by the day of delivery comes with a later delivery",
    Rule.RECORDED_TOO_LATE: "what a delivery brings was recorded before its day",
    Rule.DUPLICATE_KEY: "one key came with two contents; say which one is right",
    Rule.ORPHAN: "deliver the row that it refers to, in the same delivery or before",
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


# What happened, so that it cannot lie after the day on which it is told. Openings and ends may.
HAPPENED: Mapping[str, tuple[str, ...]] = {
    "customers": ("birth_date", "deceased_on"),
    "transactions": ("booked_on",),
    "consents": ("changed_at",),
    "contacts": ("contacted_on", "disposition_on"),
    "customer_merges": ("merged_on",),
}
CURRENCY = "^[A-Z]{3}$"


def table_columns(table: Table) -> list[Column]:
    """The table's columns; empty text is no value."""
    return [_present(column).alias(column.name) for column in table.columns]


def checks(table: Table) -> list[Check]:
    """Every rule that can be checked by looking at one numbered row alone."""
    found = [check for column in table.columns for check in _of_column(table, column)]
    return [*found, _recorded_too_late()]


def breaks_any(found: list[Check]) -> Column:
    """At least one rule is broken."""
    others = [check.fails for check in found if check.rule is not Rule.TYPE]
    return reduce(or_, others, F.col("unreadable").isNotNull())


def _of_column(table: Table, column: TableColumn) -> list[Check]:
    name, value = column.name, F.col(column.name).cast("string")
    is_unreadable = F.coalesce(F.array_contains("unreadable", name), F.lit(False))
    found = []
    if column.type != "string" or name.endswith("_id"):
        as_it_stood = F.get_json_object("raw_row", f"$.{name}")
        found.append(Check(Rule.TYPE, name, is_unreadable, as_it_stood))
    if not column.is_nullable:
        is_missing = _present(column).isNull() & ~is_unreadable
        found.append(Check(Rule.MISSING, name, is_missing, value))
    if codes := CODES.get(table.name, {}).get(name):
        is_unknown = F.coalesce(~_present(column).isin(*codes), F.lit(False))
        found.append(Check(Rule.CODE, name, is_unknown, value))
    if name == "currency":
        is_unknown = F.coalesce(~F.col(name).rlike(CURRENCY), F.lit(False))
        found.append(Check(Rule.CODE, name, is_unknown, value))
    if column.type == "date":
        is_plausible = F.col(name).between(F.lit(EARLIEST), F.lit(LATEST))
        fails = F.coalesce(~is_plausible, F.lit(False))
        found.append(Check(Rule.IMPLAUSIBLE_DATE, name, fails, value))
    if name in HAPPENED.get(table.name, ()):
        is_to_come = F.coalesce(F.col(name).cast("date") > F.col("delivery"), F.lit(False))
        found.append(Check(Rule.FUTURE, name, is_to_come, value))
    return found


def _recorded_too_late() -> Check:
    recorded_at = F.col("recorded_at")
    is_late = F.coalesce(recorded_at >= F.col("delivery").cast("timestamp"), F.lit(False))
    return Check(Rule.RECORDED_TOO_LATE, "recorded_at", is_late, recorded_at.cast("string"))


def _present(column: TableColumn) -> Column:
    value = F.col(column.name)
    if column in DELETION_MARK:
        return F.coalesce(value, F.lit(False))
    return F.when(value != "", value) if column.type == "string" else value
