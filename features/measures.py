"""One number per customer from one source; all numbers of a source come from one pass over it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Literal

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import Months, Source, place_of

Allowed = str | bool
How = Literal["value", "count", "sum", "sum_of_squares", "min", "max", "months", "of_greatest"]

PRECEDENCE = "precedence"


@dataclass(frozen=True)
class Rows:
    """Which rows count: each column named has one of the values beside it; a null has none."""

    allowed: tuple[tuple[str, tuple[Allowed, ...]], ...] = ()

    def where(self, **allowed: Allowed | Sequence[Allowed]) -> Rows:
        """These rows, narrowed further."""
        more = tuple(
            (name, (value,) if isinstance(value, (str, bool)) else tuple(value))
            for name, value in allowed.items()
        )
        return Rows(self.allowed + more)

    def condition(self, vocabularies: Mapping[str, type[StrEnum]]) -> Column:
        """A row counts; null does not.

        Args:
            vocabularies: Of the source.
        """
        return reduce(and_, (_is_one(name, v, vocabularies) for name, v in self.allowed))


def _is_one(
    name: str, values: Sequence[Allowed], vocabularies: Mapping[str, type[StrEnum]]
) -> Column:
    words = vocabularies.get(name)
    told = [place_of(words(str(value))) for value in values] if words else values
    return F.col(name) == F.lit(told[0]) if len(told) == 1 else F.col(name).isin(*told)


ALL_ROWS = Rows()

AGGREGATES: Mapping[How, Callable[[Column], Column]] = {
    "count": F.count,
    "sum": F.sum,
    "sum_of_squares": F.sum,
    "min": F.min,
    "max": F.max,
    "months": F.bit_or,
}


@dataclass(frozen=True)
class Measure:
    """What is aggregated; equal measures are computed once.

    Attributes:
        source: Whose rows.
        how: The aggregate; ``months`` has a bit per month with a row, ``value`` is taken as is,
            ``of_greatest`` is taken from the row with the greatest ``precedence``.
        of: Column of the source.
        rows: Which rows count.
        within: They also lie at most so many units of ``clock`` back; None is all of them.
        clock: Column that says how long ago.
    """

    source: Source
    how: How
    of: str
    rows: Rows = ALL_ROWS
    within: int | None = None
    clock: str = "months_ago"

    @property
    def window_months(self) -> int | None:
        """The window where it is counted in months, be it that of a column named so."""
        if self.within is not None:
            return self.within if self.clock.endswith("months_ago") else None
        named = re.search(r"_(\d+)m$", self.of)
        return int(named[1]) if named else None

    def column(self, is_counted: Column | None) -> Column:
        """The aggregate over the rows that count, or the value itself of the only row."""
        conditions = [] if is_counted is None else [is_counted]
        if self.within is not None:
            conditions.append(F.col(self.clock) <= F.lit(self.within))
        counted = _where(conditions, self._operand())
        if self.how == "value":
            return counted
        if self.how == "of_greatest":
            return F.max_by(counted, _where(conditions, F.col(PRECEDENCE)))
        return AGGREGATES[self.how](counted)

    def _operand(self) -> Column:
        column = F.col(self.of)
        if self.how == "sum_of_squares":
            # Squared cents outgrow 64 bits; a decimal is exact and does not depend on the order.
            wide = column.cast("decimal(19,0)")
            return (wide * wide).cast("decimal(38,0)")
        if self.how == "months":
            return F.call_function("shiftleft", F.lit(1), column - F.lit(1))
        return column


def _where(conditions: Sequence[Column], value: Column) -> Column:
    """The value where all conditions hold, else null."""
    return F.when(reduce(and_, conditions), value) if conditions else value


def measured(rows: DataFrame, source: Source, names: Mapping[Measure, str]) -> DataFrame:
    """One row per customer with all measures of ``source`` and of its months, in one pass.

    Args:
        rows: The source's rows.
        source: The source they belong to.
        names: Column name by measure; those of other sources are left out.
    """
    own = {measure: name for measure, name in names.items() if measure.source == source}
    if source.is_per_customer:
        return rows.select("customer_id", *_columns(own, {}))
    if source.is_by_month:
        of_months = {m: name for m, name in names.items() if source == m.source.read_as != m.source}
        return _measured_by_month(rows, source, own, of_months)
    kept = _kept(own)
    return _with_conditions(rows, kept, source).groupBy("customer_id").agg(*_columns(own, kept))


def _measured_by_month(
    rows: DataFrame, source: Source, own: Mapping[Measure, str], of_months: Mapping[Measure, str]
) -> DataFrame:
    """First per customer and month, then of the months that lie in each window.

    Windows that differ in length only share their months, so that each row is looked at for fewer
    measures; and what is asked of months needs no pass of its own.

    Raises:
        ValueError: A measure cannot be put together from months.
    """
    if odd := [measure for measure in own if not _fits(measure)]:
        raise ValueError(f"{source.name}: {odd[0]} cannot be put together from months")
    parts = {part: f"part{n}" for n, part in enumerate(dict.fromkeys(map(_unbounded, own)))}
    summaries = [s.months for s in dict.fromkeys(m.source for m in of_months) if s.months]
    months = _months(rows, source, parts, summaries)
    kept = _kept(of_months)
    return (
        _with_conditions(months, kept, source)
        .groupBy("customer_id")
        .agg(
            *(
                _merged(measure, parts[_unbounded(measure)]).alias(name)
                for measure, name in own.items()
            ),
            *_columns(of_months, kept),
        )
    )


def _months(
    rows: DataFrame, source: Source, parts: Mapping[Measure, str], summaries: Sequence[Months]
) -> DataFrame:
    """One row per customer and month with all parts, and what the summaries are made of."""
    kept = _kept(parts)
    aggregates = [
        column.alias(name) for summary in summaries for name, column in summary.aggregates().items()
    ]
    months = (
        _with_conditions(rows, kept, source)
        .groupBy("customer_id", "months_ago")
        .agg(*_columns(parts, kept), *aggregates)
    )
    columns = {name: c for summary in summaries for name, c in summary.columns().items()}
    return months.withColumns(columns) if columns else months


def _fits(measure: Measure) -> bool:
    is_in_months = measure.within is None or measure.clock == "months_ago"
    return is_in_months and measure.how in AGGREGATES


def _unbounded(measure: Measure) -> Measure:
    return replace(measure, within=None)


def _merged(measure: Measure, part: str) -> Column:
    """A measure of all rows from that of each month."""
    value = F.col(part)
    if measure.within is not None:
        value = F.when(F.col("months_ago") <= measure.within, value)
    if measure.how == "count":
        return F.coalesce(F.sum(value), F.lit(0))
    return AGGREGATES[measure.how](value)


def _kept(own: Mapping[Measure, str]) -> dict[Rows, str]:
    """A condition that many measures share is evaluated once per row, as a column of its own."""
    return {rows: f"row{place}" for place, rows in enumerate(dict.fromkeys(m.rows for m in own))}


def _with_conditions(rows: DataFrame, kept: Mapping[Rows, str], source: Source) -> DataFrame:
    words = source.vocabularies
    conditions = [
        chosen.condition(words).alias(name) for chosen, name in kept.items() if chosen.allowed
    ]
    return rows.select("*", *conditions)


def _columns(own: Mapping[Measure, str], kept: Mapping[Rows, str]) -> list[Column]:
    return [
        measure.column(F.col(kept[measure.rows]) if measure.rows.allowed else None).alias(name)
        for measure, name in own.items()
    ]
