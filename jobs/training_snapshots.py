"""Features of some customers on many dates: one pass over the history, then a slice per date.

The cost grows with the pairs of customer and date, not with the history times the dates: the
increments (transactions, consents, contacts) are read once and written per date for its customers
only, and the unchanged features are computed from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from features.catalogue import customer_features_table
from features.customer_features import SourceTables
from jobs.build_features import plan_of, source_tables
from jobs.scratch import kept, read_kept
from tables.base import Table
from tables.slices import former_owners, known_rows, records_of, under_former_owners
from tables.sources import ACCOUNTS, CONSENTS, CONTACTS, TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.run import Run

SLICED = (TRANSACTIONS, CONSENTS, CONTACTS)
Slices = Mapping[str, Mapping[date, "DataFrame"]]  # by table name and cohort


def pair_features(
    run: Run, customers: Mapping[date, DataFrame], scratch: Path
) -> Iterator[tuple[date, DataFrame]]:
    """What a full snapshot of each date says of its customers, exactly.

    Args:
        run: Gives store and settings.
        customers: ``customer_id`` by cohort, each customer once per cohort.
        scratch: A folder for intermediate results, needed while the frames are.

    Returns:
        Each cohort with the features of its customers who were active then, one after the other.
    """
    return _features(run, customers, _slices(run, customers, scratch), scratch)


def _features(
    run: Run, customers: Mapping[date, DataFrame], slices: Slices, scratch: Path
) -> Iterator[tuple[date, DataFrame]]:
    """Worked out already: what is joined to them is then planned on its own, far more quickly."""
    table = customer_features_table(tuple(run.config.products))
    for cohort, some in customers.items():
        sources = _sources(run, cohort, some, slices)
        found = plan_of(run, cohort).rows(sources, some.select("customer_id"))
        yield cohort, kept(found, scratch / f"features-{cohort}", table.ddl)


def _sources(run: Run, cohort: date, customers: DataFrame, slices: Slices) -> SourceTables:
    """The bank's tables as known before ``cohort``, all customers but only the rows of some."""
    known = source_tables(run, cohort)
    return replace(
        known,
        accounts=rows_of(customers, known.accounts),
        holdings=rows_of(customers, known.holdings),
        flags=rows_of(customers, known.flags),
        **{
            table.name: run.store.of_persons(table, slices[table.name][cohort], cohort)
            for table in SLICED
        },
    )


def rows_of(customers: DataFrame, rows: DataFrame) -> DataFrame:
    """The rows of some customers, each of whom is there once."""
    return customers.select("customer_id").join(rows, on="customer_id", how="inner")


def _slices(run: Run, customers: Mapping[date, DataFrame], scratch: Path) -> Slices:
    asked_for = kept(_asked_for(run, customers, scratch), scratch / "asked-for")
    slices = {}
    with run.progress(len(SLICED), "history") as advance:
        for table in SLICED:
            slices[table.name] = _slices_of(run, table, asked_for, customers, scratch / table.name)
            advance(1)
    return slices


def _slices_of(
    run: Run, table: Table, asked_for: DataFrame, cohorts: Mapping[date, DataFrame], folder: Path
) -> dict[date, DataFrame]:
    """The one pass over a table."""
    rows = known_rows(
        table,
        run.store.versions(table),
        asked_for,
        has_revisions=run.store.has_revisions(table),
    )
    rows.write.partitionBy("cohort").parquet(str(folder))
    visible = rows.drop("cohort")
    return {cohort: read_kept(visible, folder / f"cohort={cohort}") for cohort in cohorts}


def _asked_for(run: Run, customers: Mapping[date, DataFrame], scratch: Path) -> DataFrame:
    """Whose rows are read: every record of the customers, and former owners of their accounts."""
    owners = kept(former_owners(run.store.versions(ACCOUNTS)), scratch / "former-owners")
    is_any_moved = owners.limit(1).count() > 0
    parts = []
    for cohort, some in customers.items():
        records = records_of(some, cohort, run.store.given_up_before(cohort))
        parts.append(records)
        if is_any_moved:
            accounts = rows_of(some, run.store.known_before(ACCOUNTS, cohort))
            parts.append(under_former_owners(accounts, owners, records, cohort))
    return reduce(lambda some, more: some.unionByName(more), parts)
