"""What a customer spends on, what bills come every month, and which of them go to competitors."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from features.feature import Feature, Theme
from features.formulas import amount, elapsed, has_any, months_with, number, ratio, share
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS
from tables.categories import BILLS, REGULAR_INCOME, Category

SPENT = ALL_ROWS.where(is_debit=True, is_own_transfer=False)
NOTHING_SPENT = "null if nothing was spent"


# Health is left out on purpose: what it says about a person is nobody's business here.
PURCHASES = (
    Category.GROCERIES,
    Category.DINING,
    Category.SHOPPING,
    Category.LEISURE,
    Category.FUEL,
    Category.CAR,
    Category.TRAVEL,
    Category.HOME,
    Category.CASH,
)
REGULAR_BILLS = (
    Category.RENT,
    Category.UTILITIES,
    Category.HOUSEHOLD,
    Category.SUBSCRIPTION,
    Category.INSURANCE,
    Category.LOAN_PAYMENT,
    Category.LOAN_INSTALMENT,
)
COMPETITORS = (Category.INSURANCE, Category.LOAN_PAYMENT)


def spending_features() -> tuple[Feature, ...]:
    """Purchases by category: level, part of all spending, and whether more than usual."""
    return (
        *(feature for category in PURCHASES for feature in _purchase_features(category)),
        Feature(
            name="days_since_travel",
            theme="spending",
            description="Days since the last payment for travel.",
            value=elapsed(
                Measure(
                    BOOKINGS,
                    "min",
                    "days_ago",
                    ALL_ROWS.where(is_debit=True, category=Category.TRAVEL),
                ),
                "day",
                "null if not in the observation window",
            ),
        ),
    )


def bill_features() -> tuple[Feature, ...]:
    """Bills that come back: each kind, all together, and against income."""
    bills = ALL_ROWS.where(is_debit=True, category=BILLS)
    income = ALL_ROWS.where(is_credit=True, category=REGULAR_INCOME)
    all_bills = Measure(BOOKINGS, "sum", "cents", bills, within=3)
    return (
        *(_amount_feature(category, 3, "bills") for category in REGULAR_BILLS),
        *(_year_of_bills(category) for category in REGULAR_BILLS if category in COMPETITORS),
        *(_months_feature(category) for category in COMPETITORS),
        *(_has_elsewhere(category) for category in COMPETITORS),
        Feature(
            name="bill_amount_3m",
            theme="bills",
            description="All recurring bills of the last 3 months: rent, utilities, household,"
            " subscriptions, insurance, instalments.",
            value=amount(all_bills),
            tells=("more",),
        ),
        Feature(
            name="bill_to_income_3m",
            theme="bills",
            description="Recurring bills ÷ regular income, last 3 months; above 1 if income does"
            " not cover them.",
            value=ratio(
                all_bills,
                Measure(BOOKINGS, "sum", "cents", income, within=3),
                "null without income",
            ),
        ),
    )


def _year_of_bills(category: Category) -> Feature:
    # What goes to a competitor over a year is for the model; the sentence speaks of 3 months.
    return replace(_amount_feature(category, 12, "bills"), tells=())


def _has_elsewhere(category: Category) -> Feature:
    return Feature(
        name=f"has_{category}_elsewhere_3m",
        theme="bills",
        description=f"Paid for {_label(category)} in the last 3 months.",
        value=has_any(_paid("count", category, 3)),
    )


def _purchase_features(category: Category) -> tuple[Feature, ...]:
    recent, year = _paid("sum", category, 3), _paid("sum", category, 12)
    return (
        _amount_feature(category, 3, "spending"),
        _amount_feature(category, 12, "spending"),
        Feature(
            name=f"{category}_count_3m",
            theme="spending",
            description=f"Payments for {category} in the last 3 months.",
            value=number(_paid("count", category, 3), "payment"),
        ),
        Feature(
            name=f"{category}_share_3m",
            theme="spending",
            description=f"Part of all spending of the last 3 months that went to {category}.",
            value=share(recent, Measure(BOOKINGS, "sum", "cents", SPENT, within=3), NOTHING_SPENT),
        ),
        Feature(
            name=f"{category}_trend_3m",
            theme="spending",
            description=f"Paid for {category} per month in the last 3 months ÷ per month in the"
            " last 12; months before joining count as zero.",
            value=ratio(recent, year, f"null without {category} in 12 months", scale=(4, 1)),
        ),
    )


def _amount_feature(category: Category, months: int, theme: Theme) -> Feature:
    return Feature(
        name=f"{category}_amount_{months}m",
        theme=theme,
        description=f"Paid for {_label(category)} in the last {months} months.",
        value=amount(_paid("sum", category, months)),
        tells=("more",),
    )


def _months_feature(category: Category) -> Feature:
    paid = ALL_ROWS.where(is_debit=True, category=category)
    return Feature(
        name=f"{category}_months_12m",
        theme="bills",
        description=f"Months among the last 12 with a payment for {_label(category)}.",
        value=months_with(Measure(BOOKINGS, "months", "months_ago", paid, within=12), 12),
    )


def _paid(how: Literal["sum", "count"], category: Category, months: int) -> Measure:
    rows = ALL_ROWS.where(is_debit=True, category=category)
    return Measure(BOOKINGS, how, "cents", rows, within=months)


def _label(category: Category) -> str:
    named = {
        Category.INSURANCE: "insurance elsewhere",
        Category.LOAN_PAYMENT: "a loan elsewhere",
        Category.LOAN_INSTALMENT: "a loan of this bank",
        Category.CASH: "cash withdrawals",
    }
    return named.get(category, category.value)
