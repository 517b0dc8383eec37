"""List files and recalls without a client: made anew, for the branches concerned."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from campaigns.csv_file import unguarded
from campaigns.list_files import MANIFEST, WHOLE_FILE, file_name, write_again
from campaigns.recall import RECALL, write_recall
from conf.recorded import recorded_config
from jobs.home import Home
from jobs.lists.recall_command import RECALLS, recall_name
from jobs.runs.exports import lists_folder, write_committed
from jobs.runs.rewriting import Rewriting
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, EXPORTS
from tables.files import make_folder, sha256_of
from tables.identifiers import CUSTOMER, Identifiers
from tables.redaction import may_blank, redact
from tables.runs import RunRecord, Runs
from tables.store import Store

LISTS = (CAMPAIGN_LISTS, CARE_LISTS)


@dataclass(frozen=True)
class Listed:
    """A campaign on whose lists a client stands.

    Attributes:
        record: Its run.
        branches: At which.
    """

    record: RunRecord
    branches: frozenset[str]


def listed(home: Home, client: Identifiers) -> list[Listed]:
    """All campaigns, superseded ones too, on whose lists a client stands."""
    found = []
    for record in Runs(home.tables).committed():
        if record.step != "campaign":
            continue
        store = Store(home.tables, None, record.pins)
        branches: set[str] = set()
        for table in LISTS:
            customers = client.values(CUSTOMER)
            rows = store.arrow_of(table, record.as_of, customers, ["branch_id"])
            branches.update(rows["branch_id"].to_pylist())
        if branches:
            found.append(Listed(record, frozenset(branches)))
    return found


def handed_out(home: Home, campaigns: list[Listed]) -> Iterator[str]:
    """Which copies outside of the home have the client, a sentence each."""
    version = Runs(home.tables).head(EXPORTS.name)
    pins = {} if version is None else {EXPORTS.name: version}
    exported = Store(home.tables, None, pins).arrow_records(EXPORTS).to_pylist()
    for one in campaigns:
        as_of, run_id = one.record.as_of, one.record.run_id
        for branch in sorted(one.branches):
            yield f"branch {branch}: what it printed or saved of its list of {as_of}"
        for row in exported:
            if row["run_id"] == run_id and row["branch_id"] in (None, *one.branches):
                whose = "all branches" if row["branch_id"] is None else f"branch {row['branch_id']}"
                yield (
                    f"export {row['export_id'][:12]} of {as_of}, {whose}, known before"
                    f" {row['known_before']}: {row['row_count']:,} rows"
                )


def stage_lists(rewriting: Rewriting, client: Identifiers, one: Listed) -> None:
    """Stage the files of a campaign's lists without a client."""
    home, record = rewriting.home, one.record
    folder = lists_folder(home, record)
    if not (folder / MANIFEST).exists():
        write_committed(home, record, folder)
    store = Store(home.tables, None, record.pins)
    lists, care = (
        redact(store.arrow(table, record.as_of), may_blank(table), client).rows for table in LISTS
    )
    made = make_folder(rewriting.new())
    config = recorded_config(record.config)
    rows = write_again(made, lists, care, config, record.as_of, branches=one.branches)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for name in _of_branches(one):
        if name in rows:
            manifest["files"][name] = {"rows": rows[name], "sha256": sha256_of(made / name)}
            rewriting.put(folder / name, made / name)
        elif manifest["files"].pop(name, None):
            rewriting.remove(folder / name)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (made / MANIFEST).write_text(text + "\n", encoding="utf-8")
    rewriting.put(folder / MANIFEST, made / MANIFEST)


def _of_branches(one: Listed) -> Iterator[str]:
    yield WHOLE_FILE
    for branch in sorted(one.branches):
        for folder in ("branches", "care"):
            yield from (f"{folder}/{file_name(branch)}.{kind}" for kind in ("csv", "xlsx"))


def stage_recalls(rewriting: Rewriting, client: Identifiers) -> None:
    """Stage recalls without a client, under the name that they then have."""
    home = rewriting.home
    runs = Runs(home.tables)
    for folder in sorted((home.lists / RECALLS).glob("*/")):
        rows = _recalled(folder)
        left = redact(rows, (), client).rows
        if left.num_rows == rows.num_rows:
            continue
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            rewriting.remove(path)
        campaign = runs.newest("campaign", lambda _: True)
        if left.num_rows and campaign is not None:
            made = make_folder(rewriting.new())
            write_recall(made, left, recorded_config(campaign.config))
            target = folder.with_name(recall_name(_since(left)))
            for path in sorted(made.iterdir()):
                rewriting.put(target / path.name, path)


def _since(rows: pa.Table) -> Mapping[str, date]:
    pairs = zip(rows["customer_id"].to_pylist(), rows["objected_on"].to_pylist(), strict=True)
    return dict(pairs)


def _recalled(folder: Path) -> pa.Table:
    """The rows of a recall's CSV files, shaped ``RECALL``."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    columns = [
        pa.array([unguarded(row[field.name]) or None for row in rows], pa.string()).cast(field.type)
        for field in RECALL
    ]
    return pa.Table.from_arrays(columns, schema=RECALL)
