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

from pyspark.sql import DataFrame, functions as F

from features.catalogue import customer_features_table
from features.customer_features import SourceTables
from jobs.build_features import plan_of, source_tables
from jobs.scratch import kept, read_kept
from tables.base import Table
from tables.slices import former_owners, known_rows, records_of, under_former_owners
from tables.sources import ACCOUNTS, CONSENTS, CONTACTS, TRANSACTIONS

if TYPE_CHECKING:
    from jobs.run import Run

MOST = 0.5  # of all customers
SLICED = (TRANSACTIONS, CONSENTS, CONTACTS)
Slices = Mapping[str, Mapping[date, DataFrame]]  # by table name and cohort


def pair_features(
    run: Run, customers: Mapping[date, DataFrame], scratch: Path
) -> Iterator[tuple[date, DataFrame]]:
    """What a full snapshot of each date says of its customers, exactly.

    Args:
        run: Gives store and settings.
        customers: ``customer_id`` and ``weight`` by cohort, each customer once per cohort; where
            most of all customers are there, slices would cost more than they save.
        scratch: A folder for intermediate results, needed while the frames are.

    Returns:
        Each cohort with the features of its customers who were active then, one after the other.
    """
    is_most = _share(customers) > MOST
    slices = None if is_most else _slices(run, customers, scratch)
    return _features(run, customers, slices, scratch)


def _share(customers: Mapping[date, DataFrame]) -> float:
    """The share of all customers who are sampled, as their weights tell it."""
    weights = reduce(DataFrame.unionByName, (some.select("weight") for some in customers.values()))
    told = weights.agg(F.count("weight").alias("n"), F.sum("weight").alias("total")).first()
    assert told is not None  # without groups there is one row
    return told["n"] / told["total"] if told["n"] else 0.0


def _features(
    run: Run, customers: Mapping[date, DataFrame], slices: Slices | None, scratch: Path
) -> Iterator[tuple[date, DataFrame]]:
    """Worked out already: what is joined to them is then planned on its own, far more quickly."""
    table = customer_features_table(tuple(run.config.products))
    for cohort, some in customers.items():
        known = source_tables(run, cohort)
        sources = known if slices is None else _of_slices(run, cohort, some, known, slices)
        found = plan_of(run, cohort).rows(sources, some.select("customer_id"))
        yield cohort, kept(found, scratch / f"features-{cohort}", table.ddl)


def _of_slices(
    run: Run, cohort: date, customers: DataFrame, known: SourceTables, slices: Slices
) -> SourceTables:
    """All customers as known before ``cohort``, but only the rows of some."""
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
