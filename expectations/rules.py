"""Rules about the values of a column, each a Great Expectations expectation with its sentence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import great_expectations.expectations as gxe
from great_expectations.expectations import Expectation

from expectations.suite import Severity
from tables.base import Table

SOME_ROW = "there is at least one row"


def rows_at_least(minimum: int, severity: Severity = "critical") -> Expectation:
    """Enough rows: on an empty table every other rule holds."""
    return gxe.ExpectTableRowCountToBeBetween(
        min_value=minimum,
        severity=severity,
        description=f"there are at least {minimum} rows" if minimum > 1 else SOME_ROW,
    )


def present(table: Table) -> tuple[Expectation, ...]:
    """No null where the table allows none."""
    return tuple(
        gxe.ExpectColumnValuesToNotBeNull(
            column=column.name, severity="critical", description=f"{column.name} is never null"
        )
        for column in table.columns
        if not column.is_nullable
    )


def not_blank(column: str, severity: Severity = "critical") -> Expectation:
    """A text says something."""
    return gxe.ExpectColumnValuesToMatchRegex(
        column=column, regex=r"\S", severity=severity, description=f"{column} is not blank"
    )


def matches(
    column: str, pattern: str, meaning: str, severity: Severity = "critical"
) -> Expectation:
    """A text has a form that both Java's and Rust's regular expressions understand alike."""
    return gxe.ExpectColumnValuesToMatchRegex(
        column=column, regex=pattern, severity=severity, description=f"{column} is {meaning}"
    )


def one_of(column: str, codes: Collection[str], severity: Severity = "critical") -> Expectation:
    """A code is known."""
    return gxe.ExpectColumnValuesToBeInSet(
        column=column,
        value_set=list(codes),
        severity=severity,
        description=f"{column} is a known code",
    )


def within(
    column: str,
    low: float | date,
    high: float | date,
    severity: Severity = "critical",
    strict: bool = False,
) -> Expectation:
    """A value lies within both bounds; one bound alone would let NaN or infinity through."""
    kind = "strictly between" if strict else "between"
    return gxe.ExpectColumnValuesToBeBetween(
        column=column,
        min_value=low,
        max_value=high,
        strict_min=strict,
        strict_max=strict,
        severity=severity,
        description=f"{column} lies {kind} {low} and {high}",
    )


def not_before(later: str, earlier: str, severity: Severity = "critical") -> Expectation:
    """Two dates or instants are in order, where both are known."""
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=later,
        column_B=earlier,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        severity=severity,
        description=f"{later} is not before {earlier}",
    )
