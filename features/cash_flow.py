"""What the customer has, what comes in and goes out, and what is put aside."""

from __future__ import annotations

from typing import Literal

from features.feature import Feature
from features.formulas import (
    amount,
    deviation_amount,
    elapsed,
    known_amount,
    known_change,
    mean_amount,
    net_amount,
    number,
    ratio,
    ratio_of_means,
    saved_share,
)
from features.measures import ALL_ROWS, How, Measure
from features.sources import ACCOUNTS, BALANCE_MONTHS, BOOKINGS
from tables.categories import Category

INFLOW = ALL_ROWS.where(is_credit=True, is_own_transfer=False)
OUTFLOW = ALL_ROWS.where(is_debit=True, is_own_transfer=False)
OVERDRAWN = ALL_ROWS.where(is_overdrawn=True)
UNKNOWN_BALANCE = "null if no open account has a known balance"
NO_BOOKING = "null without a booking that tells a balance"


def balance_features() -> tuple[Feature, ...]:
    """Level, change, mean and lowest of the balances."""
    return (
        Feature(
            name="balance_amount",
            theme="balances",
            description="Last known balances of all open accounts together.",
            value=known_amount(Measure(ACCOUNTS, "sum", "balance_cents"), UNKNOWN_BALANCE),
            tells=("more",),
        ),
        *(_balance_change(months) for months in BALANCE_MONTHS),
        Feature(
            name="account_count",
            theme="balances",
            description="Open accounts.",
            value=number(Measure(ACCOUNTS, "count", "customer_id"), "account"),
        ),
        *(_mean_balance(months) for months in (3, 6, 12)),
        *(_lowest_balance(months) for months in (3, 6, 12)),
        *(_balance_deviation(months) for months in (3, 12)),
        _balance_trend(),
        Feature(
            name="overdrawn_count_3m",
            theme="balances",
            description="Bookings of the last 3 months after which an account was below zero.",
            value=number(Measure(BOOKINGS, "count", "days_ago", OVERDRAWN, within=3), "booking"),
        ),
        Feature(
            name="days_since_overdrawn",
            theme="balances",
            description="Days since a booking last left an account below zero.",
            value=elapsed(
                Measure(BOOKINGS, "min", "days_ago", OVERDRAWN),
                "day",
                "null if not in the observation window",
            ),
        ),
        Feature(
            name="balance_to_outflow_3m",
            theme="balances",
            description="Months for which the balance would last at the outflow of the last 3.",
            value=ratio(
                Measure(ACCOUNTS, "sum", "balance_cents"),
                _moved("out", 3),
                "null if nothing went out; an unknown balance counts as 0",
                scale=(3, 1),
            ),
        ),
    )


def cash_flow_features() -> tuple[Feature, ...]:
    """Money in and out, own transfers left out, and the part that stays."""
    return (
        *(_flow("in", months) for months in (1, 3, 6, 12)),
        *(_flow("out", months) for months in (1, 3, 6, 12)),
        *(_net_flow(months) for months in (1, 3, 6, 12)),
        *(_savings_rate(months) for months in (3, 6, 12)),
        *(_put_aside(months) for months in (3, 6, 12)),
        _trend("in"),
        _trend("out"),
        Feature(
            name="largest_debit_amount_3m",
            theme="cash flow",
            description="Largest single debit of the last 3 months, own transfers left out.",
            value=known_amount(
                Measure(BOOKINGS, "max", "cents", OUTFLOW, within=3), "null without a debit"
            ),
        ),
        *(_invested(months) for months in (3, 12)),
        Feature(
            name="transfer_amount_3m",
            theme="cash flow",
            description="Transferred to accounts at other banks in the last 3 months.",
            value=amount(_category("sum", Category.TRANSFER, 3)),
            tells=("more",),
        ),
    )


def _balance_change(months: int) -> Feature:
    now = Measure(ACCOUNTS, "sum", "balance_cents")
    then = Measure(ACCOUNTS, "sum", f"balance_{months}m_cents")
    return Feature(
        name=f"balance_change_amount_{months}m",
        theme="balances",
        description="Last known balances of the accounts open now, less those known"
        f" {months} month{'s' * (months > 1)} before.",
        value=known_change(now, then, "null if either is unknown"),
        tells=("more",),
    )


def _after_bookings(how: How, months: int) -> Measure:
    return Measure(BOOKINGS, how, "balance_cents", within=months)


def _balance_deviation(months: int) -> Feature:
    return Feature(
        name=f"balance_deviation_amount_{months}m",
        theme="balances",
        description=f"Standard deviation of the balances after each booking of the last {months}"
        " months.",
        value=deviation_amount(
            _after_bookings("sum", months),
            _after_bookings("sum_of_squares", months),
            _after_bookings("count", months),
            NO_BOOKING,
        ),
    )


def _balance_trend() -> Feature:
    return Feature(
        name="balance_trend_3m",
        theme="balances",
        description="Mean balance after each booking of the last 3 months ÷ of the last 12.",
        value=ratio_of_means(
            (_after_bookings("sum", 3), _after_bookings("count", 3)),
            (_after_bookings("sum", 12), _after_bookings("count", 12)),
            "null without a booking in both, or with a mean of 12 months at or below zero",
        ),
    )


def _mean_balance(months: int) -> Feature:
    return Feature(
        name=f"mean_balance_amount_{months}m",
        theme="balances",
        description=f"Mean of the balances after each booking of the last {months} months.",
        value=mean_amount(
            _after_bookings("sum", months), _after_bookings("count", months), NO_BOOKING
        ),
    )


def _lowest_balance(months: int) -> Feature:
    return Feature(
        name=f"min_balance_amount_{months}m",
        theme="balances",
        description=f"Lowest balance of an account after a booking of the last {months} months.",
        value=known_amount(Measure(BOOKINGS, "min", "balance_cents", within=months), NO_BOOKING),
        tells=("more",),
    )


def _flow(direction: Literal["in", "out"], months: int) -> Feature:
    verb = {"in": "Credited", "out": "Debited"}[direction]
    return Feature(
        name=f"{direction}flow_amount_{months}m",
        theme="cash flow",
        description=f"{verb} in the last {months} month{'s' * (months > 1)},"
        " transfers between own accounts and products left out.",
        value=amount(_moved(direction, months)),
    )


def _net_flow(months: int) -> Feature:
    last = f"the last {months} months" if months > 1 else "the last month"
    return Feature(
        name=f"net_flow_amount_{months}m",
        theme="cash flow",
        description=f"Inflow less outflow of {last}.",
        value=net_amount(_moved("in", months), _moved("out", months)),
        tells=("more",),
    )


def _savings_rate(months: int) -> Feature:
    return Feature(
        name=f"savings_rate_{months}m",
        theme="cash flow",
        description=f"Inflow less outflow, ÷ inflow, last {months} months; negative if more"
        " went out.",
        value=saved_share(_moved("in", months), _moved("out", months), "null without inflow"),
        tells=("more",),
    )


def _trend(direction: Literal["in", "out"]) -> Feature:
    return Feature(
        name=f"{direction}flow_trend_3m",
        theme="cash flow",
        description=f"{direction.capitalize()}flow per month in the last 3 months ÷ per month in"
        " the last 12.",
        value=ratio(
            _moved(direction, 3),
            _moved(direction, 12),
            f"null without {direction}flow",
            scale=(4, 1),
        ),
    )


def _invested(months: int) -> Feature:
    return Feature(
        name=f"investment_amount_{months}m",
        theme="cash flow",
        description=f"Paid into investments in the last {months} months.",
        value=amount(_category("sum", Category.INVESTMENT, months)),
        tells=("more",),
    )


def _put_aside(months: int) -> Feature:
    return Feature(
        name=f"savings_amount_{months}m",
        theme="cash flow",
        description=f"Moved from a current account to own savings in the last {months} months.",
        value=amount(_category("sum", Category.SAVINGS, months)),
        tells=("more",),
    )


def _moved(direction: Literal["in", "out"], months: int) -> Measure:
    rows = {"in": INFLOW, "out": OUTFLOW}[direction]
    return Measure(BOOKINGS, "sum", "cents", rows, within=months)


def _category(how: Literal["sum"], category: Category, months: int) -> Measure:
    rows = ALL_ROWS.where(is_debit=True, category=category)
    return Measure(BOOKINGS, how, "cents", rows, within=months)
