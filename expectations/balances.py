"""Do the balances that a bank delivers follow from its bookings?"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from conf.schema import TrailingSettings
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
    days = (
        bookings.where(in_window("booked_on", as_of, 2))
        .groupBy("account_id", "booked_on")
        .agg(
            F.sum(_cents("amount")).alias("total"),
            F.collect_list(_cents("balance_after")).alias("balances"),
            F.count(F.lit(1)).alias("bookings"),
        )
        .select(
            "account_id",
            "booked_on",
            "total",
            F.when(F.size("balances") == F.col("bookings"), F.col("balances")).alias("balances"),
            F.when(is_last_month, F.col("total")).otherwise(F.lit(0)).alias("total_now"),
            F.when(~is_last_month, F.col("booked_on")).alias("earlier"),
        )
    )
    is_joined = F.col("joins_on").isNotNull()
    accounts = (
        days.groupBy("account_id")
        .agg(
            F.max("earlier").alias("joins_on"),
            F.min("booked_on").alias("first_on"),
            F.max("booked_on").alias("last_on"),
            F.max_by("balances", "earlier").alias("joining"),
            F.min_by("balances", "booked_on").alias("first"),
            F.max_by("balances", "booked_on").alias("last"),
            F.min_by("total", "booked_on").alias("first_total"),
            F.sum("total_now").alias("total_now"),
        )
        .select(
            F.when(is_joined, F.col("joining")).otherwise(F.col("first")).alias("before"),
            F.col("last").alias("after"),
            F.when(is_joined, F.col("total_now"))
            .otherwise(F.col("total_now") - F.col("first_total"))
            .alias("booked"),
            F.coalesce("joins_on", "first_on").alias("since"),
            "last_on",
        )
        .where(
            (F.col("since") < F.col("last_on"))
            & (F.col("last_on") >= F.lit(months_before(as_of, 1)))
            & F.col("before").isNotNull()
            & F.col("after").isNotNull()
        )
    )
    follows = F.exists(
        "before", lambda cents: F.array_contains(F.col("after"), cents + F.col("booked"))
    )
    return accounts.agg(
        F.count(F.lit(1)).alias("accounts"), F.count_if(~follows).alias("unbalanced")
    )


def _cents(column: str) -> Column:
    return (F.col(column) * 100).cast("bigint")
