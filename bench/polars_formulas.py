"""How features follow from measures, in Polars: `/` divides doubles, `//` whole numbers.

A sum of nothing is 0 in Polars, and null only where no row was there at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
from features_inputs import formula_of

from features.feature import Feature

TYPES: Mapping[str, pl.DataType] = {
    "int": pl.Int32(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "double": pl.Float64(),
    "decimal(18,2)": pl.Decimal(18, 2),
}


def formula(feature: Feature, columns: list[str]) -> pl.Expr:
    """A feature's value, where its measures stand in ``columns``."""
    name, numbers = formula_of(feature.value)
    value = FORMULAS[name](*(pl.col(column) for column in columns), **numbers)
    return value.cast(TYPES[feature.type])


def _or_zero(value: pl.Expr) -> pl.Expr:
    return value.fill_null(0)


def _unless_zero(value: pl.Expr) -> pl.Expr:
    return pl.when(value != 0).then(value)


def _money(cents: pl.Expr) -> pl.Expr:
    return cents.cast(pl.Decimal(18, 2)) / 100


def _same(value: pl.Expr) -> pl.Expr:
    return value


def _less(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return one - other


def _mean_amount(total: pl.Expr, count: pl.Expr) -> pl.Expr:
    half_away = (total.abs() * 2 + count) // (count * 2)
    return _money(pl.when(count > 0).then(total.sign() * half_away))


def _ratio(part: pl.Expr, whole: pl.Expr, above: int, below: int) -> pl.Expr:
    return _or_zero(part) * above / _unless_zero(whole * below)


def _saved_share(inflow: pl.Expr, outflow: pl.Expr) -> pl.Expr:
    return (inflow - _or_zero(outflow)) / _unless_zero(inflow)


def _against_before(recent: pl.Expr, longer: pl.Expr) -> pl.Expr:
    return _or_zero(recent) / _unless_zero(_or_zero(longer) - _or_zero(recent))


def _change_of_mean(
    recent: pl.Expr, recent_count: pl.Expr, longer: pl.Expr, longer_count: pl.Expr
) -> pl.Expr:
    before = _or_zero(longer) - _or_zero(recent)
    befores = _or_zero(longer_count) - _or_zero(recent_count)
    return _or_zero(recent) * befores / _unless_zero(before * _or_zero(recent_count))


def _ratio_of_means(
    total: pl.Expr, count: pl.Expr, below: pl.Expr, below_count: pl.Expr
) -> pl.Expr:
    above = (total.cast(pl.Int128) * below_count).cast(pl.Float64)
    divided = above / (count.cast(pl.Int128) * below).cast(pl.Float64)
    return pl.when((below > 0) & (count > 0)).then(divided)


def _relative_range(spread: pl.Expr, count: pl.Expr, total: pl.Expr) -> pl.Expr:
    return spread * count / _unless_zero(total)


def _deviation(total: pl.Expr, squares: pl.Expr, count: pl.Expr | int) -> pl.Expr:
    """Times count: squared cents outgrow 64 bits."""
    return (squares * count - total.cast(pl.Int128) * total).cast(pl.Float64).sqrt()


def _variation(total: pl.Expr, squares: pl.Expr, count: pl.Expr) -> pl.Expr:
    return _deviation(total, squares, count) / _unless_zero(total)


def _monthly_variation(total: pl.Expr, squares: pl.Expr, months: int) -> pl.Expr:
    return _deviation(total, squares, months) / _unless_zero(total)


def _monthly_deviation(total: pl.Expr, squares: pl.Expr, months: int) -> pl.Expr:
    deviation = _deviation(_or_zero(total), _or_zero(squares), months)
    return _money((deviation / months + 0.5).floor().cast(pl.Int64))


def _deviation_amount(total: pl.Expr, squares: pl.Expr, count: pl.Expr) -> pl.Expr:
    deviation = _deviation(total, squares, count) / _unless_zero(count)
    return _money((deviation + 0.5).floor().cast(pl.Int64))


def _months_with(bits: pl.Expr, months: int) -> pl.Expr:
    return (_or_zero(bits) & ((1 << months) - 1)).bitwise_count_ones()


FORMULAS: Mapping[str, Callable[..., pl.Expr]] = {
    "_or_zero": _or_zero,
    "_money": _money,
    "attribute": _same,
    "elapsed": _same,
    "never_missing": _same,
    "has_any": lambda count: _or_zero(count) > 0,
    "is_so": lambda value: value.fill_null(value=False),
    "number_change": _less,
    "amount": lambda cents: _money(_or_zero(cents)),
    "net_amount": lambda plus, minus: _money(_or_zero(plus) - _or_zero(minus)),
    "known_change": lambda now, then: _money(_less(now, then)),
    "mean_amount": _mean_amount,
    "ratio": _ratio,
    "saved_share": _saved_share,
    "against_before": _against_before,
    "change_of_mean": _change_of_mean,
    "ratio_of_means": _ratio_of_means,
    "relative_range": _relative_range,
    "variation": _variation,
    "monthly_variation": _monthly_variation,
    "monthly_deviation": _monthly_deviation,
    "deviation_amount": _deviation_amount,
    "months_with": _months_with,
}
