"""`xsell lists export`: what leaves the house, after consent was checked once more."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.list_files import MANIFEST, RECALLED_FILE, Part, file_name
from campaigns.list_query import named
from campaigns.recheck import care_recalled, offers_recalled
from campaigns.roles import RoleName, check_columns, check_rows
from conf.errors import did_you_mean
from conf.recorded import recorded_config
from conf.schema import RunConfig
from jobs.home import Home
from jobs.lists.export_record import Exporter
from jobs.lists.known_clients import all_known_before, known_clients
from jobs.lists.which_campaign import campaign_of
from jobs.runs.exports import fill_as_committed, fill_with_part
from jobs.runs.recording import Entry, commit_rows
from jobs.runs.rewriting import publishing
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, EXPORTS
from tables.errors import UserError
from tables.files import sha256_of, write_tree
from tables.runs import RunRecord
from tables.store import Store

log = logging.getLogger(__name__)


def export_command(options: argparse.Namespace) -> int:
    """Write the files of a committed campaign below a folder, without what was withdrawn since.

    Raises:
        UserError: A branch has no list, the day is before the campaign, or the role may not see
            what the files show.
        ContractViolation: Files would not be those that were committed.
    """
    home = Home(Path(options.home).resolve())
    with publishing(home, f"xsell lists export --as-of {options.as_of}"):
        campaign = campaign_of(home, options.as_of)
        _check_role(options.role, options.branch, recorded_config(campaign.config))
        for part in export_parts(home, campaign, _day(home, campaign, options.on), options.branch):
            target = Path(options.to) / _folder_name(campaign, part)
            _write(home, campaign, part, target, Exporter(options.by, options.role))
            sys.stdout.write("".join(f"{line}\n" for line in _told(part, target)))
    return 0


def _check_role(role: RoleName, branches: Sequence[str], config: RunConfig) -> None:
    """Files name clients, those of a branch its own.

    Raises:
        UserError: The role may not see that.
    """
    check_columns(role, ["customer_id"], config)
    check_rows(role, branches[0] if len(set(branches)) == 1 else None, config)


def _day(home: Home, campaign: RunRecord, given: date | None) -> date:
    """What is known before this day decides."""
    newest = max(all_known_before(home), campaign.as_of)
    if given is None:
        return newest
    if given < campaign.as_of:
        raise UserError(
            f"--on {given} is before the campaign: consent was checked as of {campaign.as_of}."
            f" Choose a day from then on; {newest} is the newest that anything is known of"
        )
    if given < newest:
        log.warning(
            "the store knows more than was known on %s: without --on, %s decides", given, newest
        )
    return given


def export_parts(home: Home, campaign: RunRecord, day: date, branches: Sequence[str]) -> list[Part]:
    """What may leave the house: one part per branch that is named, or one of all.

    Raises:
        UserError: A branch has no list.
    """
    store = Store(home.tables, None, campaign.pins)
    lists, care = (store.arrow(table, campaign.as_of) for table in (CAMPAIGN_LISTS, CARE_LISTS))
    if branches:
        _refuse_unknown(branches, lists, care)
        wanted = pa.array(branches, pa.string())
        lists, care = (rows.filter(pc.is_in(rows["branch_id"], wanted)) for rows in (lists, care))
    customers = {*lists["customer_id"].to_pylist(), *care["customer_id"].to_pylist()}
    known = known_clients(home, customers, day)
    config = recorded_config(campaign.config)
    recalled = pa.concat_tables(
        [
            offers_recalled(lists, known, config, day),
            care_recalled(care, known, config, day),
        ]
    )
    whole = Part(lists, care, recalled, day)
    return [_of_branch(whole, branch) for branch in sorted(set(branches))] or [whole]


def _refuse_unknown(branches: Sequence[str], lists: pa.Table, care: pa.Table) -> None:
    there_are = {*lists["branch_id"].to_pylist(), *care["branch_id"].to_pylist()}
    for branch in branches:
        if branch not in there_are:
            raise UserError(
                f"branch {branch} has no list; there are {named(there_are)}"
                f"{did_you_mean(branch, there_are)}"
            )


def _of_branch(whole: Part, branch: str) -> Part:
    lists, care, recalled = (
        rows.filter(pc.equal(rows["branch_id"], branch))
        for rows in (whole.lists, whole.care, whole.recalled)
    )
    return Part(lists, care, recalled, whole.known_before, branch)


def _folder_name(campaign: RunRecord, part: Part) -> str:
    """A folder of its own: what else lies in the user's folder is left alone."""
    name = export_name(campaign)
    return name if part.branch_id is None else f"{name}-{file_name(part.branch_id)}"


def export_name(campaign: RunRecord) -> str:
    """How the folder of every export of a campaign begins."""
    return f"{campaign.campaign_id}-{campaign.as_of}-{campaign.run_id[:12]}"


def _write(home: Home, campaign: RunRecord, part: Part, target: Path, exporter: Exporter) -> None:
    def fill(folder: Path) -> None:
        if part.is_as_committed:
            fill_as_committed(home, campaign, folder)
        else:
            fill_with_part(home, campaign, part, folder)
        # Recorded before the folder is in place: what was handed out is never missing here.
        row = _row(campaign, part, sha256_of(folder / MANIFEST))
        exporter.note(home, row)
        _record(home, campaign, row)

    write_tree(target, fill)


def _row(campaign: RunRecord, part: Part, manifest: str) -> dict[str, object]:
    return {
        "run_id": campaign.run_id,
        "campaign_id": campaign.campaign_id,
        "as_of": campaign.as_of,
        "branch_id": part.branch_id,
        "known_before": part.known_before,
        "row_count": part.rows - part.left_out,
        "recalled_row_count": part.left_out,
        "manifest_sha256": manifest,
    }


def _record(home: Home, campaign: RunRecord, row: dict[str, object]) -> None:
    identity = json.dumps(["export", row], sort_keys=True, default=str)
    export_id = hashlib.sha256(identity.encode()).hexdigest()
    counts = {"rows": row["row_count"], "recalled": row["recalled_row_count"]}
    entry = Entry(
        run_id=export_id,
        step="export",
        as_of=campaign.as_of,
        inputs={"campaign": campaign.run_id},
        counts=counts,
        made_by=campaign,
    )
    added = pa.Table.from_pylist([row | {"export_id": export_id}], schema=arrow_schema(EXPORTS))
    commit_rows(home, entry, [(EXPORTS, added)])


def _told(part: Part, target: Path) -> Iterator[str]:
    """The folder; and what was left out, for whom consent was checked again."""
    yield str(target)
    if part.recalled.num_rows:
        rules = Counter(part.recalled["rule"].to_pylist())
        told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items()))
        yield (
            f"  {part.left_out:,} of {part.rows:,} rows left out by what was known before"
            f" {part.known_before} ({told}): see {RECALLED_FILE}"
        )
