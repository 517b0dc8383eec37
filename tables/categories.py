"""What bookings were for and how they were made: one vocabulary for every source's adapter."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What a booking was for; its sign says which way the money went.

    A null or any other category belongs to no purpose: the booking counts in totals only.
    """

    SALARY = "salary"
    PENSION = "pension"
    SELF_EMPLOYMENT = "self_employment"
    BENEFIT = "benefit"
    CHILD_BENEFIT = "child_benefit"
    INTEREST = "interest"
    RENT = "rent"
    UTILITIES = "utilities"
    HOUSEHOLD = "household"  # rent and utilities in one order, as Czech SIPO
    SUBSCRIPTION = "subscription"
    INSURANCE = "insurance"  # premium to an insurer elsewhere
    LOAN_PAYMENT = "loan_payment"  # instalment to a lender elsewhere
    LOAN_INSTALMENT = "loan_instalment"  # instalment of a loan taken through this bank
    GROCERIES = "groceries"
    DINING = "dining"
    SHOPPING = "shopping"
    LEISURE = "leisure"
    FUEL = "fuel"
    CAR = "car"
    TRAVEL = "travel"
    HEALTH = "health"
    HOME = "home"
    CASH = "cash"
    SAVINGS = "savings"
    TERM_DEPOSIT = "term_deposit"
    INVESTMENT = "investment"
    LOAN_PAYOUT = "loan_payout"
    TRANSFER = "transfer"
    FEES = "fees"
    PENALTY_INTEREST = "penalty_interest"  # for an account that ran dry


class BookingChannel(StrEnum):
    """How a booking was made."""

    TRANSFER = "transfer"
    STANDING_ORDER = "standing_order"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    ONLINE = "online"
    APP = "app"
    ATM = "atm"
    BRANCH = "branch"
    INTERNAL = "internal"


# Income from work or pension: what income limits of products are compared with.
REGULAR_INCOME = (Category.SALARY, Category.PENSION, Category.SELF_EMPLOYMENT)

# Between a customer's own accounts and products here: neither earned nor spent.
OWN_TRANSFERS = (
    Category.SAVINGS,
    Category.TERM_DEPOSIT,
    Category.INVESTMENT,
    Category.LOAN_PAYOUT,
)

# What the bank books by itself: no use of the account by the client.
BANKS_OWN = (Category.INTEREST, Category.FEES, Category.PENALTY_INTEREST)

# Bills that come every month whatever else happens.
BILLS = (
    Category.RENT,
    Category.UTILITIES,
    Category.HOUSEHOLD,
    Category.SUBSCRIPTION,
    Category.INSURANCE,
    Category.LOAN_PAYMENT,
    Category.LOAN_INSTALMENT,
)

DIGITAL_CHANNELS = (BookingChannel.ONLINE, BookingChannel.APP)
