"""`xsell offers recall`: which rows of lists that are out must be withdrawn, after an objection."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.recall import RECALL, recalled_rows, write_recall
from conf.recorded import recorded_config
from jobs.audit.lookups import note_lookup
from jobs.home import Home
from jobs.lists.handed_lists import committed_campaigns, handed_rows
from jobs.lists.known_clients import all_known_before, known_clients, records_of
from tables.errors import UserError
from tables.files import write_tree

RECALLS = "recalls"
OF_LISTS = [name for name in RECALL.names if name != "objected_on"]


def recall_command(options: argparse.Namespace) -> int:
    """Write recall files for clients who have objected.

    Raises:
        UserError: The bank knows no such client, or there is no campaign.
    """
    home = Home(Path(options.home).resolve())
    committed_campaigns(home)
    known = known_clients(home, options.customer, all_known_before(home))
    unknown = [client for client in options.customer if known[client].customer is None]
    for client in options.customer:
        note_lookup(home, "offers recall", client, options.by, found=client not in unknown)
    if unknown:
        raise UserError(
            f"the bank knows no client of {len(unknown)} of {len(options.customer)} --customer:"
            " is it misspelt? Nothing was recalled"
        )
    for line in recall(home, dict.fromkeys(options.customer, options.since), options.to):
        sys.stdout.write(line + "\n")
    return 0


def recall(home: Home, since: Mapping[str, date], to: Path | None = None) -> Iterator[str]:
    """Write recall files, and say where they lie; the same objections give the same bytes.

    Args:
        home: Where.
        since: By client, the day of the objection.
        to: A folder to write to; one below the lists, if left out.
    """
    # Lists name a client by any record that was one of the person's.
    records = records_of(home, since)
    by_record = {
        record: day
        for client, day in sorted(since.items(), key=lambda item: item[1], reverse=True)
        for record in records[client]
    }
    rows = recalled_rows(handed_rows(home, by_record, OF_LISTS), by_record)
    clients = f"{len(since):,} client{'' if len(since) == 1 else 's'}"
    if not rows.num_rows:
        yield f"Objections of {clients}: no list that is still valid names them."
        return
    config = recorded_config(committed_campaigns(home)[0].config)
    target = (to or home.lists / RECALLS) / recall_name(since)
    write_tree(target, lambda folder: write_recall(folder, rows, config))
    branches = pc.count_distinct(rows["branch_id"]).as_py()
    yield (
        f"Objections of {clients}: withdraw {rows.num_rows:,} offers at {branches:,} branches"
        f" ({_channels(rows)}): {target}"
    )


def recall_name(since: Mapping[str, date]) -> str:
    """Of what was recalled: the last day, and a digest that tells nobody who it was."""
    said = json.dumps(sorted((client, str(day)) for client, day in since.items()))
    return f"{max(since.values())}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _channels(rows: pa.Table) -> str:
    counts = rows["channel"].value_counts().to_pylist()
    named = sorted((count["values"], count["counts"]) for count in counts)
    return ", ".join(f"{channel} {number:,}" for channel, number in named)
