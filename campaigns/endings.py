"""How much is on what ends, where the extracts say so: on an account that is nothing but that.

Holdings carry no amount. One that has an account of its own product, which no other holding
shares, has that account's balance; of an insurance, a card or a lease nothing is known, and an
account that is merely debited for a product says nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
from pyspark.sql import DataFrame, functions as F

from campaigns.triggers import is_kept_to_its_end
from features.sources import closings_in_order, last_balances

Ending = tuple[str, str, date]  # customer, product and day


@dataclass(frozen=True)
class Amount:
    """So much, in the currency of its account."""

    value: Decimal
    currency: str


Amounts = Mapping[Ending, Amount]
NO_AMOUNTS: Amounts = {}


def ending_accounts(
    waited_for: DataFrame, holdings: DataFrame, accounts: DataFrame, as_of: date
) -> DataFrame:
    """The account of each holding whose end an offer waits for, if it is the holding's alone.

    Args:
        waited_for: ``customer_id`` and ``event_on`` of offers that wait for an end.
        holdings: As known before the as-of date.
        accounts: Likewise.
        as_of: Cut-off, exclusive.

    Returns:
        One row per customer, product and day: ``account_id`` and ``currency``. Nothing of two
        holdings that end on one day: a sentence is about one.
    """
    due = waited_for.withColumnRenamed("event_on", "matures_on")
    is_open = F.col("closed_on").isNull() | (F.col("closed_on") >= F.lit(as_of))
    is_held = (F.col("opened_on") < F.lit(as_of)) & is_open
    shared = (
        holdings.where(is_held & F.col("account_id").isNotNull())
        .groupBy("account_id")
        .agg(F.count(F.lit(1)).alias("holdings"))
        .where(F.col("holdings") > 1)
    )
    ends = (
        holdings.where(is_held & is_kept_to_its_end())
        .join(due, ["customer_id", "matures_on"], how="left_semi")
        .groupBy("customer_id", "product_id", "matures_on")
        .agg(F.count(F.lit(1)).alias("ends"), F.max("account_id").alias("account_id"))
        .where(F.col("ends") == 1)
        .join(shared, "account_id", how="left_anti")
    )
    own = accounts.where(is_held).select("account_id", "customer_id", "product_id", "currency")
    # The right key is unique: one row per account.
    return ends.join(own, ["account_id", "customer_id", "product_id"], how="inner").select(
        "customer_id", "product_id", "matures_on", "account_id", "currency"
    )


def with_balances(ends: DataFrame, transactions: DataFrame, as_of: date) -> DataFrame:
    """What ``ending_accounts`` found with the last known balance of each, ``amount``.

    Args:
        ends: Few, beside the bookings.
        transactions: As known before the as-of date.
        as_of: Cut-off, exclusive.
    """
    theirs = transactions.join(ends.select("account_id"), "account_id", how="left_semi")
    balances = last_balances(closings_in_order(theirs, as_of)).select(
        "account_id", F.col("balance").alias("amount")
    )
    # The right key is unique: one row per account.
    return ends.join(balances, "account_id", how="inner")


def amounts(found: pa.Table) -> Amounts:
    """Those of at least 1.00; whatever is less, or owed, is not told."""
    return {
        (row["customer_id"], row["product_id"], row["matures_on"]): Amount(
            row["amount"], row["currency"]
        )
        for row in found.to_pylist()
        if row["amount"] >= 1
    }
