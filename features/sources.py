"""What features are computed from: the bank's tables, brought to one row per event of a customer.

Every frame here ends before the as-of date by event date; by known time the store has cut already.
Events carry ``days_ago`` and ``months_ago`` (1 is the last day or month before the as-of date), so
a window is a comparison with a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from pyspark.sql import Column, DataFrame, Window, functions as F

from features.product_facts import ProductFacts
from tables.categories import OWN_TRANSFERS, BookingChannel, Category
from tables.windows import (
    completed_months,
    days_ago,
    months_ago,
    months_ago_within,
    months_before,
)

SEGMENTS = ("mass", "affluent", "private", "vip")
FOR_EVER = date(9999, 12, 31)
BALANCE_MONTHS = (1, 3, 6)
BALANCES = ("balance", *(f"balance_{n}m" for n in BALANCE_MONTHS))
PERIODS = (0, *BALANCE_MONTHS)
SHIFT = 10**18  # to microseconds of any century: all have 19 digits then, and sort as texts
# Day and instant as one number: 2^10 microseconds are its unit, 2^44 of which are 571 years.
UNIT_BITS, INSTANT_BITS = 10, 44
CLOSINGS = "account_id string, period int, balance decimal(18,2)"
OWN_MARKETING = "marketing_internal"  # no feature asks for other purposes
VOCABULARIES = {"category": Category, "channel": BookingChannel}  # of bookings
MONTHS_APART = 6  # between customers as known now and before


@dataclass(frozen=True)
class SourceTables:
    """The bank's tables as known before the as-of date; transactions also carry their owner.

    ``customers_before`` are the customers as known ``MONTHS_APART`` months earlier; ``closings``
    are the ``closing_balances`` of the transactions, where these have been found already.
    """

    customers: DataFrame
    accounts: DataFrame
    transactions: DataFrame
    holdings: DataFrame
    consents: DataFrame
    flags: DataFrame
    contacts: DataFrame
    fx_rates: DataFrame
    customers_before: DataFrame
    closings: DataFrame | None = None


@dataclass(frozen=True)
class Cut:
    """Where a snapshot ends, how far back it looks, its currency, and the products sold."""

    as_of: date
    observation_months: int
    base_currency: str
    products: Mapping[str, ProductFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Rows that measures are taken of.

    Attributes:
        name: What the rows are.
        tables: The tables they are made of.
        rows: How; the result has ``customer_id``.
        is_per_customer: There is exactly one row per customer, so nothing is aggregated.
        is_by_month: A customer has many rows: months are put together first.
        months: Its rows are the months of another source.
        vocabularies: By column that holds a word's place (``place_of``): the words.
    """

    name: str
    tables: tuple[str, ...]
    rows: Callable[[SourceTables, Cut], DataFrame]
    is_per_customer: bool = False
    is_by_month: bool = False
    months: Months | None = None
    vocabularies: Mapping[str, type[StrEnum]] = field(default_factory=dict, hash=False)

    @property
    def read_as(self) -> Source:
        """The source whose rows are read for it: itself, or the one whose months it has."""
        return self.months.of if self.months else self


@dataclass(frozen=True)
class Months:
    """One row per customer and month with a row of another source.

    Attributes:
        of: That source, which ``is_by_month``.
        aggregates: What is kept of a month's rows, by name.
        columns: What follows from that, by name; may replace an aggregate.
    """

    of: Source
    aggregates: Callable[[], dict[str, Column]]
    columns: Callable[[], dict[str, Column]]


def active_customers(customers: DataFrame, as_of: date) -> DataFrame:
    """Customers who joined before ``as_of`` and had neither left nor died before it."""
    is_here = _is_open("joined_on", "left_on", as_of)
    return customers.where(is_here & _not_before("deceased_on", as_of))


def _customer_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per active customer; birth date, gender and language are never read."""
    household = Window.partitionBy("household_id")
    size = F.when(F.col("household_id").isNull(), F.lit(1)).otherwise(F.count("*").over(household))
    rank = F.when(F.col("segment") == SEGMENTS[0], F.lit(1))
    for position, segment in enumerate(SEGMENTS[1:], start=2):
        rank = rank.when(F.col("segment") == segment, F.lit(position))
    return active_customers(tables.customers, cut.as_of).select(
        "customer_id",
        "segment",
        rank.alias("segment_rank"),
        size.alias("household_size"),
        completed_months("joined_on", cut.as_of).alias("months_since_joined"),
        F.col("payroll_employer_id").isNotNull().alias("has_payroll_employer"),
        F.col("advisor_id").isNotNull().alias("has_advisor"),
        "branch_id",
        "advisor_id",
    )


def _booking_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per booking in the observation window, money in cents of the base currency.

    Without any known rate of its currency a booking counts, but its amounts are null.
    """
    opens_on = months_before(cut.as_of, cut.observation_months)
    is_observed = (F.col("booked_on") >= F.lit(opens_on)) & (F.col("booked_on") < F.lit(cut.as_of))
    observed = tables.transactions.where(is_observed).withColumns(
        {column: _places(column, words) for column, words in VOCABULARIES.items()}
    )
    bookings = _with_rate(observed, tables.fx_rates, cut)
    cents = base_cents("amount", cut.base_currency)
    own_transfers = map(place_of, OWN_TRANSFERS)
    return bookings.select(
        "customer_id",
        "category",
        "channel",
        "counterparty_id",
        days_ago("booked_on", cut.as_of).alias("days_ago"),
        months_ago_within("booked_on", cut.as_of, cut.observation_months).alias("months_ago"),
        F.abs(cents).alias("cents"),
        base_cents("balance_after", cut.base_currency).alias("balance_cents"),
        (F.col("amount") > 0).alias("is_credit"),
        (F.col("amount") < 0).alias("is_debit"),
        (F.col("balance_after") < 0).alias("is_overdrawn"),
        (F.col("currency") != F.lit(cut.base_currency)).alias("is_foreign"),
        F.coalesce(F.col("category").isin(*own_transfers), F.lit(False)).alias("is_own_transfer"),
    )


def place_of(word: StrEnum) -> int:
    """The place of a word in its vocabulary, from 1: compared in a tenth of the word's time."""
    return list(type(word)).index(word) + 1


def _places(column: str, vocabulary: type[StrEnum]) -> Column:
    """For each word its place; 0 for one that is not in the vocabulary, null for none."""
    return F.find_in_set(F.col(column), F.lit(",".join(vocabulary)))


def base_cents(amount: str, base_currency: str) -> Column:
    """An amount in whole cents of the base currency, converted booking by booking, half up."""
    converted = F.round(F.col(amount) * F.col("rate_to_base"), 2)
    is_base = F.col("currency") == F.lit(base_currency)
    return F.when(is_base, _cents(F.col(amount))).otherwise(_cents(converted))


def _cents(amount: Column) -> Column:
    return (amount * 100).cast("bigint")


def _with_rate(rows: DataFrame, fx_rates: DataFrame, cut: Cut) -> DataFrame:
    """Each booking with the rate of its month, else of the last month before it that has one."""
    by_month = Window.partitionBy("currency").orderBy("month")
    rates = fx_rates.where(_is_foreign_rate(cut)).select(
        F.col("currency").alias("rate_currency"),
        F.col("month").alias("rate_from"),
        F.lead("month", 1).over(by_month).alias("rate_until"),
        "rate_to_base",
    )
    is_its_rate = (
        (F.col("currency") == F.col("rate_currency"))
        & (F.col("booked_on") >= F.col("rate_from"))
        & (F.col("booked_on") < F.coalesce(F.col("rate_until"), F.lit(FOR_EVER)))
    )
    # At most one rate fits: the months of a currency are unique, so its intervals do not overlap.
    return rows.join(rates, on=is_its_rate, how="left")


def _is_foreign_rate(cut: Cut) -> Column:
    return (F.col("month") < F.lit(cut.as_of)) & (F.col("currency") != F.lit(cut.base_currency))


def _account_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per open account with its last known balances, at the last known rate throughout.

    One rate for all of them, so that a change of the rate does not look like saving.
    """
    is_open = _is_open("opened_on", "closed_on", cut.as_of)
    latest = F.row_number().over(Window.partitionBy("currency").orderBy(F.desc("month")))
    rates = (
        tables.fx_rates.where(_is_foreign_rate(cut))
        .select("currency", "rate_to_base", latest.alias("place"))
        .where(F.col("place") == 1)
        .select("currency", "rate_to_base")
    )
    closings = tables.closings
    if closings is None:
        closings = closings_in_order(tables.transactions, cut.as_of)
    # An account has one row of balances, and a currency one latest rate.
    accounts = (
        tables.accounts.where(is_open)
        .join(last_balances(closings), on="account_id", how="left")
        .join(rates, on="currency", how="left")
    )
    return accounts.select(
        "customer_id",
        *(base_cents(name, cut.base_currency).alias(f"{name}_cents") for name in BALANCES),
    )


def last_balances(closings: DataFrame) -> DataFrame:
    """Per account the balance after its last booking before the as-of date and before some months.

    Args:
        closings: Shaped ``CLOSINGS``.
    """
    by_period = closings.groupBy("account_id").agg(
        *(
            F.max(F.when(F.col("period") == period, F.col("balance"))).alias(f"closing_{period}")
            for period in PERIODS
        )
    )
    # A period without a booking ends with what the one before it ended with.
    balances = [
        F.coalesce(*(f"closing_{period}" for period in PERIODS[place:])).alias(name)
        for place, name in enumerate(BALANCES)
    ]
    return by_period.select("account_id", *balances)


def closings_in_order(transactions: DataFrame, as_of: date) -> DataFrame:
    """Per account and period the balance after its last booking, shaped ``CLOSINGS``.

    Bookings of one day are ordered by the time they were recorded, then by their identifier.
    """
    known = _with_balance(transactions, as_of)
    # Days first: few bookings are of the last day of a period, and only these are put in order.
    last_days = known.groupBy("account_id", _period(as_of).alias("period")).agg(
        F.max("booked_on").alias("booked_on")
    )
    # As one text of instant and identifier: engines put structs in order three times as slowly.
    since_long = F.unix_micros("recorded_at") + F.lit(SHIFT)
    order = F.concat(since_long.cast("string"), F.col("transaction_id"))
    # The smaller side first: an engine without statistics keeps it in memory.
    return (
        last_days.join(known, on=["account_id", "booked_on"])
        .groupBy("account_id", "period")
        .agg(F.max_by("balance_after", order).alias("balance"))
    )


def closing_balances(transactions: DataFrame, as_of: date) -> DataFrame:
    """The same in one pass and without a join, which takes an engine 0.6 of the time.

    Day, instant and balance are one number, whose maximum ends with the balance of the last
    booking; the maximum of the moment less the balance does so as well, unless several bookings of
    that instant tell different balances. If the two agree on one, no later booking has another.

    Returns:
        ``CLOSINGS``; ``balance`` is null where identifiers have to decide.
    """
    day = F.unix_date("booked_on").cast("bigint") * F.lit(1 << INSTANT_BITS)
    instant = F.shiftright(F.unix_micros("recorded_at"), UNIT_BITS)
    # 19 digits before the point; all 18 of a balance in cents come behind it.
    moment = (day + instant).cast("decimal(37,18)")
    balance = F.col("balance_after") * F.lit(Decimal("1e-16")).cast("decimal(16,16)")
    extremes = (
        _with_balance(transactions, as_of)
        .groupBy("account_id", _period(as_of).alias("period"))
        .agg(
            F.max(moment + balance).cast("decimal(37,18)").alias("above"),
            F.max(moment - balance).cast("decimal(37,18)").alias("below"),
        )
    )
    # Twice the moment, a whole and even number, if both have the same balance.
    is_told = (F.col("above") + F.col("below")) % F.lit(2) == F.lit(0)
    twice = (F.col("above") - F.col("below")).cast("decimal(20,18)")
    told = (twice * F.lit(Decimal(5 * 10**15)).cast("decimal(16,0)")).cast("decimal(18,2)")
    return extremes.select("account_id", "period", F.when(is_told, told).alias("balance"))


def _with_balance(transactions: DataFrame, as_of: date) -> DataFrame:
    return transactions.where(
        (F.col("booked_on") < F.lit(as_of)) & F.col("balance_after").isNotNull()
    )


def _period(as_of: date) -> Column:
    """How many months before ``as_of`` the period that a booking lies in ends; the last has 0."""
    period = F.lit(PERIODS[-1])
    for ends, begins in reversed(list(pairwise(PERIODS))):
        is_in_it = F.col("booked_on") >= F.lit(months_before(as_of, begins))
        period = F.when(is_in_it, F.lit(ends)).otherwise(period)
    return period


def _contact_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per contact in the observation window; a later result is not known yet."""
    opens_on = months_before(cut.as_of, cut.observation_months)
    is_observed = (F.col("contacted_on") >= F.lit(opens_on)) & (
        F.col("contacted_on") < F.lit(cut.as_of)
    )
    result_on = F.coalesce(F.col("disposition_on"), F.col("contacted_on"))
    return tables.contacts.where(is_observed).select(
        "customer_id",
        "product_id",
        F.when(result_on < F.lit(cut.as_of), F.col("disposition")).alias("disposition"),
        days_ago("contacted_on", cut.as_of).alias("days_ago"),
        months_ago("contacted_on", cut.as_of).alias("months_ago"),
    )


def _consent_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per customer and channel: the last decision about the bank's own marketing."""
    is_made = F.col("changed_at") < F.lit(cut.as_of).cast("timestamp")
    is_own = F.col("purpose") == F.lit(OWN_MARKETING)
    # Time and answer as one number: its maximum takes a fifth of what max_by takes.
    is_refused = F.when(F.col("is_granted"), F.lit(0)).otherwise(F.lit(1))
    decision = F.unix_micros("changed_at") * 2 + is_refused
    return (
        tables.consents.where(is_made & is_own)
        .groupBy("customer_id", "channel")
        .agg(F.max(decision).alias("decision"))
        .select("customer_id", "channel", (F.col("decision") % 2 == 0).alias("is_granted"))
    )


def _flag_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per flag raised before the cut."""
    return tables.flags.where(F.col("valid_from") < F.lit(cut.as_of)).select(
        "customer_id",
        "flag",
        days_ago("valid_from", cut.as_of).alias("days_ago"),
        months_ago("valid_from", cut.as_of).alias("months_ago"),
    )


def _is_open(first_day: str, last_day: str, as_of: date) -> Column:
    return (F.col(first_day) < F.lit(as_of)) & _not_before(last_day, as_of)


def _not_before(event_on: str, as_of: date) -> Column:
    """The event has not happened before ``as_of``; no date means never."""
    return F.col(event_on).isNull() | (F.col(event_on) >= F.lit(as_of))


CUSTOMERS = Source("customers", ("customers",), _customer_rows, is_per_customer=True)
BOOKINGS = Source(
    "bookings",
    ("transactions", "fx_rates"),
    _booking_rows,
    is_by_month=True,
    vocabularies=VOCABULARIES,
)
ACCOUNTS = Source("open accounts", ("accounts", "transactions", "fx_rates"), _account_rows)
CONTACTS = Source("contacts", ("contacts",), _contact_rows)
CONSENTS = Source("consents", ("consents",), _consent_rows)
FLAGS = Source("flags", ("flags",), _flag_rows)
