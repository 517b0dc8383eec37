"""Publish the snapshot of customer features of an as-of date."""

from __future__ import annotations

from datetime import date

from features.catalogue import customer_features_table
from features.customer_features import SnapshotPlan, SourceTables, active_customers, snapshot_plan
from features.product_facts import product_facts
from features.sources import MONTHS_APART
from jobs.features.parts import parts_of, stage_parts
from jobs.run import Run
from tables.base import Table
from tables.sources import (
    ACCOUNTS,
    CONSENTS,
    CONTACTS,
    CUSTOMERS,
    FLAGS,
    FX_RATES,
    HOLDINGS,
    TRANSACTIONS,
)
from tables.windows import months_before


def build_features(run: Run) -> None:
    """Publish one row of features per active customer."""
    table = customer_features_table(tuple(run.config.products))
    stage_features(run, table, plan_of(run, run.as_of))
    run.note(
        customers=active_customers(run.store.known_before(CUSTOMERS, run.as_of), run.as_of).count(),
        features=len(table.columns) - len(table.key),
    )


def stage_features(run: Run, table: Table, plan: SnapshotPlan) -> None:
    """Stage a snapshot as ``table``, in parts where it is large and the engine is in the process.

    A cluster spreads the customers by itself.
    """
    sources = source_tables(run, run.as_of)
    parts = parts_of(run.store.files(TRANSACTIONS))
    if len(parts) > 1 and run.config.engine.kind == "embedded":
        stage_parts(run, table, plan, sources, parts)
    else:
        run.stage(table, plan.rows(sources))


def plan_of(run: Run, as_of: date) -> SnapshotPlan:
    """What a snapshot of ``as_of`` consists of, by the run's configuration."""
    return snapshot_plan(
        as_of,
        run.config.time,
        product_facts(run.config.products, run.config.lifetime_value),
        run.config.bank.base_currency,
    )


def source_tables(run: Run, as_of: date) -> SourceTables:
    """The bank's tables as known before ``as_of``."""
    known = run.store.known_before
    return SourceTables(
        customers=known(CUSTOMERS, as_of),
        accounts=known(ACCOUNTS, as_of),
        transactions=known(TRANSACTIONS, as_of),
        holdings=known(HOLDINGS, as_of),
        consents=known(CONSENTS, as_of),
        flags=known(FLAGS, as_of),
        contacts=known(CONTACTS, as_of),
        fx_rates=known(FX_RATES, as_of),
        customers_before=known(CUSTOMERS, months_before(as_of, MONTHS_APART)),
    )
