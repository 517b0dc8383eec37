"""Audit what a run staged before it is committed: rows, keys, nulls, contracts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.run import Run
from jobs.runs.staging import Staging
from tables.base import Table
from tables.errors import ContractViolation
from tables.keys import repeated_keys

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

log = logging.getLogger(__name__)


def audit(run: Run) -> None:
    """Check every staged table against its declaration.

    Where there are contracts, a report of them is written, before anything is published or stopped.

    Raises:
        ContractViolation: All problems found, one line each, and where the report lies; nothing has
            been published.
    """
    # Great Expectations takes seconds to import: a run that finds nothing to do must not wait for
    # it.
    from jobs.reports import write_report
    from jobs.runs.contracts import contract_reports

    proposed = run.store.with_staged(run.staging.files)
    problems = []
    for table in run.staging.tables.values():
        problems += _problems(run.staging, table, proposed.staged(table))
    reports = contract_reports(run, proposed)
    for report in reports:
        problems += [f"{report.table}: {failure}" for failure in report.critical_failures]
        for warning in report.warnings:
            log.warning("%s %s: %s: %s", run.step, run.as_of, report.table, warning)
        run.count("warnings", len(report.warnings))
    where = [f"Report: {write_report(run, reports, problems, proposed)}"] if reports else []
    if problems:
        raise ContractViolation("\n".join([*problems, *where]))
    if run.step == "features":
        from jobs.features.report import report_features

        report_features(run, proposed)


def _problems(staging: Staging, table: Table, rows: DataFrame) -> list[str]:
    required = [column.name for column in table.columns if not column.is_nullable]
    nulls = staging.nulls(table)
    uncounted = [F.count_if(F.col(name).isNull()).alias(name) for name in {*required} - {*nulls}]
    found = rows.agg(F.count(F.lit(1)).alias("rows"), *uncounted).collect()[0].asDict()
    count, written = found.pop("rows"), staging.rows(table)
    nulls |= found
    problems = [
        f"{table.name}: {nulls[name]} rows without {name}, which must not be null"
        for name in required
        if nulls[name]
    ]
    if count != written:
        problems.append(f"{table.name}: {count} rows read back of {written} written")
    if repeated := repeated_keys(rows, table.key, count):
        problems.append(f"{table.name}: {repeated} keys ({', '.join(table.key)}) occur twice")
    return problems
