"""How even the months of a customer are, and what the coming one was a year ago."""

from __future__ import annotations

from typing import Literal

from features.feature import Feature
from features.formulas import known_amount, monthly_deviation, monthly_variation, number, ratio
from features.measures import ALL_ROWS, How, Measure
from features.monthly_sources import MONTHS

Direction = Literal["in", "out"]
DEFICIT = ALL_ROWS.where(is_deficit=True)
A_YEAR_AGO = ALL_ROWS.where(is_year_ago=True)


def monthly_features() -> tuple[Feature, ...]:
    """Volatility, months that ended in deficit, days below zero, season."""
    return (
        *(_variation(direction, months) for direction in _directions() for months in (6, 12)),
        *(_net_deviation(months) for months in (6, 12)),
        *(_deficit_months(months) for months in (3, 6, 12)),
        *(_overdrawn_days(months) for months in (3, 12)),
        *(_season(direction) for direction in _directions()),
        Feature(
            name="max_outflow_month_amount_12m",
            theme="cash flow",
            description="Outflow of the month of the last 12 in which most went out.",
            value=known_amount(
                _of_months("max", "out_cents", 12), "null without a booking in 12 months"
            ),
        ),
    )


def _directions() -> tuple[Direction, ...]:
    return ("in", "out")


def _variation(direction: Direction, months: int) -> Feature:
    column = f"{direction}_cents"
    return Feature(
        name=f"{direction}flow_variation_{months}m",
        theme="cash flow",
        description=f"Standard deviation ÷ mean of the monthly {direction}flow of the last {months}"
        " months; months without bookings count as zero.",
        value=monthly_variation(
            _of_months("sum", column, months),
            _of_months("sum_of_squares", column, months),
            months,
            f"null without {direction}flow",
        ),
    )


def _net_deviation(months: int) -> Feature:
    return Feature(
        name=f"net_flow_deviation_amount_{months}m",
        theme="cash flow",
        description=f"Standard deviation of the monthly inflow less outflow of the last {months}"
        " months; months without bookings count as zero.",
        value=monthly_deviation(
            _of_months("sum", "net_cents", months),
            _of_months("sum_of_squares", "net_cents", months),
            months,
        ),
    )


def _deficit_months(months: int) -> Feature:
    return Feature(
        name=f"deficit_months_{months}m",
        theme="cash flow",
        description=f"Months among the last {months} in which more went out than came in.",
        value=number(Measure(MONTHS, "count", "months_ago", DEFICIT, within=months), "month"),
    )


def _overdrawn_days(months: int) -> Feature:
    return Feature(
        name=f"overdrawn_day_count_{months}m",
        theme="balances",
        description=f"Days of the last {months} months with a booking that left an account below"
        " zero.",
        value=number(_of_months("sum", "overdrawn_days", months), "day"),
    )


def _season(direction: Direction) -> Feature:
    column = f"{direction}_cents"
    return Feature(
        name=f"{direction}flow_season_12m",
        theme="cash flow",
        description=f"{direction.capitalize()}flow of the month 12 months ago, which the coming one"
        " may resemble, ÷ the monthly mean of the last 12.",
        value=ratio(
            Measure(MONTHS, "sum", column, A_YEAR_AGO, within=12),
            _of_months("sum", column, 12),
            f"null without {direction}flow",
            scale=(12, 1),
        ),
    )


def _of_months(how: How, column: str, months: int) -> Measure:
    return Measure(MONTHS, how, column, within=months)
