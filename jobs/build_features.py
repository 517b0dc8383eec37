"""Publish the snapshot of customer features of an as-of date."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame

from features.catalogue import customer_features_table
from features.customer_features import SourceTables, active_customers, customer_features
from features.product_facts import product_facts
from features.sources import MONTHS_APART
from jobs.run import Run
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
    run.stage(table, build_snapshot(run, run.as_of))
    run.note(
        customers=active_customers(run.store.known_before(CUSTOMERS, run.as_of), run.as_of).count(),
        features=len(table.columns) - len(table.key),
    )


def build_snapshot(run: Run, cohort: date) -> DataFrame:
    """The features as of ``cohort``, from what was known then; a training set stacks several."""
    return customer_features(
        source_tables(run, cohort),
        cohort,
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
