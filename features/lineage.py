"""Which columns of the bank's tables the columns of a source are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.measures import PRECEDENCE, Measure


@dataclass(frozen=True)
class Lineage:
    """Of one source.

    Attributes:
        rows: What decides which rows there are, and whose; every measure depends on it.
        columns: What else each of its columns is made of.
    """

    rows: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def _of(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns)


RATE = _of("fx_rates", "currency", "month", "rate_to_base")
CENTS = (*_of("transactions", "amount", "currency"), *RATE)
MOVED = (*CENTS, "transactions.category")
BALANCE = (*_of("transactions", "balance_after", "currency"), *RATE)
LAST_BALANCE = (
    "accounts.currency",
    *_of("transactions", "account_id", "balance_after", "booked_on"),
    *_of("transactions", "recorded_at", "transaction_id"),
    *RATE,
)
RELATIONSHIP = _of("customers", "customer_id", "joined_on", "left_on", "deceased_on")

LINEAGE: Mapping[str, Lineage] = {
    "customers": Lineage(
        RELATIONSHIP,
        {
            "segment": ("customers.segment",),
            "segment_rank": ("customers.segment",),
            "household_size": ("customers.household_id",),
            "months_since_joined": (),
            "has_payroll_employer": ("customers.payroll_employer_id",),
            "has_advisor": ("customers.advisor_id",),
        },
    ),
    "customers half a year before": Lineage(
        RELATIONSHIP,
        {
            "segment_rank": ("customers.segment",),
            "household_size": ("customers.household_id",),
            "has_branch_changed_6m": ("customers.branch_id",),
            "has_advisor_changed_6m": ("customers.advisor_id",),
        },
    ),
    "dates of birth": Lineage(
        ("customers.customer_id",), {"has_turned_18_12m": ("customers.birth_date",)}
    ),
    "bookings": Lineage(
        _of("transactions", "customer_id", "booked_on"),
        {
            "days_ago": (),
            "months_ago": (),
            "category": ("transactions.category",),
            "channel": ("transactions.channel",),
            "is_own_transfer": ("transactions.category",),
            "is_credit": ("transactions.amount",),
            "is_debit": ("transactions.amount",),
            "is_foreign": ("transactions.currency",),
            "is_overdrawn": ("transactions.balance_after",),
            "cents": CENTS,
            "balance_cents": BALANCE,
        },
    ),
    "counterparties": Lineage(
        _of("transactions", "customer_id", "counterparty_id", "booked_on", "amount", "category"),
        {
            "is_credit": (),
            "is_regular": (),
            "has_begun": (),
            "has_ended": (),
            "is_insurer": (),
            "is_lender": (),
            "days_ago": (),
            "months_ago": (),
            "months_12m": (),
            "last_day": (),
            "day_range_6m": (),
            "cents_3m": CENTS,
            "count_3m": CENTS,
            "cents_6m": CENTS,
            "count_6m": CENTS,
            "range_cents_6m": CENTS,
            PRECEDENCE: CENTS,
        },
    ),
    "months": Lineage(
        _of("transactions", "customer_id", "booked_on"),
        {
            "months_ago": (),
            "is_year_ago": (),
            "in_cents": MOVED,
            "out_cents": MOVED,
            "net_cents": MOVED,
            "is_deficit": MOVED,
            "overdrawn_days": ("transactions.balance_after",),
        },
    ),
    "open accounts": Lineage(
        _of("accounts", "account_id", "customer_id", "opened_on", "closed_on"),
        {
            "customer_id": (),
            **dict.fromkeys(("balance_cents", "balance_1m_cents"), LAST_BALANCE),
            **dict.fromkeys(("balance_3m_cents", "balance_6m_cents"), LAST_BALANCE),
        },
    ),
    "holdings": Lineage(
        _of("holdings", "customer_id", "opened_on"),
        {
            "product_id": ("holdings.product_id",),
            "days_ago": (),
            "months_ago": (),
            "months_held": (),
            "is_open": ("holdings.closed_on",),
            "closed_months_ago": ("holdings.closed_on",),
            "days_to_maturity": _of("holdings", "closed_on", "matures_on"),
            "is_partner": ("holdings.product_id",),
            "remaining_cents": ("holdings.product_id",),
        },
    ),
    "contacts": Lineage(
        _of("contacts", "customer_id", "contacted_on"),
        {
            "days_ago": (),
            "months_ago": (),
            "disposition": _of("contacts", "disposition", "disposition_on"),
        },
    ),
    "consents": Lineage(
        _of("consents", "customer_id", "purpose", "channel", "changed_at"),
        {"channel": (), "is_granted": ("consents.is_granted",)},
    ),
    "flags": Lineage(
        _of("flags", "customer_id", "valid_from"),
        {"days_ago": (), "months_ago": (), "flag": ("flags.flag",)},
    ),
}


def columns_read(measure: Measure) -> Iterator[str]:
    """Table columns behind one measure, as ``table.column``.

    Raises:
        KeyError: It uses a column of its source that is not declared here.
    """
    lineage = LINEAGE[measure.source.name]
    yield from lineage.rows
    for column in _used(measure):
        yield from lineage.columns[column]


def _used(measure: Measure) -> Iterator[str]:
    yield measure.of
    yield from (column for column, _ in measure.rows.allowed)
    if measure.within is not None:
        yield measure.clock
    if measure.how == "of_greatest":
        yield PRECEDENCE
