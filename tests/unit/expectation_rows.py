"""Good rows of any table, and rows each of which breaks one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession, functions as F

from expectations.check import CheckReport
from expectations.suite import Suite
from tables.base import Table


def rows_with(
    spark: SparkSession,
    table: Table,
    good: Mapping[str, str],
    breaks: Sequence[tuple[str, str]] = (),
    count: int = 30,
) -> DataFrame:
    """``count`` rows, the first good; in the row after it the first break, and so on.

    Args:
        spark: The session.
        table: Gives columns and types.
        good: Column → SQL expression over ``id``, 0, 1, 2, …; null where left out.
        breaks: Pairs of column and SQL expression.
        count: Number of rows.
    """
    values = []
    for column in table.columns:
        value = F.expr(good.get(column.name, "null"))
        for number, (name, expression) in enumerate(breaks, start=1):
            if name == column.name:
                value = F.when(F.col("id") == number, F.expr(expression)).otherwise(value)
        values.append(value.cast(column.type).alias(column.name))
    # A plan of literals is checked several times faster than one of expressions.
    return spark.createDataFrame(spark.range(count).select(*values).collect(), table.ddl)


def only_facts(suite: Suite) -> Suite:
    """The suite without its rules about rows, for tests that concern facts."""
    return replace(suite, rules=())


def only_rules(suite: Suite) -> Suite:
    """The suite without its facts."""
    return replace(suite, facts=())


def failures(report: CheckReport) -> dict[str, float]:
    """What was found for each critical rule that was broken."""
    return {result.sentence: result.found for result in report.critical_failures}


def warnings(report: CheckReport) -> dict[str, float]:
    """What was found for each warning."""
    return {result.sentence: result.found for result in report.warnings}
