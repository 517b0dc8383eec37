"""`xsell offers check`: a campaign held against the raw deliveries, by code that shares nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from audit.independent.check import Bank
from audit.independent.errors import CannotCheck
from audit.independent.files import Violation
from audit.independent.report import Campaign, Checked, Report
from audit.independent.settings import recorded_settings
from jobs.audit.lookups import note_lookup
from jobs.home import Home
from jobs.lists.which_campaign import asked_campaign
from jobs.runs.exports import LISTS, lists_folder
from tables.base import Table
from tables.delta import files_of
from tables.derived import DECISIONS, DISPOSITIONS, OFFER_LOG, VAULT
from tables.errors import UserError
from tables.files import write_file
from tables.runs import RunRecord, Runs
from tables.store import slice_path

BROKEN = 1
NO_ENTRY = "no entry of the log"
Leaves = Mapping[tuple[str, str], str]


def check_command(options: argparse.Namespace) -> int:
    """Check a campaign, tell what was found, and end with 1 if something was.

    Raises:
        UserError: There is no such campaign, or what the check needs is missing.
    """
    home = Home(Path(options.home).resolve())
    record = asked_campaign(home, options)
    try:
        report = _checked(home, record)
    except CannotCheck as error:
        raise UserError(f"{error}. Nothing was checked") from None
    told = _Told(
        record, report, _leaves(home, record, report), shows_customers=options.show_customers
    )
    if options.show_customers:
        for customer in sorted({one.customer_id for one in _examples(report) if one.customer_id}):
            note_lookup(home, "offers check", customer, options.by, found=True)
    for line in told.lines():
        sys.stdout.write(line + "\n")
    if options.json is not None:
        _write_json(options.json, told.as_json())
    return BROKEN if report.violations else 0


def _checked(home: Home, record: RunRecord) -> Report:
    """Hold a campaign against the deliveries and settings that its run has recorded."""
    read = _deliveries(home, record)
    campaign = Campaign(
        run_id=record.run_id,
        lists=lists_folder(home, record),
        committed=record.outputs[LISTS],
        decisions=_paths(home, record, DECISIONS, slice_path(record.as_of)),
        read=read,
    )
    # What does not fit into memory holds clients' values: it stays inside the home.
    with TemporaryDirectory(prefix=".check-", dir=home.path) as spill:
        bank = Bank(
            home.landing,
            recorded_settings(record.config),
            record.as_of,
            deliveries=sorted(read),
            returned=_paths(home, record, DISPOSITIONS),
            spill=Path(spill),
        )
        return bank.check(campaign)


def _deliveries(home: Home, record: RunRecord) -> dict[date, str]:
    """What the ingest of the campaign had read by its as-of date, with each manifest's digest.

    Raises:
        UserError: The record of the ingest is gone.
    """
    ingest = Runs(home.tables).find(record.inputs["ingest"])
    if ingest is None:
        raise UserError(
            f"run {record.inputs['ingest'][:12]}, whose deliveries the campaign was made from, is"
            " not in the table runs: bring it back from a backup"
        )
    days = {date.fromisoformat(name): digest for name, digest in ingest.inputs.items()}
    return {day: digest for day, digest in days.items() if day <= record.as_of}


def _paths(home: Home, record: RunRecord, table: Table, below: str = "") -> list[Path]:
    """Files of a table at the version that the run has pinned."""
    folder = home.tables / table.name
    files = files_of(folder, record.pins.get(table.name))
    return [folder / file.path for file in files if file.path.startswith(below)]


def _examples(report: Report) -> Iterator[Violation]:
    return (one for checked in report.rules for one in checked.examples)


def _leaves(home: Home, record: RunRecord, report: Report) -> Leaves:
    """The log's leaf of each example, by client and offer."""
    customers = {one.customer_id for one in _examples(report)} - {""}
    if not customers:
        return {}
    names = {
        row["client"]: row["customer_id"]
        for row in _rows(_paths(home, record, VAULT), "customer_id", customers, VAULT)
    }
    entries = _rows(_paths(home, record, OFFER_LOG), "client", names, OFFER_LOG)
    return {
        (names[row["client"]], row["offer_id"]): row["leaf"]
        for row in entries
        if row["run_id"] == record.run_id
    }


def _rows(
    paths: Sequence[Path], column: str, values: Iterable[str], table: Table
) -> list[dict[str, Any]]:
    columns = [name for name in table.column_names if name not in ("line", "secret")]
    found = ds.dataset([str(path) for path in paths], format="parquet").to_table(
        columns=columns, filter=pc.field(column).isin(pa.array(sorted(values), pa.string()))
    )
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _write_json(path: Path, told: Mapping[str, Any]) -> None:
    content = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        write_file(path.resolve(), content.encode())
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


class _Told:
    """What was found, for a person and for a program."""

    def __init__(
        self, record: RunRecord, report: Report, leaves: Leaves, *, shows_customers: bool
    ) -> None:
        self.record, self.report = record, report
        self.leaves, self.shows_customers = leaves, shows_customers

    def lines(self) -> Iterator[str]:
        """A line per rule, examples below those that are broken, and what was not looked at."""
        run, report = self.record, self.report
        yield f"campaign {run.campaign_id} as of {run.as_of}, run {run.run_id[:12]}"
        width = max(len(one.rule) for one in report.rules)
        yield f"{'rule':<{width}}  {'checked':>22}  violations"
        for one in report.rules:
            yield f"{one.rule:<{width}}  {f'{one.rows:,} {one.of}':>22}  {one.violations:>10,}"
            for example in one.examples:
                yield "    " + self._example(example)
        for code, why in report.not_compared.items():
            yield f"not recomputed: {code}: {why}"
        for remark in report.remarks:
            yield f"not recomputed: {remark}"
        broken = sum(one.violations > 0 for one in report.rules)
        yield (
            f"{len(report.rules)} rules checked, {report.violations:,} violations"
            + (f" of {broken} rule{'' if broken == 1 else 's'}" if broken else "")
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "run_id": self.record.run_id,
            "campaign_id": self.record.campaign_id,
            "as_of": str(self.record.as_of),
            "rules": [self._plain(one) for one in self.report.rules],
            "not_recomputed": dict(self.report.not_compared),
            "remarks": self.report.remarks,
            "violations": self.report.violations,
        }

    def _plain(self, one: Checked) -> dict[str, Any]:
        examples = [self._facts(example) for example in one.examples]
        return {
            "rule": one.rule,
            "rows": one.rows,
            "of": one.of,
            "violations": one.violations,
            "examples": examples,
        }

    def _example(self, one: Violation) -> str:
        return "  ".join(f"{name} {value}" for name, value in self._facts(one).items())

    def _facts(self, one: Violation) -> dict[str, str]:
        """An example by its leaf of the log; the client and what is known only if asked for."""
        if not one.customer_id:
            return {"what": one.found}
        facts = {"leaf": self.leaves.get((one.customer_id, one.offer_id), NO_ENTRY)}
        if one.offer_id:
            facts["offer"] = one.offer_id
        if self.shows_customers:
            facts |= {"client": one.customer_id, "what": one.found}
        return facts
