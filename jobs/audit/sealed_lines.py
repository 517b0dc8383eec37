"""Decisions as the sealed log has them: is what the tables say what was sealed?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from audit.entries import checkpoints_in_order
from campaigns.canonical_json import json_objects
from campaigns.offer_log import IN_LINE, LOGGED
from jobs.audit.client_facts import Campaign
from tables.derived import OFFER_LOG, VAULT
from tables.known_rows import Row
from tables.leaves import leaf_hash, salt

Told = dict[str, Any]


def sealed_lines(campaign: Campaign, rows: Sequence[Row]) -> dict[str, Told]:
    """Where the decisions about one client stand in the log, by offer.

    ``is_as_sealed``: the line that the table's row makes, under the client's pseudonym and the
    offer's salt, hashes to the leaf that stands in the tree.

    Args:
        campaign: Who decided.
        rows: Shaped ``DECISIONS``, of one customer.
    """
    vault = campaign.store.records_with(VAULT, {"customer_id": [rows[0]["customer_id"]]})
    if not vault.num_rows:
        return {row["offer_id"]: {"is_as_sealed": False} for row in rows}
    [named] = vault.to_pylist()
    of_client = {"client": [named["client"]], "run_id": [rows[0]["run_id"]]}
    log = campaign.store.records_with(OFFER_LOG, of_client, ["position", "offer_id", "leaf"])
    entries = {entry["offer_id"]: entry for entry in log.to_pylist()}
    first = _first_entry(campaign)
    told = {}
    for row, line in zip(rows, _lines(rows, named["client"]), strict=True):
        entry = entries.get(row["offer_id"])
        line_salt = salt(named["secret"], row["run_id"], row["offer_id"])
        made = leaf_hash(line, line_salt)
        told[row["offer_id"]] = {
            "client": named["client"],
            "salt": line_salt.hex(),
            "line": line,
            "entry": None if entry is None else first + entry["position"],
            "leaf": None if entry is None else entry["leaf"],
            "is_as_sealed": entry is not None and entry["leaf"] == made,
        }
    return told


def _first_entry(campaign: Campaign) -> int:
    """The place of the run's first entry in the whole log, from 0."""
    own = [
        row
        for row in checkpoints_in_order(campaign.store)
        if row["run_id"] == campaign.record.run_id
    ]
    return int(own[0]["first_entry"])


def _lines(rows: Sequence[Row], client: str) -> list[str]:
    schema = pa.schema([field for field in LOGGED if field.name in IN_LINE])
    named = [{**row, "client": client} for row in rows]
    lines: list[str] = json_objects(pa.Table.from_pylist(named, schema)).to_pylist()
    return lines
