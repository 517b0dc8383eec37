"""Which contracts a step's tables must keep before they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from conf.source import load_source
from expectations.balances import balance_facts
from expectations.campaign_lists import campaign_lists_suite
from expectations.campaign_results import campaign_results_suite
from expectations.check import CheckReport, check
from expectations.propensity_scores import propensity_scores_suite
from expectations.sources import ever_brought, never_null, source_suites
from expectations.suite import Fact
from expectations.trailing import freshness_facts, trailing_facts
from expectations.volumes import delivered, monthly_volumes
from features.catalogue import customer_features_table
from models.uplift_champion import uplift_in_use
from tables.base import Table
from tables.derived import CAMPAIGN_LISTS, CAMPAIGN_RESULTS, DELIVERIES, PROPENSITY_SCORES
from tables.files import scratch_folder
from tables.runs import Runs
from tables.sources import CUSTOMER_MERGES, SOURCES, TRANSACTIONS, stored
from tables.store import Store
from tables.windows import months_before

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.run import Run

SCRATCH = ".contracts-"


def contract_reports(run: Run, proposed: Store) -> list[CheckReport]:
    """Hold what a run has staged against the contracts of its step.

    Args:
        run: The run.
        proposed: The store as it would be after the run's commit.
    """
    reports_of_step = {
        "ingest": _source_reports,
        "score": _score_reports,
        "campaign": _list_reports,
        "measure": _result_reports,
    }
    return reports_of_step[run.step](run, proposed) if run.step in reports_of_step else []


def _source_reports(run: Run, proposed: Store) -> list[CheckReport]:
    with scratch_folder(run.home / "tables", SCRATCH) as scratch:
        return _reports_of(run, proposed, _known(run, proposed, scratch))


def _known(run: Run, proposed: Store, scratch: Path) -> dict[str, DataFrame]:
    """Every table whose keys others name, as known, and every whole one; worked out once."""
    known = {}
    for table in SOURCES:
        if table.kind == "whole" or table == CUSTOMER_MERGES:
            known[table.name] = proposed.known_before(table, run.as_of)
            if any(file.rows for file in proposed.files(table)):
                path = str(scratch / table.name)
                known[table.name].write.parquet(path)
                known[table.name] = run.spark.read.schema(table.ddl).parquet(path)
    return known


def _reports_of(run: Run, proposed: Store, known: Mapping[str, DataFrame]) -> list[CheckReport]:
    every = source_suites(known, run.as_of, tuple(run.config.products))
    suites = [suite for suite in every if not _is_nothing_expected(suite.table, run, proposed)]
    reports = []
    with run.progress(len(suites), "contracts") as advance:
        deliveries = delivered(proposed.records(DELIVERIES), run.as_of)
        for suite in suites:
            table = suite.table
            facts = (*suite.facts, *_trailing(table, run, proposed, deliveries.get(table.name, {})))
            is_whole = table.kind == "whole"
            rows = known[table.name] if is_whole else proposed.staged(stored(table))
            reports.append(check(replace(suite, facts=facts), rows))
            advance(1)
    return reports


def _trailing(
    table: Table, run: Run, proposed: Store, came: Mapping[date, int]
) -> tuple[Fact, ...]:
    """What the deliveries must have in common with those of the months before."""
    limits, as_of = run.config.checks.trailing, run.as_of
    volumes = monthly_volumes(table, came, as_of)
    products = tuple(run.config.products)
    facts = [
        *freshness_facts(table, max(came, default=None), volumes, as_of, limits),
        *trailing_facts(
            table,
            proposed.versions(table),
            volumes,
            products=products,
            as_of=as_of,
            limits=limits,
        ),
    ]
    if table.kind == "increment":
        facts += never_null(table, run.staging.nulls(stored(table)))
        facts.append(ever_brought(table, sum(came.values())))
    if table == TRANSACTIONS:
        facts += balance_facts(proposed.known_before(table, as_of), as_of, limits)
    return tuple(facts)


def _is_nothing_expected(table: Table, run: Run, proposed: Store) -> bool:
    """The source need not deliver the table, and never has."""
    is_required = load_source(run.config.bank.source).delivery_of(table.name).is_required
    return not is_required and not proposed.files(table)


def _score_reports(run: Run, proposed: Store) -> list[CheckReport]:
    products = tuple(run.config.products)
    customers = run.store.snapshot(customer_features_table(products), run.as_of)
    uplift = uplift_in_use(run.config, run.home)
    suite = propensity_scores_suite(
        customers,
        products,
        run.config.checks,
        _last_month(run),
        uplift.version if uplift else None,
    )
    return [check(suite, proposed.snapshot(PROPENSITY_SCORES, run.as_of))]


def _last_month(run: Run) -> DataFrame | None:
    """The scores of the month before, if they were published."""
    before = months_before(run.as_of, 1)
    record = Runs(run.store.folder).current("score", before)
    if record is None:
        return None
    return Store(run.store.folder, run.spark, record.pins).snapshot(PROPENSITY_SCORES, before)


def _list_reports(run: Run, proposed: Store) -> list[CheckReport]:
    suite = campaign_lists_suite(run.config.campaign)
    return [check(suite, proposed.staged(CAMPAIGN_LISTS))]


def _result_reports(run: Run, proposed: Store) -> list[CheckReport]:
    """Nothing is promised of nothing: before the first campaign there are no results."""
    if not run.staging.rows(CAMPAIGN_RESULTS):
        return []
    return [check(campaign_results_suite(), proposed.staged(CAMPAIGN_RESULTS))]
