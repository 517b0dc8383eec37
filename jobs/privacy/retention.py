"""Remove months that are older than the jurisdiction allows; pins, paths and leaves stay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from conf.jurisdiction import Retention
from jobs.audit.lookups import FILE, recorded
from jobs.home import Home
from jobs.privacy.erasure import newest_run
from jobs.privacy.removed_months import STEP
from jobs.runs.exports import list_digests_now, lists_folder
from jobs.runs.rewriting import Change, Journal, Rewriting
from tables.delta import DataFile
from tables.derived import (
    CAMPAIGN_LISTS,
    CARE_LISTS,
    DECISIONS,
    LABELS,
    OFFER_LOG,
    PROPENSITY_SCORES,
    QUARANTINE,
    TRAINING_SET,
)
from tables.errors import UserError
from tables.redaction import emptied_file, redacted_logs
from tables.runs import Runs
from tables.windows import months_before

# By setting the tables whose months go; of the log its lines.
TABLES: Mapping[str, tuple[str, ...]] = {
    "scores_and_features": (
        PROPENSITY_SCORES.name,
        "customer_features",
        LABELS.name,
        TRAINING_SET.name,
    ),
    "decisions": (DECISIONS.name, CAMPAIGN_LISTS.name, CARE_LISTS.name, OFFER_LOG.name),
    "quarantine": (QUARANTINE.name,),
}
BLANKED: Mapping[str, tuple[str, ...]] = {OFFER_LOG.name: ("client", "line")}
Rows = dict[str, dict[str, int]]  # by table and month


@dataclass
class Plan:
    """What will be removed; new contents are staged.

    Attributes:
        rewriting: The changes.
        rows: Rows that go or lose a value.
        list_files: List files that go, by month.
        lookups: Lines of the record of look-ups that go.
    """

    rewriting: Rewriting
    rows: Rows = field(default_factory=dict)
    list_files: dict[str, int] = field(default_factory=dict)
    lookups: int = 0

    @property
    def files(self) -> int:
        """How many files are changed."""
        return sum(change.is_told for change in self.rewriting.changes.values())


def plan_retention(home: Home, as_of: date, bounds: Retention) -> Plan:
    """Stage what is left once all that is too old has gone; call it under the run lock.

    Args:
        home: Where.
        as_of: From which months are counted.
        bounds: Months that stay.

    Raises:
        UserError: Nothing was ingested, or the month is beyond the one after the newest run: a
            mistyped year would remove everything.
    """
    newest = max(record.as_of for record in (newest_run(home), *Runs(home.tables).committed()))
    if as_of > months_before(newest.replace(day=1), -1):
        raise UserError(
            f"--as-of {as_of} is more than a month after {newest}, the newest run's: is it"
            " misspelt? Nothing was removed"
        )
    plan = Plan(Rewriting(home))
    plan.rewriting.begin()
    try:
        _stage(plan, as_of, bounds)
    except BaseException:
        plan.rewriting.abandon()
        raise
    return plan


def commit_retention(home: Home, plan: Plan, as_of: date, bounds: Retention, by: str) -> None:
    """Write the journal of a removal: from here on it will be done."""
    changes = tuple(plan.rewriting.changes.values())
    identity = [STEP, as_of.isoformat(), [(one.path, one.before) for one in changes]]
    counts = {
        "by": by,
        "months_kept": bounds.model_dump(),
        "files": plan.files,
        "rows": plan.rows,
        "list_files": plan.list_files,
        "lookups": plan.lookups,
    }
    plan.rewriting.commit(
        Journal(
            run_id=hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
            step=STEP,
            day=as_of.isoformat(),
            counts=counts,
            made_by=newest_run(home).run_id,
            hashes=(),
            changes=changes,
        )
    )


def _stage(plan: Plan, as_of: date, bounds: Retention) -> None:
    for name, tables in TABLES.items():
        kept = getattr(bounds, name)
        if kept is not None:
            for table in tables:
                _stage_table(plan, table, months_before(as_of, kept))
    if bounds.decisions is not None:
        _stage_lists(plan, months_before(as_of, bounds.decisions))
    if bounds.lookups is not None:
        _stage_lookups(plan, months_before(as_of, bounds.lookups))


def _stage_table(plan: Plan, name: str, first: date) -> None:
    """Stage the files of months before ``first`` without rows, and the log that tells of them."""
    folder, rewriting = plan.rewriting.home.tables / name, plan.rewriting
    changed: dict[str, DataFile] = {}
    for month, path in _older(folder / "data", first):
        staged = rewriting.new()
        new = emptied_file(path, staged, BLANKED.get(name, ()))
        if new is None:
            continue
        below = path.relative_to(folder).as_posix()
        changed[below] = DataFile(below, new.rows, staged.stat().st_size)
        rewriting.put(path, staged)
        rows = plan.rows.setdefault(name, {})
        rows[month] = rows.get(month, 0) + new.removed + new.blanked
    if changed:
        target = rewriting.new()
        target.mkdir()
        for path, staged in redacted_logs(folder, changed, target):
            rewriting.put(path, staged)


def _older(data: Path, first: date) -> Iterator[tuple[str, Path]]:
    """Files of months before ``first``; ISO dates sort as dates do."""
    for path in sorted(data.rglob("*.parquet")):
        month = path.relative_to(data).parts[0]
        if month < first.isoformat():
            yield month, path


def _stage_lists(plan: Plan, first: date) -> None:
    home = plan.rewriting.home
    for record in Runs(home.tables).committed():
        if record.step != "campaign" or record.as_of >= first:
            continue
        folder = lists_folder(home, record).relative_to(home.path).as_posix()
        pinned = list_digests_now(home, record)
        for name, digest in pinned.items():
            path = f"{folder}/{name}"
            # Of a campaign that was killed before its files were there, too.
            plan.rewriting.changes[path] = Change(path, None, digest, None)
        if pinned:
            month = record.as_of.isoformat()
            plan.list_files[month] = plan.list_files.get(month, 0) + len(pinned)


def _stage_lookups(plan: Plan, first: date) -> None:
    """Lines that cannot be read stay: nobody knows of when they are."""
    home = plan.rewriting.home
    gone = {
        number
        for number, lookup in recorded(home)
        if lookup is not None and lookup.at < first.isoformat()
    }
    if not gone:
        return
    path = home.log / FILE
    before = path.read_bytes()
    lines = enumerate(before.splitlines(keepends=True), start=1)
    after = b"".join(line for number, line in lines if number not in gone)
    plan.rewriting.put_grown(path, before, after)
    plan.lookups = len(gone)
