"""How a feature follows from measures, and what it is for a customer without any data.

Everything up to here is whole numbers; each formula rounds once, so no value depends on the order
of rows, on their partitions or on the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from pyspark.sql import Column, functions as F

from features.measures import Measure

MONEY = "decimal(18,2)"


@dataclass(frozen=True)
class Formula:
    """A value made of measures.

    Attributes:
        measures: What it is made of.
        combine: From one column per measure to the value.
        type: Spark SQL type of the value.
        unit: ``money``, ``share`` in [0, 1], ``rate`` (a part that may be below zero), ``times``,
            ``yes or no``, ``name``, else the noun counted.
        missing: The value without data, in words.
        is_nullable: That value is null.
    """

    measures: tuple[Measure, ...]
    combine: Callable[..., Column]
    type: str
    unit: str
    missing: str
    is_nullable: bool = False

    def column(self, names: Mapping[Measure, str]) -> Column:
        """The value, where the measures stand in the columns ``names``."""
        return self.combine(*(F.col(names[m]) for m in self.measures)).cast(self.type)


def number(measure: Measure, noun: str) -> Formula:
    """How many; 0 without any."""
    return Formula((measure,), _or_zero, "int", noun, "0 without any")


def attribute(
    measure: Measure, type_name: str, unit: str, missing: str = "null if unknown"
) -> Formula:
    """A value taken as it is."""
    return Formula((measure,), lambda value: value, type_name, unit, missing, is_nullable=True)


def has_any(measure: Measure) -> Formula:
    """There is at least one row."""
    return Formula(
        (measure,), lambda n: _or_zero(n) > 0, "boolean", "yes or no", "false without any"
    )


def is_so(measure: Measure) -> Formula:
    """A boolean taken as it is; false when unknown."""
    return Formula(
        (measure,),
        lambda v: F.coalesce(v, F.lit(False)),
        "boolean",
        "yes or no",
        "false if unknown",
    )


def elapsed(measure: Measure, noun: str, missing: str) -> Formula:
    """How long ago, or until; null when it never was."""
    return Formula((measure,), lambda value: value, "int", noun, missing, is_nullable=True)


def never_missing(measure: Measure, noun: str) -> Formula:
    """A whole number that every customer has."""
    return Formula((measure,), lambda value: value, "int", noun, "never missing")


def number_change(now: Measure, then: Measure, noun: str, missing: str) -> Formula:
    """The difference of two whole numbers that may be unknown."""
    return Formula((now, then), lambda a, b: a - b, "int", noun, missing, is_nullable=True)


def amount(measure: Measure) -> Formula:
    """A sum of cents; 0.00 without any."""
    return Formula((measure,), lambda s: _money(_or_zero(s)), MONEY, "money", "0.00 without any")


def known_amount(measure: Measure, missing: str) -> Formula:
    """Cents that may be unknown."""
    return Formula((measure,), _money, MONEY, "money", missing, is_nullable=True)


def net_amount(plus: Measure, minus: Measure) -> Formula:
    """One sum of cents less another; nothing counts as zero."""
    return Formula(
        (plus, minus),
        lambda a, b: _money(_or_zero(a) - _or_zero(b)),
        MONEY,
        "money",
        "0.00 without any",
    )


def known_change(now: Measure, then: Measure, missing: str) -> Formula:
    """The difference of two amounts that may be unknown."""
    return Formula(
        (now, then), lambda a, b: _money(a - b), MONEY, "money", missing, is_nullable=True
    )


def mean_amount(total: Measure, count: Measure, missing: str) -> Formula:
    """Sum of cents over count, rounded half away from zero in whole numbers."""
    return Formula(
        (total, count),
        lambda s, n: _money(F.when(n > 0, _rounded_division(s, n))),
        MONEY,
        "money",
        missing,
        is_nullable=True,
    )


def share(part: Measure, whole: Measure, missing: str) -> Formula:
    """Part of a whole, in [0, 1]; null where the whole is nothing."""
    return replace(ratio(part, whole, missing), unit="share")


def ratio(part: Measure, whole: Measure, missing: str, scale: tuple[int, int] = (1, 1)) -> Formula:
    """``part`` ÷ ``whole``, times a fraction of whole numbers; null where ``whole`` is nothing."""
    above, below = scale

    def combine(a: Column, b: Column) -> Column:
        divisor = F.when(_or_zero(b) != 0, b * F.lit(below))
        return _divided(_or_zero(a) * F.lit(above), divisor)

    return Formula((part, whole), combine, "double", "times", missing, is_nullable=True)


def saved_share(inflow: Measure, outflow: Measure, missing: str) -> Formula:
    """What is left of an inflow; negative if more went out, null without inflow."""

    def combine(came: Column, went: Column) -> Column:
        return _divided(came - _or_zero(went), F.when(_or_zero(came) != 0, came))

    return Formula((inflow, outflow), combine, "double", "rate", missing, is_nullable=True)


def against_before(recent: Measure, longer: Measure, missing: str) -> Formula:
    """A recent sum ÷ the rest of a longer one that contains it; null where the rest is nothing."""

    def combine(new: Column, both: Column) -> Column:
        before = _or_zero(both) - _or_zero(new)
        return _divided(_or_zero(new), F.when(before != 0, before))

    return Formula((recent, longer), combine, "double", "times", missing, is_nullable=True)


def change_of_mean(
    recent: Measure, recent_count: Measure, longer: Measure, longer_count: Measure, missing: str
) -> Formula:
    """A recent mean ÷ the mean of the rest of a longer time; null without rows in either."""

    def combine(new: Column, news: Column, both: Column, all_rows: Column) -> Column:
        before, befores = _or_zero(both) - _or_zero(new), _or_zero(all_rows) - _or_zero(news)
        divisor = before * _or_zero(news)
        return _divided(_or_zero(new) * befores, F.when(divisor != 0, divisor))

    measures = (recent, recent_count, longer, longer_count)
    return Formula(measures, combine, "double", "times", missing, is_nullable=True)


def ratio_of_means(
    above: tuple[Measure, Measure], below: tuple[Measure, Measure], missing: str
) -> Formula:
    """Sum and count of one mean ÷ those of another; null where that is not above zero."""

    def combine(s: Column, n: Column, total: Column, count: Column) -> Column:
        divisor = F.when((total > 0) & (n > 0), _product(n, total))
        return _product(s, count).cast("double") / divisor.cast("double")

    return Formula((*above, *below), combine, "double", "times", missing, is_nullable=True)


def relative_range(spread: Measure, count: Measure, total: Measure, missing: str) -> Formula:
    """Largest less smallest value, ÷ their mean; null where they sum to nothing."""

    def combine(r: Column, n: Column, s: Column) -> Column:
        return _divided(r * n, F.when(s != 0, s))

    return Formula((spread, count, total), combine, "double", "times", missing, is_nullable=True)


def variation(total: Measure, squares: Measure, count: Measure, missing: str) -> Formula:
    """Standard deviation ÷ mean (population); null without data or with a mean of zero."""

    def combine(s: Column, q: Column, n: Column) -> Column:
        return _deviation(s, q, n) / F.when(s != 0, s).cast("double")

    return Formula((total, squares, count), combine, "double", "times", missing, is_nullable=True)


def monthly_variation(total: Measure, squares: Measure, months: int, missing: str) -> Formula:
    """The same over so many months, of which those without a row count as zero."""

    def combine(s: Column, q: Column) -> Column:
        return _deviation(s, q, F.lit(months)) / F.when(s != 0, s).cast("double")

    return Formula((total, squares), combine, "double", "times", missing, is_nullable=True)


def monthly_deviation(total: Measure, squares: Measure, months: int) -> Formula:
    """Standard deviation of so many months in cents; those without a row count as zero."""

    def combine(s: Column, q: Column) -> Column:
        return _money(_whole(_deviation(_or_zero(s), _or_zero(q), F.lit(months)) / F.lit(months)))

    return Formula((total, squares), combine, MONEY, "money", "0.00 without any")


def deviation_amount(total: Measure, squares: Measure, count: Measure, missing: str) -> Formula:
    """Standard deviation (population) in cents; null without data."""

    def combine(s: Column, q: Column, n: Column) -> Column:
        return _money(_whole(_deviation(s, q, n) / F.when(n > 0, n)))

    return Formula((total, squares, count), combine, MONEY, "money", missing, is_nullable=True)


def months_with(measure: Measure, months: int, noun: str = "month") -> Formula:
    """In how many of the last months there was a row."""
    return Formula(
        (measure,),
        lambda bits: F.bit_count(_or_zero(bits).bitwiseAND(F.lit((1 << months) - 1))),
        "int",
        noun,
        "0 without any",
    )


def _or_zero(value: Column) -> Column:
    return F.coalesce(value, F.lit(0))


def _money(cents: Column) -> Column:
    return (cents.cast("decimal(20,0)") * F.lit(Decimal("0.01"))).cast(MONEY)


def _divided(above: Column, below: Column) -> Column:
    """Two whole numbers below 2^53 divided with a single rounding."""
    return above.cast("double") / below.cast("double")


def _product(one: Column, other: Column) -> Column:
    """Two whole numbers multiplied, where 64 bits may be too few."""
    return (one.cast("decimal(19,0)") * other.cast("decimal(18,0)")).cast("decimal(38,0)")


def _deviation(total: Column, squares: Column, count: Column) -> Column:
    """Standard deviation times count: the root of an exact whole number."""
    wide = total.cast("decimal(19,0)")
    spread = (count.cast("decimal(10,0)") * squares.cast("decimal(28,0)")).cast("decimal(38,0)")
    exact = spread - (wide * wide).cast("decimal(38,0)")
    return F.sqrt(exact.cast("double"))


def _whole(value: Column) -> Column:
    """Rounded to a whole number, half up."""
    return F.floor(value + F.lit(0.5)).cast("bigint")


def _rounded_division(above: Column, below: Column) -> Column:
    twice = F.abs(above) * 2 + below
    whole = (twice - twice % (below * 2)) / (below * 2)
    return F.signum(above) * whole
