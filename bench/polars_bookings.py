"""What bookings say about accounts, months, payers and payees, in Polars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

import polars as pl
from polars_days import days_ago, months_ago, not_before

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
from features.sources import BALANCE_MONTHS, PERIODS
from tables.categories import OWN_TRANSFERS, Category
from tables.windows import months_before

Tables = Mapping[str, pl.LazyFrame]


def account_rows(tables: Tables, as_of: date) -> pl.LazyFrame:
    """Open accounts with their last balances."""
    names = ["balance", *(f"balance_{n}m" for n in BALANCE_MONTHS)]
    is_open = (pl.col("opened_on") < as_of) & not_before("closed_on", as_of)
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


def booking_rows(tables: Tables, as_of: date) -> pl.LazyFrame:
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
        days_ago("booked_on", as_of).alias("days_ago"),
        months_ago("booked_on", as_of).alias("months_ago"),
        _cents("amount").abs().alias("cents"),
        _cents("balance_after").alias("balance_cents"),
        (pl.col("amount") > 0).alias("is_credit"),
        (pl.col("amount") < 0).alias("is_debit"),
        (pl.col("balance_after") < 0).alias("is_overdrawn"),
        (pl.col("currency") != "EUR").alias("is_foreign"),
        own.fill_null(value=False).alias("is_own_transfer"),
    )


def month_rows(bookings: pl.LazyFrame) -> pl.LazyFrame:
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


def payer_rows(bookings: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
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
        days_ago("booked_on", as_of).alias("days_ago"),
        months_ago("booked_on", as_of).alias("months_ago"),
        pl.col("booked_on").dt.day().cast(pl.Int32).alias("last_day"),
        pl.struct("cents_6m", "counterparty_id").alias("precedence"),
    )


def payee_rows(bookings: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
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
        days_ago("booked_on", as_of).alias("days_ago"),
        months_ago("booked_on", as_of).alias("months_ago"),
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


def _foreign_rates(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_foreign = (pl.col("month") < as_of) & (pl.col("currency") != "EUR")
    return tables["fx_rates"].filter(is_foreign).select("currency", "month", "rate_to_base")


def _cents(amount: str) -> pl.Expr:
    in_cents = (pl.col(amount) * 100).cast(pl.Int64)
    converted = ((pl.col(amount) * pl.col("rate_to_base")).round(2) * 100).cast(pl.Int64)
    return pl.when(pl.col("currency") == "EUR").then(in_cents).otherwise(converted)
