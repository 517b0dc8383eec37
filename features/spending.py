"""What a customer spends on, what bills come every month, and which of them go to competitors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from features.feature import Feature, Theme
from features.formulas import amount, elapsed, has_any, months_with, number, ratio, share
from features.measures import ALL_ROWS, Measure
from features.sources import BOOKINGS
from tables.categories import BILLS, REGULAR_INCOME, Category

SPENT = ALL_ROWS.where(is_debit=True, is_own_transfer=False)
NOTHING_SPENT = "null if nothing was spent"


@dataclass(frozen=True)
class Purpose:
    """A category of payments and how a reason sentence puts it."""

    category: Category
    sentence: str


# Health is left out on purpose: what it says about a person is nobody's business here.
PURCHASES = (
    Purpose(Category.GROCERIES, "Spent {value} on groceries"),
    Purpose(Category.DINING, "Spent {value} on eating out"),
    Purpose(Category.SHOPPING, "Spent {value} on shopping"),
    Purpose(Category.LEISURE, "Spent {value} on leisure"),
    Purpose(Category.FUEL, "Spent {value} on fuel"),
    Purpose(Category.CAR, "Spent {value} on a car"),
    Purpose(Category.TRAVEL, "Spent {value} on travel"),
    Purpose(Category.HOME, "Spent {value} on the home"),
    Purpose(Category.CASH, "Withdrew {value} in cash"),
)
REGULAR_BILLS = (
    Purpose(Category.RENT, "Paid {value} of rent"),
    Purpose(Category.UTILITIES, "Paid {value} for utilities"),
    Purpose(Category.HOUSEHOLD, "Paid {value} of household bills"),
    Purpose(Category.SUBSCRIPTION, "Paid {value} for subscriptions"),
    Purpose(Category.INSURANCE, "Paid {value} of premiums to another insurer"),
    Purpose(Category.LOAN_PAYMENT, "Paid {value} of instalments to another lender"),
    Purpose(Category.LOAN_INSTALMENT, "Paid {value} of instalments on a loan with us"),
)
COMPETITORS = (Category.INSURANCE, Category.LOAN_PAYMENT)


def spending_features() -> tuple[Feature, ...]:
    """Purchases by category: level, part of all spending, and whether more than usual."""
    return (
        *(feature for purpose in PURCHASES for feature in _purchase_features(purpose)),
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
        *(_amount_feature(purpose, 3, "bills") for purpose in REGULAR_BILLS),
        *(_year_of_bills(purpose) for purpose in REGULAR_BILLS if purpose.category in COMPETITORS),
        *(_months_feature(category) for category in COMPETITORS),
        *(_has_elsewhere(category) for category in COMPETITORS),
        Feature(
            name="bill_amount_3m",
            theme="bills",
            description="All recurring bills of the last 3 months: rent, utilities, household,"
            " subscriptions, insurance, instalments.",
            value=amount(all_bills),
            sentence="Pays regular bills from the account: {value} in the last 3 months",
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


def _year_of_bills(purpose: Purpose) -> Feature:
    # What goes to a competitor over a year is for the model; the sentence speaks of 3 months.
    return replace(_amount_feature(purpose, 12, "bills"), sentence=None)


def _has_elsewhere(category: Category) -> Feature:
    return Feature(
        name=f"has_{category}_elsewhere_3m",
        theme="bills",
        description=f"Paid for {_label(category)} in the last 3 months.",
        value=has_any(_paid("count", category, 3)),
    )


def _purchase_features(purpose: Purpose) -> tuple[Feature, ...]:
    category = purpose.category
    recent, year = _paid("sum", category, 3), _paid("sum", category, 12)
    return (
        _amount_feature(purpose, 3, "spending"),
        _amount_feature(purpose, 12, "spending"),
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


def _amount_feature(purpose: Purpose, months: int, theme: Theme) -> Feature:
    return Feature(
        name=f"{purpose.category}_amount_{months}m",
        theme=theme,
        description=f"Paid for {_label(purpose.category)} in the last {months} months.",
        value=amount(_paid("sum", purpose.category, months)),
        sentence=f"{purpose.sentence} in the last {months} months",
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
