"""How features follow from measures, in DuckDB's SQL: `/` divides doubles, `//` whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from features_inputs import formula_of

from features.feature import Feature

TYPES = {"int": "integer", "string": "varchar"}


def formula(feature: Feature, columns: list[str]) -> str:
    """A feature's value, where its measures stand in ``columns``."""
    name, numbers = formula_of(feature.value)
    value = FORMULAS[name](*columns, **numbers)
    return f"({value})::{TYPES.get(feature.type, feature.type)}"


def _or_zero(value: str) -> str:
    return f"coalesce({value}, 0)"


def _money(cents: str) -> str:
    # Both factors fit into 64 bits, and so does the product.
    return f"({cents})::decimal(16, 0) * 0.01::decimal(2, 2)"


def _same(value: str) -> str:
    return value


def _less(one: str, other: str) -> str:
    return f"{one} - {other}"


def _mean_amount(total: str, count: str) -> str:
    half_away = f"(abs({total}) * 2 + {count}) // ({count} * 2)"
    return _money(f"case when {count} > 0 then sign({total}) * {half_away} end")


def _ratio(part: str, whole: str, above: int, below: int) -> str:
    return f"{_or_zero(part)} * {above} / nullif({whole} * {below}, 0)"


def _saved_share(inflow: str, outflow: str) -> str:
    return f"({inflow} - {_or_zero(outflow)}) / nullif({inflow}, 0)"


def _against_before(recent: str, longer: str) -> str:
    return f"{_or_zero(recent)} / nullif({_or_zero(longer)} - {_or_zero(recent)}, 0)"


def _change_of_mean(recent: str, recent_count: str, longer: str, longer_count: str) -> str:
    before = f"({_or_zero(longer)} - {_or_zero(recent)})"
    befores = f"({_or_zero(longer_count)} - {_or_zero(recent_count)})"
    below = f"{before} * {_or_zero(recent_count)}"
    return f"{_or_zero(recent)} * {befores} / nullif({below}, 0)"


def _ratio_of_means(total: str, count: str, below: str, below_count: str) -> str:
    divided = f"({total}::hugeint * {below_count}) / ({count}::hugeint * {below})"
    return f"case when {below} > 0 and {count} > 0 then {divided} end"


def _relative_range(spread: str, count: str, total: str) -> str:
    return f"{spread} * {count} / nullif({total}, 0)"


def _deviation(total: str, squares: str, count: str | int) -> str:
    """Times count: squared cents outgrow 64 bits."""
    return f"sqrt(({count} * {squares} - {total}::hugeint * {total})::double)"


def _variation(total: str, squares: str, count: str) -> str:
    return f"{_deviation(total, squares, count)} / nullif({total}, 0)"


def _monthly_variation(total: str, squares: str, months: int) -> str:
    return f"{_deviation(total, squares, months)} / nullif({total}, 0)"


def _monthly_deviation(total: str, squares: str, months: int) -> str:
    deviation = _deviation(_or_zero(total), _or_zero(squares), months)
    return _money(f"floor({deviation} / {months} + 0.5)::bigint")


def _deviation_amount(total: str, squares: str, count: str) -> str:
    deviation = f"{_deviation(total, squares, count)} / nullif({count}, 0)"
    return _money(f"floor({deviation} + 0.5)::bigint")


def _months_with(bits: str, months: int) -> str:
    return f"bit_count({_or_zero(bits)} & {(1 << months) - 1})"


FORMULAS: Mapping[str, Callable[..., str]] = {
    "_or_zero": _or_zero,
    "_money": _money,
    "attribute": _same,
    "elapsed": _same,
    "never_missing": _same,
    "has_any": lambda count: f"{_or_zero(count)} > 0",
    "is_so": lambda value: f"coalesce({value}, false)",
    "number_change": _less,
    "amount": lambda cents: _money(_or_zero(cents)),
    "net_amount": lambda plus, minus: _money(f"{_or_zero(plus)} - {_or_zero(minus)}"),
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
