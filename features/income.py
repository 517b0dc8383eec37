"""What a customer earns: salary, pension, own work; not told apart, as a pension betrays age."""

from __future__ import annotations

from typing import Literal

from features.feature import Feature, Telling
from features.formulas import (
    against_before,
    amount,
    elapsed,
    known_amount,
    months_with,
    number,
    variation,
)
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS
from tables.categories import REGULAR_INCOME

INCOME = ALL_ROWS.where(is_credit=True, category=REGULAR_INCOME)
CREDITS = ALL_ROWS.where(is_credit=True, is_own_transfer=False)
INCOME_MONTHS = Measure(BOOKINGS, "months", "months_ago", INCOME, within=12)


def income_features() -> tuple[Feature, ...]:
    """Facts of regular income. Sentences name no amount: a branch does not see income.

    Nor is a single credit told, which is the client's own affair.
    """
    return (
        _income_amount(1),
        _income_amount(3, tells=("more",)),
        _income_amount(6),
        _income_amount(12),
        Feature(
            name="income_count_3m",
            theme="income",
            description="Credits of regular income in the last 3 months.",
            value=number(_income("count", 3), "payment"),
        ),
        Feature(
            name="income_months_12m",
            theme="income",
            description="Months among the last 12 with a credit of regular income.",
            value=months_with(INCOME_MONTHS, 12),
            tells=("more",),
        ),
        Feature(
            name="income_months_6m",
            theme="income",
            description="Months among the last 6 with a credit of regular income.",
            value=months_with(INCOME_MONTHS, 6),
            tells=("nothing",),
        ),
        Feature(
            name="days_since_last_income",
            theme="income",
            description="Days since regular income was last credited.",
            value=elapsed(
                Measure(BOOKINGS, "min", "days_ago", INCOME),
                "day",
                "null if not in the observation window",
            ),
        ),
        Feature(
            name="income_change_3m",
            theme="income",
            description="Regular income of the last 3 months ÷ that of the 3 months before.",
            value=against_before(
                _income("sum", 3), _income("sum", 6), "null without income in the earlier months"
            ),
        ),
        Feature(
            name="income_variation_12m",
            theme="income",
            description="Standard deviation ÷ mean of the income credits of the last 12 months.",
            value=variation(
                _income("sum", 12),
                _income("sum_of_squares", 12),
                _income("count", 12),
                "null without income",
            ),
        ),
        _largest_credit(1),
        _largest_credit(3),
    )


def _largest_credit(months: int) -> Feature:
    return Feature(
        name=f"largest_credit_amount_{months}m",
        theme="income",
        description=f"Largest single credit of the last {months} month{'s' * (months > 1)}, own"
        " transfers left out.",
        value=known_amount(
            Measure(BOOKINGS, "max", "cents", CREDITS, within=months), "null without a credit"
        ),
    )


def _income_amount(months: int, tells: tuple[Telling, ...] = ()) -> Feature:
    return Feature(
        name=f"income_amount_{months}m",
        theme="income",
        description=f"Regular income credited in the last {months} month{'s' * (months > 1)}.",
        value=amount(_income("sum", months)),
        tells=tells,
        tells_amount=False,
    )


def _income(how: Literal["sum", "count", "sum_of_squares"], months: int) -> Measure:
    return Measure(BOOKINGS, how, "cents", INCOME, within=months)
