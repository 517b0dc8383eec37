"""Do the balances that a bank delivers follow from its bookings?"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from conf.check_settings import TrailingSettings
from expectations.suite import Fact
from tables.windows import in_window, months_before


def balance_facts(bookings: DataFrame, as_of: date, limits: TrailingSettings) -> tuple[Fact, ...]:
    """Balance before + amounts = balance after, over the last month of each account.

    Args:
        bookings: Transactions as known before ``as_of``.
        as_of: Cut-off, exclusive.
        limits: Bounds.
    """
    found = account_balances(bookings, as_of).collect()[0]
    accounts, unbalanced = found["accounts"], found["unbalanced"]
    if accounts < limits.empty_from:
        return ()
    share, detail = round(unbalanced / accounts, 4), f"{unbalanced:,} of {accounts:,} accounts"
    warned, stopped = limits.max_unbalanced_share, limits.max_unbalanced_share_critical
    sentence = "balances follow from the amounts, but in {:.0%} of accounts"
    return (
        Fact(sentence.format(warned), share, 0, warned, "warning", detail),
        Fact(sentence.format(stopped), share, 0, stopped, "critical", detail),
    )


def account_balances(bookings: DataFrame, as_of: date) -> DataFrame:
    """How many accounts can be compared, and in how many the balances disagree with the amounts.

    The order of bookings within a day is unknown, so whole days are compared: some balance of an
    account's first day, plus all amounts after that day, must be some balance of its last day. The
    first day is the last one with bookings in the month before, so that the two months join up;
    without one, the first of the month itself. Accounts with one such day only, or with a booking
    without balance on either, are left out.
    """
    is_last_month = F.col("booked_on") >= F.lit(months_before(as_of, 1))
    rows = bookings.where(in_window("booked_on", as_of, 2)).select(
        "account_id",
        "booked_on",
        _cents("amount").alias("amount"),
        _cents("balance_after").alias("balance"),
        F.when(~is_last_month, F.col("booked_on")).alias("earlier"),
    )
    # one row per account, so that no booking is doubled
    joined = rows.join(_compared_days(rows, as_of), on="account_id").where(
        F.col("booked_on") >= F.col("first_on")
    )
    is_first, is_last = (F.col("booked_on") == F.col(day) for day in ("first_on", "last_on"))
    accounts = joined.groupBy("account_id").agg(
        F.collect_list(F.when(is_first, F.col("balance"))).alias("before"),
        F.collect_list(F.when(is_last, F.col("balance"))).alias("after"),
        F.sum(F.when(~is_first, F.col("amount"))).alias("booked"),
        F.count_if((is_first | is_last) & F.col("balance").isNull()).alias("unknown"),
    )
    follows = F.exists(
        "before", lambda cents: F.array_contains(F.col("after"), cents + F.col("booked"))
    )
    return accounts.where(F.col("unknown") == 0).agg(
        F.count(F.lit(1)).alias("accounts"), F.count_if(~follows).alias("unbalanced")
    )


def _compared_days(rows: DataFrame, as_of: date) -> DataFrame:
    """Per account that can be compared, the first and the last day."""
    return (
        rows.groupBy("account_id")
        .agg(
            F.coalesce(F.max("earlier"), F.min("booked_on")).alias("first_on"),
            F.max("booked_on").alias("last_on"),
        )
        .where(
            (F.col("first_on") < F.col("last_on"))
            & (F.col("last_on") >= F.lit(months_before(as_of, 1)))
        )
    )


def _cents(column: str) -> Column:
    return (F.col(column) * 100).cast("bigint")
