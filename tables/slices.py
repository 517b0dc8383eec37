"""What was known of some customers on several dates, from one pass over an increment's history.

A pair is a customer and a date, its cohort. The rows of a cohort's pairs are those that
``Store.known_before`` would give for these customers, at the cost of a pass per table instead of
one per table and cohort.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, functions as F

from tables.base import Table
from tables.sources import stored
from tables.store import visible_columns

# Whose rows are asked for: those stored under a record, all of them or those of one account.
ASKED_FOR = "cohort date, record_id string, only_account_id string"


def records_of(customers: DataFrame, cohort: date, merged: DataFrame | None) -> DataFrame:
    """Every record that stands for one of the customers: the own one, and those given up for it.

    Args:
        customers: ``customer_id``, each once.
        cohort: When they are looked at.
        merged: Who stood for whom by then, shaped ``MERGED``; None if nobody did.

    Returns:
        ``ASKED_FOR``, each record once.
    """
    own = customers.select(*_asked(cohort, F.col("customer_id")))
    if merged is None:
        return own
    # A record is given up for one survivor, who is one customer.
    given_up = customers.join(merged, on=F.col("customer_id") == F.col("survivor_id"), how="inner")
    return own.unionByName(given_up.select(*_asked(cohort, F.col("record_id"))))


def former_owners(versions: DataFrame) -> DataFrame:
    """``account_id`` and ``owner_id``: everybody who ever owned an account that changed hands.

    Args:
        versions: Every version of every account.
    """
    moved = (
        versions.groupBy("account_id")
        .agg(F.min("customer_id").alias("one"), F.max("customer_id").alias("other"))
        .where(F.col("one") != F.col("other"))
        .select("account_id")
    )
    owners = versions.select("account_id", F.col("customer_id").alias("owner_id"))
    # Accounts were grouped, so that no version is doubled.
    return moved.join(owners, on="account_id", how="inner").distinct()


def under_former_owners(
    accounts: DataFrame, owners: DataFrame, records: DataFrame, cohort: date
) -> DataFrame:
    """Bookings of the customers' accounts that are stored under somebody else's record.

    A booking lies under the owner of its day, but a balance is that of the account.

    Args:
        accounts: ``account_id`` of the accounts that the customers own, each once.
        owners: As from ``former_owners``.
        records: As from ``records_of``: all of their rows are asked for already.
        cohort: When the customers are looked at.

    Returns:
        ``ASKED_FOR``, each record and account once.
    """
    own = records.select(F.col("record_id").alias("own_id"))
    # An account is there once, and an owner of it once.
    found = accounts.join(owners, on="account_id", how="inner")
    others = found.join(own, on=F.col("owner_id") == F.col("own_id"), how="left_anti")
    return others.select(*_asked(cohort, F.col("owner_id"), F.col("account_id")))


def known_rows(
    table: Table, versions: DataFrame, asked_for: DataFrame, *, has_revisions: bool
) -> DataFrame:
    """The latest version of each row asked for, as it was known before its cohort.

    Args:
        table: An increment with a ``customer_id``.
        versions: All of its versions.
        asked_for: ``ASKED_FOR``; of any booking and cohort, one row.
        has_revisions: A key may have several versions.

    Returns:
        ``cohort`` and what a reader of the table sees, under the record the row is stored under.
    """
    is_asked_for = (F.col("customer_id") == F.col("record_id")) & (
        F.col("recorded_at") < _start("cohort")
    )
    if "account_id" in stored(table).column_names:
        is_its_account = F.col("account_id") == F.col("only_account_id")
        is_asked_for &= F.col("only_account_id").isNull() | is_its_account
    # The smaller side first: an engine without statistics keeps it in memory. A row of a cohort is
    # asked for once.
    rows = asked_for.join(versions, on=is_asked_for, how="inner")
    if has_revisions:
        rows = _without_overtaken(table, rows, versions)
    return rows.where(~F.col("is_deleted")).select("cohort", *visible_columns(table))


def _without_overtaken(table: Table, rows: DataFrame, versions: DataFrame) -> DataFrame:
    """Leave out what a later version had replaced by then, be it now somebody else's row."""
    later = versions.where("is_revision").select(
        *(F.col(name).alias(f"later_{name}") for name in table.key),
        F.col("recorded_at").alias("later_at"),
    )
    is_overtaken = reduce(
        and_,
        (F.col(name) == F.col(f"later_{name}") for name in table.key),
        (F.col("later_at") > F.col("recorded_at")) & (F.col("later_at") < _start("cohort")),
    )
    # Rows that find no later version stand once; the others go, however many they find.
    return later.join(rows, on=is_overtaken, how="right").where(F.col("later_at").isNull())


def _asked(cohort: date, record_id: Column, only_account_id: Column | None = None) -> list[Column]:
    account = F.lit(None).cast("string") if only_account_id is None else only_account_id
    return [
        F.lit(cohort).alias("cohort"),
        record_id.alias("record_id"),
        account.alias("only_account_id"),
    ]


def _start(cohort: str) -> Column:
    return F.col(cohort).cast("timestamp")
