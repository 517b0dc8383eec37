"""The tables a bank delivers (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import get_args

from conf.fields import Channel, Disposition, Flag
from tables.base import Table, columns

MONEY = "decimal(18,2)"
EARLIEST, LATEST = date(1850, 1, 1), date(2200, 1, 1)  # any date in a bank's books
RECORDED = "recorded_at timestamp -- when the bank's systems knew this row, UTC"

CUSTOMERS = Table(
    name="customers",
    grain="one row per customer",
    key=("customer_id",),
    kind="whole",
    columns=columns(
        "customer_id string -- the bank's identifier of the customer",
        "birth_date date? -- used for age in eligibility only, never by a model",
        "gender string? -- measured in fairness reports only, never by a model",
        "branch_id string -- the branch that serves the customer",
        "segment string? -- mass, affluent, private or vip",
        "joined_on date -- first day of the relationship",
        "left_on date? -- last day of the relationship",
        "deceased_on date? -- date of death",
        "is_employee boolean -- works for the bank",
        "payroll_employer_id string? -- employer that pays salary into this bank",
        "advisor_id string? -- personal advisor",
        "household_id string? -- people who live together",
        "language string? -- language of contact",
        RECORDED,
    ),
)

ACCOUNTS = Table(
    name="accounts",
    grain="one row per account",
    key=("account_id",),
    kind="whole",
    columns=columns(
        "account_id string -- the bank's identifier of the account",
        "customer_id string -- its owner",
        "product_id string -- the product the account belongs to",
        "opened_on date -- first day",
        "closed_on date? -- last day",
        "currency string -- ISO 4217 code of its amounts",
        RECORDED,
    ),
)

TRANSACTIONS = Table(
    name="transactions",
    grain="one row per booking",
    key=("transaction_id",),
    kind="increment",
    columns=columns(
        "transaction_id string -- the bank's identifier of the booking",
        "account_id string -- account that was credited or debited",
        "booked_on date -- day of the booking",
        f"amount {MONEY} -- credit > 0, debit < 0, in the account's currency",
        "currency string -- ISO 4217 code of the amount",
        f"balance_after {MONEY}? -- balance after the booking",
        "category string? -- what it was for",
        "channel string? -- how it was made",
        "counterparty_id string? -- the other side",
        RECORDED,
    ),
)

HOLDINGS = Table(
    name="holdings",
    grain="one row per product held by a customer, from opening to closing",
    key=("holding_id",),
    kind="whole",
    columns=columns(
        "holding_id string -- the bank's identifier of the holding",
        "customer_id string -- who holds it",
        "product_id string -- what is held",
        "account_id string? -- account it belongs to",
        "opened_on date -- day of purchase",
        "closed_on date? -- last day",
        "matures_on date? -- end of a term deposit, card, subscription or lease",
        RECORDED,
    ),
)

CONSENTS = Table(
    name="consents",
    grain="one row per change of a customer's consent to a purpose and channel",
    key=("customer_id", "purpose", "channel", "changed_at"),
    kind="increment",
    columns=columns(
        "customer_id string -- who decided",
        "purpose string -- marketing_internal, marketing_partner or profiling",
        "channel string -- branch, phone, email, sms, post or app",
        "changed_at timestamp -- when the customer decided, UTC",
        "is_granted boolean -- yes or no from then on",
        RECORDED,
    ),
)

FLAGS = Table(
    name="flags",
    grain="one row per customer, flag and start of validity",
    key=("customer_id", "flag", "valid_from"),
    kind="whole",
    columns=columns(
        "customer_id string -- whom it concerns",
        "flag string -- financial_difficulty, vulnerable, complaint_open, fraud_watch"
        " or bereavement",
        "valid_from date -- first day",
        "valid_to date? -- first day on which it no longer holds",
        RECORDED,
    ),
)

CONTACTS = Table(
    name="contacts",
    grain="one row per contact with a customer about a product",
    key=("contact_id",),
    kind="increment",
    columns=columns(
        "contact_id string -- the bank's identifier of the contact",
        "customer_id string -- who was contacted",
        "product_id string -- about what",
        "offer_id string? -- with which offer",
        "campaign_id string? -- within which campaign",
        "channel string -- branch, phone, email, sms, post or app",
        "contacted_on date -- day of the contact",
        "disposition string? -- contacted, no_answer, interested, sold, refused, opt_out"
        " or unsuitable",
        "disposition_on date? -- day of that result",
        "branch_id string? -- branch that made it",
        "advisor_id string? -- advisor who made it",
        "referred_by_advisor_id string? -- advisor who passed the client on",
        RECORDED,
    ),
)

BRANCHES = Table(
    name="branches",
    grain="one row per branch",
    key=("branch_id",),
    kind="whole",
    columns=columns(
        "branch_id string -- the bank's identifier of the branch",
        "name string -- its name",
        "region string -- where it is",
        RECORDED,
    ),
)

ADVISORS = Table(
    name="advisors",
    grain="one row per advisor",
    key=("advisor_id",),
    kind="whole",
    columns=columns(
        "advisor_id string -- the bank's identifier of the advisor",
        "branch_id string -- where the advisor works",
        "name string -- the advisor's name",
        "role string -- the advisor's role",
        RECORDED,
    ),
)

FX_RATES = Table(
    name="fx_rates",
    grain="one row per currency and month",
    key=("currency", "month"),
    kind="whole",
    columns=columns(
        "currency string -- ISO 4217 code",
        "month date -- first day of the month it applies to",
        "rate_to_base decimal(18,8) -- base currency units for one unit",
        RECORDED,
    ),
)

CUSTOMER_MERGES = Table(
    name="customer_merges",
    grain="one row per customer record that was found to be another one",
    key=("customer_id",),
    kind="increment",
    columns=columns(
        "customer_id string -- the record that was given up",
        "survivor_id string -- the record that stands for the person; its own id: not merged after"
        " all",
        "merged_on date -- day on which the bank merged them",
        RECORDED,
    ),
)

SOURCES = (
    BRANCHES,
    ADVISORS,
    FX_RATES,
    CUSTOMERS,
    ACCOUNTS,
    TRANSACTIONS,
    HOLDINGS,
    CONSENTS,
    FLAGS,
    CONTACTS,
    CUSTOMER_MERGES,
)

# Columns whose values are one of a few codes; any other value is a mistake in the source.
CODES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "customers": {"segment": ("mass", "affluent", "private", "vip")},
    "consents": {
        "purpose": ("marketing_internal", "marketing_partner", "profiling"),
        "channel": get_args(Channel),
    },
    "flags": {"flag": get_args(Flag)},
    "contacts": {"channel": get_args(Channel), "disposition": get_args(Disposition)},
}

# Column of a table → the source table whose key it must name.
REFERENCES: Mapping[str, Mapping[str, Table]] = {
    "accounts": {"customer_id": CUSTOMERS},
    "transactions": {"account_id": ACCOUNTS},
    "holdings": {"customer_id": CUSTOMERS},
    "consents": {"customer_id": CUSTOMERS},
    "flags": {"customer_id": CUSTOMERS},
    "contacts": {"customer_id": CUSTOMERS},
    "customer_merges": {"customer_id": CUSTOMERS, "survivor_id": CUSTOMERS},
}

# A doubt about one row of these is a doubt about whom the bank may contact.
FAIL_CLOSED = (CONSENTS, FLAGS, CONTACTS, CUSTOMER_MERGES)

# A source may mark what it has deleted; a delivery without this column marks nothing.
DELETION_MARK = columns("is_deleted boolean? -- the source says that the row is gone")
HISTORY = columns(
    "delivery date -- delivery that brought this version",
    "is_deleted boolean -- the row was gone from that delivery",
)
REVISION = columns("is_revision boolean -- another version of the same key may be stored")
OWNER = columns("customer_id string -- owner of the account when the booking was delivered")


def as_delivered(table: Table) -> Table:
    """A source table with what a delivery may say beside its columns."""
    return replace(table, columns=table.columns + DELETION_MARK)


def stored(table: Table) -> Table:
    """How the store keeps a source table: every version of every row, never changed again.

    A version is identified by its key and the time from which it was known; ``recorded_at`` of a
    version is never earlier than the bank could have told us of it (see ``extracts/versions.py``).
    """
    key = (*table.key, "recorded_at")
    if table.kind == "whole":
        return replace(table, key=key, columns=table.columns + HISTORY)
    if table.name != TRANSACTIONS.name:
        return replace(table, key=key, columns=table.columns + HISTORY + REVISION)
    return replace(
        table,
        key=key,
        columns=table.columns + OWNER + HISTORY + REVISION,
        bucket_order=("customer_id",),
    )
