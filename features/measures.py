"""One number per customer from one source; all numbers of a source come from one pass over it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Literal

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import Source

Allowed = str | bool
How = Literal["value", "count", "sum", "sum_of_squares", "min", "max", "months", "of_greatest"]

PRECEDENCE = "precedence"
BEYOND = 1_000  # the band of rows that lie in no window


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

    def condition(self) -> Column:
        """A row counts; null does not."""
        conditions = [
            F.col(name) == F.lit(values[0]) if len(values) == 1 else F.col(name).isin(*values)
            for name, values in self.allowed
        ]
        return reduce(and_, conditions)


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
    """One row per customer with all measures of ``source``, in one pass.

    Args:
        rows: The source's rows.
        source: The source they belong to.
        names: Column name by measure; those of other sources are left out.
    """
    own = {measure: name for measure, name in names.items() if measure.source == source}
    if source.is_per_customer:
        return rows.select("customer_id", *_columns(own, {}))
    if source.bands:
        return _measured_in_bands(rows, source, own)
    kept = _kept(own)
    return _with_conditions(rows, kept).groupBy("customer_id").agg(*_columns(own, kept))


def _measured_in_bands(rows: DataFrame, source: Source, own: Mapping[Measure, str]) -> DataFrame:
    """First per customer and band of months, then of the bands that lie in each window.

    Windows that differ in length only share their parts, so that each row is looked at for fewer
    measures: an eighth less time with two thirds of the measures.

    Raises:
        ValueError: A measure cannot be put together from the bands.
    """
    if odd := [measure for measure in own if not _fits(measure, source.bands)]:
        raise ValueError(f"{source.name}: {odd[0]} has no window of {source.bands} months")
    parts = {part: f"part{n}" for n, part in enumerate(dict.fromkeys(map(_unbounded, own)))}
    kept = _kept(parts)
    banded = _with_conditions(rows, kept).withColumn("band", _band(source.bands))
    per_band = banded.groupBy("customer_id", "band").agg(*_columns(parts, kept))
    return per_band.groupBy("customer_id").agg(
        *(_merged(measure, parts[_unbounded(measure)]).alias(name) for measure, name in own.items())
    )


def _fits(measure: Measure, bands: Sequence[int]) -> bool:
    is_in_months = measure.clock == "months_ago" and measure.within in (None, *bands)
    return is_in_months and measure.how in AGGREGATES


def _unbounded(measure: Measure) -> Measure:
    return replace(measure, within=None)


def _band(bands: Sequence[int]) -> Column:
    """The shortest window that a row lies in."""
    months = F.col("months_ago")
    return reduce(
        lambda longer, band: F.when(months <= band, F.lit(band)).otherwise(longer),
        sorted(bands, reverse=True),
        F.lit(BEYOND),
    )


def _merged(measure: Measure, part: str) -> Column:
    """A measure of all rows from that of each band."""
    value = F.col(part)
    if measure.within is not None:
        value = F.when(F.col("band") <= measure.within, value)
    if measure.how == "count":
        return F.coalesce(F.sum(value), F.lit(0))
    return AGGREGATES[measure.how](value)


def _kept(own: Mapping[Measure, str]) -> dict[Rows, str]:
    """A condition that many measures share is evaluated once per row, as a column of its own."""
    return {rows: f"row{place}" for place, rows in enumerate(dict.fromkeys(m.rows for m in own))}


def _with_conditions(rows: DataFrame, kept: Mapping[Rows, str]) -> DataFrame:
    conditions = [chosen.condition().alias(name) for chosen, name in kept.items() if chosen.allowed]
    return rows.select("*", *conditions)


def _columns(own: Mapping[Measure, str], kept: Mapping[Rows, str]) -> list[Column]:
    return [
        measure.column(F.col(kept[measure.rows]) if measure.rows.allowed else None).alias(name)
        for measure, name in own.items()
    ]
