"""Rows to be withdrawn from lists that lie at branches, because a client has objected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.csv_file import write_csv
from campaigns.list_files import MANIFEST, file_name, words
from campaigns.workbook import Sheet, write_workbook
from campaigns.workbook_words import HOW_TO_RECALL, lines_of, said
from conf.schema import RunConfig
from tables.files import sha256_of

RECALL = pa.schema(
    [
        ("branch_id", pa.string()),
        ("channel", pa.string()),
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("advisor_id", pa.string()),
        ("valid_to", pa.date32()),
        ("objected_on", pa.date32()),
        ("offer_id", pa.string()),
        ("campaign_id", pa.string()),
        ("as_of", pa.date32()),
        ("run_id", pa.string()),
    ]
)
ORDER = ("branch_id", "channel", "customer_id", "offer_id", "as_of", "run_id")


def recalled_rows(rows: Iterable[Mapping[str, Any]], since: Mapping[str, date]) -> pa.Table:
    """What must be withdrawn, shaped ``RECALL``.

    Args:
        rows: Of all lists that were handed out, superseded ones too, the newest first; at least
            the columns of ``RECALL`` that are theirs.
        since: By client, the day of the objection: offers that are valid on it or later are meant.

    Returns:
        Each offer of a month once per branch, as the newest list has it.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        day = since.get(row["customer_id"])
        if day is None or row["valid_to"] < day:
            continue
        key = tuple(row[name] for name in ("branch_id", "customer_id", "offer_id", "as_of"))
        found.setdefault(key, {**row, "objected_on": day})
    table = pa.Table.from_pylist(list(found.values()), schema=RECALL)
    return table.sort_by([(name, "ascending") for name in ORDER])


def write_recall(folder: Path, rows: pa.Table, config: RunConfig) -> None:
    """Fill an empty folder with a workbook and a CSV file per branch, and a manifest.

    The same rows give the same bytes: the files say that they are from the day of the last
    objection.
    """
    files = {}
    for branch_id in pc.unique(rows["branch_id"]).to_pylist():
        own = rows.filter(pc.equal(rows["branch_id"], branch_id))
        sheet = _sheet(branch_id, own, config, pc.max(rows["objected_on"]).as_py())
        name = f"recall-{file_name(branch_id)}"
        write_workbook(folder / f"{name}.xlsx", sheet)
        write_csv(folder / f"{name}.csv", own)
        for path in (folder / f"{name}.xlsx", folder / f"{name}.csv"):
            files[path.name] = {"rows": own.num_rows, "sha256": sha256_of(path)}
    text = json.dumps({"files": files}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _sheet(branch_id: str, rows: pa.Table, config: RunConfig, day: date) -> Sheet:
    language = config.bank.language
    about = (
        (said("offers to withdraw", language), rows.num_rows),
        (said("clients", language), pc.count_distinct(rows["customer_id"]).as_py()),
        (said("objections until", language), day.isoformat()),
    )
    return Sheet(
        title=said("title of a recall", language, branch=branch_id),
        tab=said("tab of a recall", language),
        rows=rows,
        words=words(config),
        language=language,
        summary=(
            (said("this recall", language), about),
            lines_of("what to do", HOW_TO_RECALL, language),
        ),
        created=day,
    )
