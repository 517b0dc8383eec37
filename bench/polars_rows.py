"""The rows that measures are taken of, in Polars: one lazy frame for each kind of rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import polars as pl

from features.event_sources import MAJORITY
from features.product_facts import ProductFacts
from features.recurring_sources import (
    ENDED_MONTHS,
    HALF_A_YEAR,
    LAST_2,
    LAST_3,
    LAST_6,
    MONTHS_3_AND_4,
    MONTHS_3_TO_8,
    MONTHS_4_TO_12,
    NEW_MONTHS,
    QUARTER,
    REGULAR_CREDIT_MONTHS,
    REGULAR_DEBIT_MONTHS,
    YEAR,
)
from features.sources import BALANCE_MONTHS, MONTHS_APART, PERIODS, SEGMENTS
from tables.categories import OWN_TRANSFERS, Category
from tables.windows import months_before

Tables = Mapping[str, pl.LazyFrame]


def row_frames(
    tables: Tables, as_of: date, products: Mapping[str, ProductFacts]
) -> dict[str, pl.LazyFrame]:
    """One lazy frame for each kind of rows, by its name.

    Args:
        tables: Each table, and ``customers_before``: customers as known before.
        as_of: Cut-off, exclusive.
        products: What is known of each configured product.
    """
    holdings, bookings = _holdings(tables, as_of), _bookings(tables, as_of)
    return {
        "customers": _customers(tables["customers"], as_of),
        "customers half a year before": _earlier_customers(tables, as_of),
        "dates of birth": _births(tables, as_of),
        "holdings": holdings,
        "valued holdings": _valued_holdings(holdings, products),
        "open accounts": _accounts(tables, as_of),
        "bookings": bookings,
        "months": _months(bookings),
        "payers": _payers(bookings, as_of),
        "payees": _payees(bookings, as_of),
        "contacts": _contacts(tables, as_of),
        "consents": _consents(tables, as_of),
        "flags": _flags(tables, as_of),
    }


def _customers(customers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Active customers."""
    is_here = (pl.col("joined_on") < as_of) & _not_before("left_on", as_of)
    ranks = {name: rank for rank, name in enumerate(SEGMENTS, start=1)}
    alone = pl.col("household_id").is_null()
    size = pl.len().over("household_id").cast(pl.Int32)
    return customers.filter(is_here & _not_before("deceased_on", as_of)).select(
        "customer_id",
        "segment",
        pl.col("segment").replace_strict(ranks, default=None).alias("segment_rank"),
        pl.when(alone).then(1).otherwise(size).alias("household_size"),
        _completed("joined_on", as_of).alias("months_since_joined"),
        pl.col("payroll_employer_id").is_not_null().alias("has_payroll_employer"),
        pl.col("advisor_id").is_not_null().alias("has_advisor"),
        "branch_id",
        "advisor_id",
    )


def _earlier_customers(tables: Tables, as_of: date) -> pl.LazyFrame:
    """Customers who were active, and known, some months before."""
    before = _customers(tables["customers_before"], months_before(as_of, MONTHS_APART))
    now = tables["customers"].select("customer_id", "branch_id", "advisor_id")
    return before.join(now, on="customer_id", suffix="_now").select(
        "customer_id",
        "segment_rank",
        "household_size",
        *(
            pl.col(f"{name}_id")
            .ne_missing(pl.col(f"{name}_id_now"))
            .alias(f"has_{name}_changed_6m")
            for name in ("branch", "advisor")
        ),
    )


def _births(tables: Tables, as_of: date) -> pl.LazyFrame:
    last_day = months_before(as_of, 12 * MAJORITY)
    year_before = months_before(as_of, 12 * (MAJORITY + 1))
    has_turned = pl.col("birth_date").is_between(year_before, last_day, closed="right")
    return tables["customers"].select("customer_id", has_turned.alias("has_turned_18_12m"))


def _holdings(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_open = _not_before("closed_on", as_of)
    is_due = is_open & (pl.col("matures_on") >= as_of)
    closed = pl.when(pl.col("closed_on") < as_of).then(_months_ago("closed_on", as_of))
    return (
        tables["holdings"]
        .filter(pl.col("opened_on") < as_of)
        .select(
            "customer_id",
            "product_id",
            is_open.alias("is_open"),
            _days_ago("opened_on", as_of).alias("days_ago"),
            _months_ago("opened_on", as_of).alias("months_ago"),
            _completed("opened_on", as_of).alias("months_held"),
            closed.alias("closed_months_ago"),
            pl.when(is_due).then(-_days_ago("matures_on", as_of)).alias("days_to_maturity"),
        )
    )


def _valued_holdings(holdings: pl.LazyFrame, products: Mapping[str, ProductFacts]) -> pl.LazyFrame:
    """Each holding beside what is expected of its product by the months held so far."""
    facts = pl.LazyFrame(
        {
            "product_id": list(products),
            "is_partner": [facts.is_partner for facts in products.values()],
            "expected": [facts.remaining_cents for facts in products.values()],
        }
    )
    place = pl.min_horizontal("months_held", pl.col("expected").list.len() - 1)
    return holdings.join(facts, on="product_id", how="left").select(
        "customer_id",
        "is_open",
        "months_held",
        pl.col("is_partner").fill_null(value=False),
        pl.col("expected").list.get(place).fill_null(0).alias("remaining_cents"),
    )


def _accounts(tables: Tables, as_of: date) -> pl.LazyFrame:
    """Open accounts with their last balances."""
    names = ["balance", *(f"balance_{n}m" for n in BALANCE_MONTHS)]
    is_open = (pl.col("opened_on") < as_of) & _not_before("closed_on", as_of)
    latest = _foreign_rates(tables, as_of).group_by("currency")
    return (
        tables["accounts"]
        .filter(is_open)
        .join(_balances(tables["transactions"], as_of, names), on="account_id", how="left")
        .join(latest.agg(pl.col("rate_to_base").max_by("month")), on="currency", how="left")
        .select("customer_id", *(_cents(name).alias(f"{name}_cents") for name in names))
    )


def _balances(transactions: pl.LazyFrame, as_of: date, names: list[str]) -> pl.LazyFrame:
    """Bookings of a day in the order of recording.

    A period without a booking ends with what the one before it ended with.
    """
    period = pl.lit(PERIODS[-1])
    for ends, begins in reversed(list(pairwise(PERIODS))):
        is_in_it = pl.col("booked_on") >= months_before(as_of, begins)
        period = pl.when(is_in_it).then(ends).otherwise(period)
    order = pl.struct("booked_on", "recorded_at", "transaction_id")
    closing = [
        pl.when(pl.col("period") == ends).then(pl.col("balance_after")).max() for ends in PERIODS
    ]
    return (
        transactions.filter((pl.col("booked_on") < as_of) & pl.col("balance_after").is_not_null())
        .group_by("account_id", period.alias("period"))
        .agg(pl.col("balance_after").max_by(order))
        .group_by("account_id")
        .agg(pl.coalesce(closing[place:]).alias(name) for place, name in enumerate(names))
    )


def _bookings(tables: Tables, as_of: date) -> pl.LazyFrame:
    """Bookings of a year at the rate of their month; a column nobody asks for is not read."""
    is_observed = pl.col("booked_on").is_between(months_before(as_of, YEAR), as_of, closed="left")
    rates = _foreign_rates(tables, as_of).rename({"month": "booked_month"})
    month = pl.col("booked_on").dt.truncate("1mo").alias("booked_month")
    booked = tables["transactions"].filter(is_observed).with_columns(month)
    own = pl.col("category").is_in([str(category) for category in OWN_TRANSFERS])
    return booked.join(rates, on=["currency", "booked_month"], how="left").select(
        "customer_id",
        "category",
        "channel",
        "counterparty_id",
        "booked_on",
        _days_ago("booked_on", as_of).alias("days_ago"),
        _months_ago("booked_on", as_of).alias("months_ago"),
        _cents("amount").abs().alias("cents"),
        _cents("balance_after").alias("balance_cents"),
        (pl.col("amount") > 0).alias("is_credit"),
        (pl.col("amount") < 0).alias("is_debit"),
        (pl.col("balance_after") < 0).alias("is_overdrawn"),
        (pl.col("currency") != "EUR").alias("is_foreign"),
        own.fill_null(value=False).alias("is_own_transfer"),
    )


def _months(bookings: pl.LazyFrame) -> pl.LazyFrame:
    """What came and went in each month of a customer."""

    def moved(direction: str) -> pl.Expr:
        return pl.when(pl.col(direction) & ~pl.col("is_own_transfer")).then(pl.col("cents")).sum()

    day = pl.lit(2, pl.Int32).pow(pl.col("booked_on").dt.day() - 1).cast(pl.Int32)
    net = pl.col("in_cents") - pl.col("out_cents")
    return (
        bookings.group_by("customer_id", "months_ago")
        .agg(
            moved("is_credit").alias("in_cents"),
            moved("is_debit").alias("out_cents"),
            pl.when("is_overdrawn").then(day).bitwise_or().alias("overdrawn"),
        )
        .with_columns(
            net.alias("net_cents"),
            (net < 0).alias("is_deficit"),
            (pl.col("months_ago") == YEAR).alias("is_year_ago"),
            pl.col("overdrawn").fill_null(0).bitwise_count_ones().alias("overdrawn_days"),
        )
    )


def _payers(bookings: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Who credited a customer in 12 months; a pay day may be the 30th or the 1st."""
    is_recent, is_half_a_year = (
        pl.col("months_ago") <= months for months in (QUARTER, HALF_A_YEAR)
    )
    recent, cents = (pl.when(it).then(pl.col("cents")) for it in (is_recent, is_half_a_year))
    day = pl.when(is_half_a_year).then(pl.col("booked_on").dt.day().cast(pl.Int32))
    turned = (day + 15) % 31
    payers = _pairs(bookings, "is_credit").agg(
        _months_12m(),
        pl.col("booked_on").max(),
        recent.sum().alias("cents_3m"),
        recent.count().alias("count_3m"),
        cents.sum().alias("cents_6m"),
        cents.count().alias("count_6m"),
        (cents.max() - cents.min()).alias("range_cents_6m"),
        pl.min_horizontal(day.max() - day.min(), turned.max() - turned.min()).alias("day_range_6m"),
    )
    return payers.with_columns(
        pl.lit(value=True).alias("is_credit"),
        (_bits(LAST_6) >= REGULAR_CREDIT_MONTHS).alias("is_regular"),
        _has_begun().alias("has_begun"),
        _has_ended().alias("has_ended"),
        _days_ago("booked_on", as_of).alias("days_ago"),
        _months_ago("booked_on", as_of).alias("months_ago"),
        pl.col("booked_on").dt.day().cast(pl.Int32).alias("last_day"),
        pl.struct("cents_6m", "counterparty_id").alias("precedence"),
    )


def _payees(bookings: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Whom a customer paid in 12 months; a bill comes once a month, with one exception."""
    payees = _pairs(bookings, "is_debit").agg(
        _months_12m(),
        pl.len().alias("bookings"),
        pl.col("booked_on").max(),
        pl.when(pl.col("months_ago") <= HALF_A_YEAR).then(pl.col("cents")).sum().alias("cents_6m"),
        (pl.col("category") == Category.INSURANCE).any().alias("is_insurer"),
        (pl.col("category") == Category.LOAN_PAYMENT).any().alias("is_lender"),
    )
    is_bill = pl.col("bookings") <= pl.col("months_12m").bitwise_count_ones() + 1
    return payees.with_columns(
        pl.lit(value=False).alias("is_credit"),
        ((_bits(LAST_6) >= REGULAR_DEBIT_MONTHS) & is_bill).alias("is_regular"),
        (_has_begun() & is_bill).alias("has_begun"),
        (_has_ended() & is_bill).alias("has_ended"),
        _days_ago("booked_on", as_of).alias("days_ago"),
        _months_ago("booked_on", as_of).alias("months_ago"),
    )


def _pairs(bookings: pl.LazyFrame, direction: str) -> pl.lazyframe.group_by.LazyGroupBy:
    has_other_side = pl.col("counterparty_id").is_not_null() & ~pl.col("is_own_transfer")
    return bookings.filter(pl.col(direction) & has_other_side).group_by(
        "customer_id", "counterparty_id"
    )


def _months_12m() -> pl.Expr:
    bit = pl.lit(2, pl.Int16).pow(pl.col("months_ago") - 1).cast(pl.Int16)
    return bit.bitwise_or().alias("months_12m")


def _bits(months: int) -> pl.Expr:
    return (pl.col("months_12m") & months).bitwise_count_ones()


def _has_begun() -> pl.Expr:
    return (_bits(LAST_3) >= NEW_MONTHS) & (_bits(MONTHS_4_TO_12) == 0)


def _has_ended() -> pl.Expr:
    was_regular = (_bits(MONTHS_3_TO_8) >= ENDED_MONTHS) & (_bits(MONTHS_3_AND_4) > 0)
    return was_regular & (_bits(LAST_2) == 0)


def _contacts(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_observed = pl.col("contacted_on").is_between(
        months_before(as_of, YEAR), as_of, closed="left"
    )
    is_known = pl.coalesce("disposition_on", "contacted_on") < as_of
    return (
        tables["contacts"]
        .filter(is_observed)
        .select(
            "customer_id",
            "product_id",
            pl.when(is_known).then(pl.col("disposition")).alias("disposition"),
            _days_ago("contacted_on", as_of).alias("days_ago"),
            _months_ago("contacted_on", as_of).alias("months_ago"),
        )
    )


def _consents(tables: Tables, as_of: date) -> pl.LazyFrame:
    made = tables["consents"].filter(pl.col("changed_at").dt.date() < as_of)
    by_channel = made.group_by("customer_id", "purpose", "channel")
    return by_channel.agg(pl.col("is_granted").max_by("changed_at"))


def _flags(tables: Tables, as_of: date) -> pl.LazyFrame:
    return (
        tables["flags"]
        .filter(pl.col("valid_from") < as_of)
        .select(
            "customer_id",
            "flag",
            _days_ago("valid_from", as_of).alias("days_ago"),
            _months_ago("valid_from", as_of).alias("months_ago"),
        )
    )


def _foreign_rates(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_foreign = (pl.col("month") < as_of) & (pl.col("currency") != "EUR")
    return tables["fx_rates"].filter(is_foreign).select("currency", "month", "rate_to_base")


def _not_before(day: str, as_of: date) -> pl.Expr:
    return pl.col(day).is_null() | (pl.col(day) >= as_of)


def _months_ago(day: str, as_of: date) -> pl.Expr:
    months = pl.col(day).dt.year() * 12 + pl.col(day).dt.month().cast(pl.Int32)
    return as_of.year * 12 + as_of.month - months


def _days_ago(day: str, as_of: date) -> pl.Expr:
    return (pl.lit(as_of) - pl.col(day)).dt.total_days().cast(pl.Int32)


def _completed(day: str, as_of: date) -> pl.Expr:
    return _months_ago(day, as_of) - (pl.col(day).dt.day() > 1).cast(pl.Int32)


def _cents(amount: str) -> pl.Expr:
    in_cents = (pl.col(amount) * 100).cast(pl.Int64)
    converted = ((pl.col(amount) * pl.col("rate_to_base")).round(2) * 100).cast(pl.Int64)
    return pl.when(pl.col("currency") == "EUR").then(in_cents).otherwise(converted)
