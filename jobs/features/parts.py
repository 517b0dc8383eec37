"""The features of a large bank in parts: the customers of some buckets at a time.

A part needs memory for its customers alone. One thread works on each part: what is grouped by
customer need not be split among threads and put together again, which saves a quarter of the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from features.customer_features import SnapshotPlan, SourceTables
from features.sources import CLOSINGS, closing_balances
from jobs.engine import one_thread_each
from jobs.scratch import kept, read_kept
from tables.buckets import BUCKET, bucket_of, common_count, customer_bucket
from tables.files import scratch_folder
from tables.slices import former_owners
from tables.sources import ACCOUNTS, TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.run import Run
    from tables.base import Table
    from tables.delta import DataFile

SCRATCH = ".features-"
# Two parts at a time need memory for so many each. Of such a part's time planning takes a sixth.
BOOKINGS_AT_ONCE = 2_500_000
# A part of its own: customers whose bookings may lie in another bucket than theirs.
SCATTERED = "scattered"

Part = tuple[str, ...]  # names of buckets


def parts_of(files: Sequence[DataFile], at_once: int = BOOKINGS_AT_ONCE) -> list[Part]:
    """Buckets that are worked on together, so that each part has about so many bookings.

    Args:
        files: Of the transactions.
        at_once: Bookings.

    Returns:
        A single part where that is enough, or where the layout changed between deliveries.
    """
    buckets = sorted({bucket_of(file.path) for file in files})
    parts = min(len(buckets), sum(file.rows for file in files) // at_once)
    if parts <= 1 or common_count(buckets) is None:
        return [tuple(buckets)]
    return [tuple(buckets[place::parts]) for place in range(parts)]


def stage_parts(
    run: Run, table: Table, plan: SnapshotPlan, sources: SourceTables, parts: Sequence[Part]
) -> None:
    """Stage the features of every part, as many at a time as there are cores.

    Args:
        run: The run that stages them.
        table: ``customer_features``.
        plan: What is computed.
        sources: The bank's tables.
        parts: More than one, which together hold all transactions.
    """
    with scratch_folder(run.home / "tables", SCRATCH) as folder, one_thread_each(run.spark):
        placed = _Placed(run, sources, folder)
        placed.write(plan.without_bookings(sources), parts)
        present = [part for part in (*parts, (SCATTERED,)) if placed.has_customers(part)]

        def stage(part: Part) -> None:
            rows = plan.with_bookings(placed.customers(part), placed.tables(part))
            run.staging.stage(table, rows, is_ordered=True)

        with run.progress(len(present), "parts") as advance:
            _in_threads([partial(stage, part) for part in present], advance)


def _in_threads(
    tasks: Sequence[Callable[[], None]], advance: Callable[[int], None] = lambda _: None
) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [pool.submit(task) for task in tasks]
        try:
            for done in as_completed(waiting):
                done.result()
                advance(1)
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Placed:
    """What a run writes down by bucket: customers, accounts, the bookings of scattered ones."""

    run: Run
    sources: SourceTables
    folder: Path

    def write(self, customers: DataFrame, parts: Sequence[Part]) -> None:
        count = common_count(bucket for part in parts for bucket in part)
        assert count is not None, "parts are of one layout"
        scattered = self._scattered()

        def place(name: str, rows: DataFrame) -> None:
            ordered = _with_bucket(rows, count, scattered).sortWithinPartitions("customer_id")
            ordered.write.partitionBy(BUCKET).parquet(str(self.folder / name))

        tables = {"customers": customers, "accounts": self.sources.accounts}
        _in_threads([partial(place, name, rows) for name, rows in tables.items()])
        if scattered is not None:
            kept(_bookings_of(scattered, self.sources), self.folder / "bookings")

    def has_customers(self, part: Part) -> bool:
        return bool(self._folders("customers", part))

    def customers(self, part: Part) -> DataFrame:
        return self.run.spark.read.parquet(*self._folders("customers", part))

    def tables(self, part: Part) -> SourceTables:
        """The bank's tables with the accounts of a part, and at least all bookings of these."""
        bookings = self._bookings(part)
        return replace(
            self.sources,
            accounts=self._accounts(part),
            transactions=bookings,
            closings=self._closings(bookings, part),
        )

    def _closings(self, bookings: DataFrame, part: Part) -> DataFrame | None:
        """What accounts closed with; None if bookings of one instant leave any of it in doubt."""
        found = closing_balances(bookings, self.run.as_of)
        closings = kept(found, self.folder / "closings" / part[0], CLOSINGS)
        return None if closings.where("balance is null").limit(1).count() else closings

    def _accounts(self, part: Part) -> DataFrame:
        spark, folders = self.run.spark, self._folders("accounts", part)
        if not folders:
            return spark.createDataFrame([], ACCOUNTS.ddl)
        return spark.read.schema(ACCOUNTS.ddl).parquet(*folders)

    def _bookings(self, part: Part) -> DataFrame:
        if part == (SCATTERED,):
            return read_kept(self.sources.transactions, self.folder / "bookings")
        return self.run.store.of_buckets(part).known_before(TRANSACTIONS, self.run.as_of)

    def _folders(self, name: str, part: Part) -> list[str]:
        folders = (self.folder / name / f"{BUCKET}={bucket}" for bucket in part)
        return [str(folder) for folder in folders if folder.exists()]

    def _scattered(self) -> DataFrame | None:
        """Customers who stand for other records, or have an account that had another owner.

        Returns:
            ``customer_id``, each once; None if there are none.
        """
        store, accounts = self.run.store, self.sources.accounts
        # A former owner is named once per account, and so is the account.
        moved = former_owners(store.versions(ACCOUNTS)).join(accounts, on="account_id")
        found = moved.select("customer_id")
        if (merged := store.given_up_before(self.run.as_of)) is not None:
            found = found.unionByName(merged.select(F.col("survivor_id").alias("customer_id")))
        scattered = kept(found.distinct(), self.folder / SCATTERED, "customer_id string")
        return scattered if scattered.limit(1).count() else None


def _with_bucket(rows: DataFrame, count: int, scattered: DataFrame | None) -> DataFrame:
    own = customer_bucket(count)
    if scattered is None:
        return rows.withColumn(BUCKET, own)
    marked = scattered.withColumn("is_scattered", F.lit(True))
    bucket = F.when(F.col("is_scattered"), F.lit(SCATTERED)).otherwise(own)
    # A scattered customer is there once, so that no row is doubled.
    found = marked.join(rows, on="customer_id", how="right")
    return found.select(*rows.columns, bucket.alias(BUCKET))


def _bookings_of(customers: DataFrame, sources: SourceTables) -> DataFrame:
    """Bookings of some customers, and of the accounts that are theirs now."""
    bookings = sources.transactions
    theirs = customers.withColumn("is_theirs", F.lit(True))
    accounts = (
        customers.join(sources.accounts, on="customer_id")
        .select("account_id")
        .withColumn("is_of_theirs", F.lit(True))
    )
    # Customers and accounts are there once, so that no booking is doubled.
    marked = theirs.join(bookings, on="customer_id", how="right")
    marked = accounts.join(marked, on="account_id", how="right")
    return marked.where("is_theirs or is_of_theirs").select(*bookings.columns)
