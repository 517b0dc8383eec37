"""Deliveries → source tables as row versions, quarantine, and a record of every delivery."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F

from conf.source import SourceSettings, load_source
from extracts.conform import read_landed
from extracts.deliveries import DeliveredFile, delivered_files
from extracts.erased import accounts_of_erased
from extracts.landed import LandedFile, land_all
from extracts.outcome import all_problems
from extracts.owners import first_deliveries, owner_intervals, with_owner
from jobs.extracts.intake import Checked, Intake, Keep
from jobs.home import Home
from jobs.privacy.erased_clients import remembered, tombstone_rows
from jobs.run import Run
from tables.arrow import arrow_schema
from tables.base import Table
from tables.derived import DELIVERIES, ERASED, QUARANTINE
from tables.errors import ContractViolation
from tables.files import scratch_folder
from tables.identifiers import ACCOUNT
from tables.sources import ACCOUNTS, REFERENCES, SOURCES, TRANSACTIONS, as_delivered, stored
from tables.tombstones import Tombstones

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCRATCH = ".ingest-"
REFERRED_TO = {table.name for columns in REFERENCES.values() for table in columns.values()}


def ingest(run: Run) -> None:
    """Take every pending delivery, or refuse them all.

    Raises:
        ContractViolation: A delivery can't be trusted; one line per problem, and nothing is staged.
    """
    source = load_source(run.config.bank.source)
    files = delivered_files(run.deliveries, source)
    with scratch_folder(run.home / "tables", SCRATCH) as scratch:
        rows = sum(file.rows for file in files)
        erased = _erased(run, files, source)
        with run.progress(rows, "reading") as advance:
            landed = land_all(
                files,
                _by_name(),
                _previous(run),
                source,
                scratch,
                advance=advance,
                erased=erased,
            )
        keep = _keep(run, scratch)
        checked = _check(run, [_intake(run, source, table, landed, keep) for table in SOURCES])
        _stage_tables(run, checked, keep)
    run.store.with_staged(run.staging.files).merged_before(run.as_of)  # refuses circles
    _stage_records(run, checked)
    _summarise(run, source, checked)


def _by_name() -> dict[str, Table]:
    return {table.name: as_delivered(table) for table in SOURCES}


def _previous(run: Run) -> dict[str, date]:
    """The last day on which each table was delivered before."""
    records = run.store.records(DELIVERIES)
    days = records.groupBy("table_name").agg(F.max("delivery").alias("delivery")).collect()
    return {row["table_name"]: row["delivery"] for row in days}


def _erased(run: Run, files: Sequence[DeliveredFile], source: SourceSettings) -> Tombstones | None:
    """Whose rows nobody may see; None while nobody was erased.

    What an erased client has opened since is remembered with this run.
    """
    erased = remembered(Home(run.home))
    if erased is None:
        return None
    candidates = accounts_of_erased(files, source, erased)
    held = run.store.versions(ACCOUNTS).where(F.col("account_id").isin(sorted(candidates)))
    others = {row["account_id"] for row in held.select("account_id").distinct().collect()}
    found = set(erased.of(ACCOUNT, candidates - others)) - erased.hashes
    if found:
        run.stage(ERASED, tombstone_rows(found, run.run_id))
    return erased.also(found)


def _keep(run: Run, scratch: Path) -> Keep:
    def keep(rows: DataFrame, name: str) -> DataFrame:
        path = str(scratch / name)
        rows.write.parquet(path)
        return run.spark.read.schema(rows.schema).parquet(path)

    return keep


def _intake(
    run: Run,
    source: SourceSettings,
    table: Table,
    landed: Sequence[LandedFile],
    keep: Keep,
) -> Intake | None:
    """What the deliveries bring of a table, if they bring it at all."""
    files = [one for one in landed if one.file.table_name == table.name]
    if not files:
        return None
    is_whole = source.delivery_of(table.name).delivery == "whole"

    def read(paths: Sequence[str]) -> DataFrame:
        return read_landed(run.spark, as_delivered(table), paths)

    stored_rows = sum(file.rows for file in run.store.files(table))
    return Intake(table, is_whole, files, read, run.store.versions(table), stored_rows > 0, keep)


def _check(run: Run, intakes: Sequence[Intake | None]) -> list[Checked]:
    """Check every table, then refuse or go on.

    Raises:
        ContractViolation: More rows are doubtful than the quarantine may hold.
    """
    known: dict[str, DataFrame] = {}
    checked: list[Checked] = []
    with run.progress(len(intakes), "checking") as advance:
        for table, intake in zip(SOURCES, intakes, strict=True):
            present = [run.store.versions(table)]
            if intake is not None:
                checked.append(intake.check(known))
                present.append(checked[-1].accepted)
            if table.name in REFERRED_TO:
                known[table.name] = first_deliveries(table.key[0], *present)
            advance(1)
    limits = run.config.checks
    problems = all_problems(
        [one.outcome for one in checked],
        limits.max_quarantine_share,
        {str(rule): most for rule, most in limits.max_quarantine_share_by_rule.items()},
    )
    problems += [
        problem
        for one in checked
        if one.intake.table.name not in limits.may_become_empty
        and (problem := one.intake.emptied())
    ]
    if problems:
        raise ContractViolation("\n".join(problems))
    return checked


def _stage_tables(run: Run, checked: Sequence[Checked], keep: Keep) -> None:
    with run.progress(len(checked), "storing") as advance:
        for one in checked:
            table, versions = one.intake.table, one.versions()
            if table.name == TRANSACTIONS.name:
                # accounts were staged before them: SOURCES is in order of reference
                versions = _owned(run, versions, keep)
            for piece in versions:
                run.stage(stored(table), piece)
            advance(1)
    _stage_absent(run, {one.intake.table.name for one in checked})
    _stage_quarantine(run, [one.quarantine for one in checked if one.quarantine is not None])


def _owned(run: Run, pieces: Iterable[DataFrame], keep: Keep) -> Iterator[DataFrame]:
    """Bookings with the owner of their account."""
    accounts = run.store.with_staged(run.staging.files).versions(ACCOUNTS)
    owners = keep(owner_intervals(accounts, run.config.bank.transaction_buckets), "owners")
    for piece in pieces:
        yield with_owner(piece, owners)


def _stage_absent(run: Run, delivered: Collection[str]) -> None:
    """A table that the source does not deliver is there all the same, without rows."""
    for table in map(stored, SOURCES):
        if table.name not in delivered:
            run.stage(table, arrow_schema(table).empty_table())


def _stage_quarantine(run: Run, parts: Sequence[DataFrame]) -> None:
    if parts:
        run.stage(QUARANTINE, reduce(lambda some, more: some.unionByName(more), parts))
    else:
        run.stage(QUARANTINE, arrow_schema(QUARANTINE).empty_table())


def _stage_records(run: Run, checked: Sequence[Checked]) -> None:
    entries = [entry for one in checked for entry in _delivery_entries(run, one)]
    run.stage(DELIVERIES, pa.Table.from_pylist(entries, schema=arrow_schema(DELIVERIES)))


def _delivery_entries(run: Run, one: Checked) -> Iterator[Mapping[str, object]]:
    digests = {delivery.day: delivery.digest for delivery in run.deliveries}
    for day, rows in sorted(one.outcome.rows_in.items()):
        set_aside, erased = one.outcome.quarantined.get(day, 0), one.intake.rows_erased[day]
        yield {
            "delivery": day,
            "table_name": one.outcome.table_name,
            "manifest_sha256": digests[day],
            "rows_in": rows,
            "rows_accepted": rows - set_aside - erased,
            "rows_quarantined": set_aside,
            "rows_erased": erased,
        }


def _summarise(run: Run, source: SourceSettings, checked: Sequence[Checked]) -> None:
    rows_in = sum(sum(one.outcome.rows_in.values()) for one in checked)
    set_aside = sum(sum(one.outcome.quarantined.values()) for one in checked)
    erased = sum(sum(one.intake.rows_erased.values()) for one in checked)
    run.note(
        deliveries=len(run.deliveries),
        rows_in=rows_in,
        rows_accepted=rows_in - set_aside - erased,
        rows_quarantined=set_aside,
        rows_stored=sum(run.staging.rows(stored(one.intake.table)) for one in checked),
    )
    run.count("rows_erased", erased)
    if source.adapter and source.adapter.assumed_consents:
        run.note(assumption=source.adapter.assumed_consents.because)
