"""What bookings were for and how they were made: one vocabulary for every source's adapter."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What a booking was for. A null or unknown category is nobody's: it counts in totals only."""

    SALARY = "salary"
    PENSION = "pension"
    INTEREST = "interest"
    CASH_IN = "cash_in"
    TRANSFER_IN = "transfer_in"
    RENT = "rent"
    HOUSEHOLD = "household"
    UTILITIES = "utilities"
    GROCERIES = "groceries"
    DINING = "dining"
    TRAVEL = "travel"
    FUEL = "fuel"
    SHOPPING = "shopping"
    HEALTH = "health"
    ENTERTAINMENT = "entertainment"
    SUBSCRIPTION = "subscription"
    INSURANCE_PREMIUM = "insurance_premium"
    LOAN_INSTALMENT = "loan_instalment"
    LEASING_INSTALMENT = "leasing_instalment"
    SAVINGS_TRANSFER = "savings_transfer"
    INVESTMENT = "investment"
    CASH_OUT = "cash_out"
    TRANSFER_OUT = "transfer_out"
    CARD_PAYMENT = "card_payment"
    FEES = "fees"
    PENALTY_INTEREST = "penalty_interest"
    OTHER = "other"


class BookingChannel(StrEnum):
    """How a booking was made."""

    BRANCH = "branch"
    ATM = "atm"
    CARD = "card"
    ONLINE = "online"
    APP = "app"
    STANDING_ORDER = "standing_order"
    DIRECT_DEBIT = "direct_debit"
    TRANSFER = "transfer"


# Regular income: what income limits of products are compared with.
REGULAR_INCOME = (Category.SALARY, Category.PENSION)

# Moves between a customer's own accounts: neither earned nor spent.
OWN_TRANSFERS = (Category.SAVINGS_TRANSFER,)

# Bills that come every month whatever else happens.
BILLS = (
    Category.RENT,
    Category.HOUSEHOLD,
    Category.UTILITIES,
    Category.SUBSCRIPTION,
    Category.INSURANCE_PREMIUM,
    Category.LOAN_INSTALMENT,
    Category.LEASING_INSTALMENT,
)

# What the bank charges for an account that runs dry.
OVERDRAFT_COSTS = (Category.PENALTY_INTEREST,)

DIGITAL_CHANNELS = (BookingChannel.ONLINE, BookingChannel.APP)
