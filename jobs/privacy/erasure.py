"""Take a client out of a home: every stored and delivered row, every list, and the way back."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conf.recorded import recorded_config
from conf.source import SourceSettings, load_source
from jobs.audit.log_keys import VAULT_KEY, erased_key, new_key
from jobs.home import Home
from jobs.privacy.client_traces import Place, stored_places, traces_of
from jobs.privacy.erased_clients import remembered
from jobs.privacy.erasure_exports import stage_exports
from jobs.privacy.erasure_landing import delivered_places, stage_landing
from jobs.privacy.erasure_lists import handed_out, listed, stage_lists, stage_recalls
from jobs.privacy.erasure_rest import stage_rest
from jobs.runs.rewriting import Journal, Rewriting
from tables.base import Table
from tables.delta import DataFile
from tables.derived import DERIVED
from tables.errors import UnknownClient, UserError
from tables.files import remove_leftovers
from tables.identifiers import Identifiers
from tables.redaction import may_blank, redact_file, redacted_logs
from tables.runs import RUNS, RunRecord, Runs
from tables.sources import SOURCES, stored
from tables.tombstones import REMEMBERED, Tombstones

STEP = "erase"
# Of a table that is not among them, no value is blanked: rows go.
DECLARED: Mapping[str, Table] = {table.name: table for table in (*map(stored, SOURCES), *DERIVED)}


@dataclass(frozen=True)
class Request:
    """On whose word somebody is erased.

    Attributes:
        by: Who decides.
        reason: Why.
        day: On which it was decided.
    """

    by: str
    reason: str
    day: str


@dataclass
class Plan:
    """What an erasure will change; new contents are staged.

    Attributes:
        rewriting: The changes.
        client: Who.
        rows: Rows that go or lose a value, by table.
        delivered: The same of deliveries.
        elsewhere: Copies outside of the home that have the client, a sentence each.
        other_files: Changed files that are neither table, delivery nor list.
    """

    rewriting: Rewriting
    client: Identifiers
    rows: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    elsewhere: list[str] = field(default_factory=list)
    other_files: int = 0

    @property
    def files(self) -> int:
        """How many files are changed."""
        return sum(change.is_told for change in self.rewriting.changes.values())


def plan_erasure(home: Home, customer: str) -> Plan | None:
    """Stage the whole home without a client; call it under the run lock.

    Returns:
        The plan; None if the client was erased before and nothing names them any more.

    Raises:
        UnknownClient: Nothing names such a client.
        UserError: A file names the client that cannot be written anew, or nothing was ingested.
    """
    newest = newest_run(home)
    _remove_leftovers(home)
    source = load_source(recorded_config(newest.config).bank.source)
    places = _places(home, source)
    traces = traces_of(home, customer, places)
    if not traces.is_known:
        stones = remembered(home)
        if stones is not None and stones.knows("customer_id", customer):
            return None
        raise UnknownClient(
            "no table and no delivery has a client of that --customer: is it misspelt? Nothing was"
            " changed"
        )
    rewriting = Rewriting(home)
    rewriting.begin()
    plan = Plan(rewriting, traces.identifiers)
    try:
        _stage(plan, source)
    except BaseException:
        rewriting.abandon()
        raise
    return plan


def commit_erasure(home: Home, plan: Plan, request: Request) -> None:
    """Write the journal of an erasure: from here on it will be done.

    Raises:
        UserError: Who decides, or why, names the client, and both are kept for good. Nothing was
            changed.
    """
    if any(map(plan.client.is_in_text, (request.by, request.reason))):
        plan.rewriting.abandon()
        raise UserError("--by or --reason names the client; both are kept, so say them without")
    hashes = _new_hashes(home, plan.client)
    counts = {
        "by": request.by,
        "reason": request.reason,
        "files": plan.files,
        "rows": dict(sorted(plan.rows.items())),
        "rows_delivered": dict(sorted(plan.delivered.items())),
    }
    changes = tuple(plan.rewriting.changes.values())
    # Whom it was about can be told by the key alone, even from what this run is called.
    identity = [STEP, hashes, [(one.path, one.before) for one in changes if one.is_told]]
    run_id = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    plan.rewriting.commit(
        Journal(
            run_id=run_id,
            step=STEP,
            day=request.day,
            counts=counts,
            made_by=newest_run(home).run_id,
            hashes=hashes,
            changes=changes,
        )
    )


def _new_hashes(home: Home, client: Identifiers) -> list[str]:
    """By what the client is known from now on, without what is remembered already."""
    stones = remembered(home) or Tombstones(erased_key(home))
    found = {hash_ for kind in REMEMBERED for hash_ in stones.of(kind, client.values(kind))}
    return sorted(found - stones.hashes)


def newest_run(home: Home) -> RunRecord:
    """The last campaign, or the last ingest before there was one.

    Raises:
        UserError: There is neither.
    """
    runs = Runs(home.tables)
    found = runs.newest("campaign", lambda _: True) or runs.newest("ingest", lambda _: True)
    if found is None:
        raise UserError(
            f"nothing has been ingested in {home.path}: nobody is known. What lies in landing/"
            " can be removed as it was put there"
        )
    return found


def _remove_leftovers(home: Home) -> None:
    """What killed runs left behind would be read by nobody, and might be about anybody."""
    remove_leftovers(home.lists)
    for left in sorted(home.tables.glob(".*")):
        shutil.rmtree(left, ignore_errors=True)
    names = [folder.name for folder in _tables(home)]
    Runs(home.tables).remove_leftovers(names)


def _tables(home: Home) -> list[Path]:
    return sorted(path for path in home.tables.iterdir() if path.is_dir())


def _places(home: Home, source: SourceSettings) -> list[Place]:
    return [*stored_places(home), *delivered_places(home.landing, source)]


def _stage(plan: Plan, source: SourceSettings) -> None:
    rewriting, client = plan.rewriting, plan.client
    home = rewriting.home
    campaigns = listed(home, client)
    plan.elsewhere += handed_out(home, campaigns)
    for one in campaigns:
        stage_lists(rewriting, client, one)
        stage_exports(rewriting, client, one)
    stage_recalls(rewriting, client)
    for folder in _tables(home):
        if folder.name != RUNS.name and (rows := _stage_table(rewriting, folder, client)):
            plan.rows[folder.name] += rows
    plan.delivered += stage_landing(rewriting, client, source)
    plan.other_files = stage_rest(rewriting, client)
    _stage_vault_key(rewriting)


def _stage_table(rewriting: Rewriting, folder: Path, client: Identifiers) -> int:
    """Stage the files of a table without a client; how many rows are not what they were."""
    changed: dict[str, DataFile] = {}
    rows = 0
    blankable = may_blank(DECLARED.get(folder.name))
    for path in sorted((folder / "data").rglob("*.parquet")):
        staged = rewriting.new()
        new = redact_file(path, staged, blankable, client)
        if new is not None:
            name = path.relative_to(folder).as_posix()
            changed[name] = DataFile(name, new.rows, staged.stat().st_size)
            rewriting.put(path, staged)
            rows += new.removed + new.blanked
    if changed:
        target = rewriting.new()
        target.mkdir()
        for path, staged in redacted_logs(folder, changed, target):
            rewriting.put(path, staged)
    return rows


def _stage_vault_key(rewriting: Rewriting) -> None:
    """Nobody can make the client's pseudonym again; others keep theirs, which are in the vault."""
    path = rewriting.home.log / "keys" / VAULT_KEY
    if path.exists():
        staged = rewriting.new()
        staged.write_bytes(new_key())
        rewriting.put(path, staged, is_told=False)


def told_rows(rows: Mapping[str, int]) -> Iterator[str]:
    """A line per table."""
    width = max(map(len, rows), default=0)
    yield from (f"  {name:<{width}}  {count:,}" for name, count in sorted(rows.items()))
