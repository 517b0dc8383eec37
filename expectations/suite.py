"""A contract as a value: what must hold for each row of a table, and for the table as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from great_expectations.expectations import Expectation
from pyspark.sql import Column, DataFrame

from tables.base import Table

Severity = Literal["critical", "warning"]
Measure = Column | Callable[[DataFrame], DataFrame] | float


@dataclass(frozen=True)
class Fact:
    """A number about the whole table that lies within bounds.

    What Great Expectations can't say, or only slowly, is first counted by the engine; the count is
    then what is expected.

    Attributes:
        sentence: The rule, in words.
        measure: An aggregate over all rows (one pass computes all of these), or a function from the
            rows to a DataFrame of one row and one column, the number; or the number itself.
        at_least: Lower bound, itself allowed.
        at_most: Upper bound, itself allowed.
        severity: ``critical`` stops publication, ``warning`` is logged.
        detail: Figures and names of codes behind the number; never a client's value.
    """

    sentence: str
    measure: Measure
    at_least: float = 0
    at_most: float = 0
    severity: Severity = "critical"
    detail: str = ""


@dataclass(frozen=True)
class Suite:
    """The contract of one table.

    Attributes:
        table: Which table.
        rules: What holds for each row; a rule but ``present`` says nothing about nulls.
        facts: What holds for the table as a whole.
    """

    table: Table
    rules: tuple[Expectation, ...]
    facts: tuple[Fact, ...]
