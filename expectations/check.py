"""Hold a table against its contract with Great Expectations, and report without clients' values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from pyspark.sql import Column, DataFrame, SparkSession, functions as F

from expectations.suite import Fact, Suite

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.expectations import Expectation

# Only counts: what a client's row holds stays out of results, logs and errors.
WITHOUT_VALUES = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class CheckResult:
    """What became of one rule.

    Attributes:
        sentence: The rule, in words.
        severity: ``critical`` or ``warning``.
        success: It holds.
        found: Rows that break it, or the number that is out of bounds; None if nobody knows.
        rows: Rows that were looked at, where the rule is about rows.
        error: Why the rule could not be checked: then nobody knows whether it holds.
        detail: Figures behind what was found.
    """

    sentence: str
    severity: str
    success: bool
    found: float | None
    rows: int | None = None
    error: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        """The rule and what was found."""
        if self.error is not None:
            return f"could not be checked ({self.error}): {self.sentence}"
        of_rows = "" if self.rows is None else f" of {self.rows} rows"
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.sentence}: found {self.found}{of_rows}{detail}"


@dataclass(frozen=True)
class CheckReport:
    """What became of every rule of one table."""

    table: str
    results: tuple[CheckResult, ...]

    @property
    def critical_failures(self) -> tuple[CheckResult, ...]:
        """What stops publication; a rule that could not be checked is never taken as kept."""
        return tuple(
            result
            for result in self.results
            if not result.success and (result.severity == "critical" or result.error is not None)
        )

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """What is logged."""
        return tuple(
            result
            for result in self.results
            if not result.success and result not in self.critical_failures
        )


def check(suite: Suite, rows: DataFrame) -> CheckReport:
    """Check every rule and fact of a suite; none hides another.

    Args:
        suite: The contract.
        rows: The table, with at least the columns that it declares.
    """
    results = _validate(rows, suite.rules)
    if suite.facts:
        results += _facts(rows, suite.facts)
    return CheckReport(suite.table.name, tuple(results))


@cache
def _context() -> EphemeralDataContext:
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    return context


@lru_cache(maxsize=1)
def _any_frame(_of: SparkSession) -> BatchDefinition[Any]:
    """What a frame of a session is looked at through: the context is written down three times."""
    source = _context().data_sources.add_or_update_spark(name="tables", persist=False)
    return source.add_dataframe_asset(name="rows").add_batch_definition_whole_dataframe("all")


def _validate(rows: DataFrame, rules: Sequence[Expectation]) -> list[CheckResult]:
    batch = _any_frame(rows.sparkSession).get_batch({"dataframe": rows})
    suite = gx.ExpectationSuite(name="contract", expectations=list(rules))
    return [_result(told) for told in batch.validate(suite, result_format=WITHOUT_VALUES).results]


def _result(told: ExpectationValidationResult) -> CheckResult:
    config, found = told.expectation_config, told.result
    return CheckResult(
        sentence=config.description,
        severity=config.severity.value,
        success=bool(told.success),
        found=found.get("unexpected_count", found.get("observed_value")),
        rows=found.get("element_count"),
        error=None if found else _cause(told.exception_info),
    )


def _cause(exception_info: dict[str, object]) -> str:
    # The kind of the error only: the message of an engine may quote a client's values.
    told = re.findall(r"^([\w.]+(?:Error|Exception)\b)", str(exception_info), re.MULTILINE)
    return told[-1].rpartition(".")[2] if told else "unknown error"


def _facts(rows: DataFrame, facts: Sequence[Fact]) -> list[CheckResult]:
    """Measure all facts, then hold each number against its bounds."""
    values = _measured(rows, facts)
    return [_judged(fact, values[fact.sentence]) for fact in facts]


def _judged(fact: Fact, value: float | None) -> CheckResult:
    # Compared here: Great Expectations takes some 30 ms for each number.
    if value is None or math.isnan(value):
        cause = "no number came out"
        return CheckResult(fact.sentence, fact.severity, False, None, error=cause)
    return CheckResult(
        fact.sentence,
        fact.severity,
        fact.at_least <= value <= fact.at_most,
        value,
        detail=fact.detail,
    )


def _measured(rows: DataFrame, facts: Sequence[Fact]) -> dict[str, float | None]:
    """What each fact comes to, by its sentence: all totals in one job, the rest in another."""
    values: dict[str, float | None] = {}
    totals: list[Column] = []
    others: list[DataFrame] = []
    for fact in facts:
        if isinstance(fact.measure, int | float):
            values[fact.sentence] = float(fact.measure)
        elif isinstance(fact.measure, Column):
            totals.append(fact.measure.cast("double").alias(fact.sentence))
        else:
            value = fact.measure(rows).toDF("value").select(F.col("value").cast("double"))
            others.append(value.select(F.lit(fact.sentence).alias("sentence"), "value"))
    if totals:
        values |= rows.agg(*totals).collect()[0].asDict()
    if others:
        values |= {row.sentence: row.value for row in reduce(DataFrame.union, others).collect()}
    return values
