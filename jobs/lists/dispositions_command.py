"""`xsell offers disposition`: what branches return of their contacts is taken and counts."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from campaigns.dispositions import (
    FIXES,
    LATEST,
    Aside,
    Matched,
    disposition_rows,
    known_at,
    match,
    months_first_after,
    quarantine_rows,
)
from campaigns.recheck import OPT_OUT, midnight
from campaigns.returned_file import MOST_BYTES, ReturnedFile, read_returned
from conf.recorded import recorded_config
from jobs.home import Home
from jobs.lists.handed_lists import committed_campaigns, handed_lists, last_day
from jobs.lists.known_clients import all_known_before, known_clients, returned_results
from jobs.lists.recall_command import recall
from jobs.privacy.erased_clients import remembered
from jobs.runs.recording import Entry, commit_rows
from jobs.runs.rewriting import publishing
from tables.derived import DISPOSITIONS, QUARANTINED_DISPOSITIONS
from tables.errors import ContractViolation, UserError
from tables.known_rows import Row
from tables.runs import RunRecord, Runs

STEP = "disposition"
MOST_ROWS = 10  # named in a message


def disposition_command(options: argparse.Namespace) -> int:
    """Take a file of returned results, once.

    Raises:
        UserError: There is no such file, or no campaign.
        ContractViolation: The file cannot be read; nothing of it was taken.
    """
    home = Home(Path(options.home).resolve())
    name, content = options.file.name, _content(options.file)
    returned = read_returned(name, content)
    run_id = hashlib.sha256(json.dumps([STEP, _digest(content)]).encode()).hexdigest()
    with publishing(home, f"xsell offers disposition --file {name}"):
        done = Runs(home.tables).find(run_id)
        record = done or _take(home, run_id, returned, _digest(content), options.on)
    for line in _told(name, record, returned, was_there_already=done is not None):
        sys.stdout.write(line + "\n")
    if since := _objections(home, _digest(content)):
        for line in recall(home, since):
            sys.stdout.write(line + "\n")
    return 0


def _objections(home: Home, digest: str) -> dict[str, date]:
    """Who objects in a file, and since when."""
    said = [
        (row["customer_id"], row["disposition_at"].date())
        for row in returned_results(home)
        if row["file_sha256"] == digest and row["disposition"] == OPT_OUT
    ]
    return dict(sorted(said, reverse=True))


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ContractViolation(
                f"{path.name}: is larger than {MOST_BYTES // 1_000_000} MB. Split it"
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _take(
    home: Home, run_id: str, returned: ReturnedFile, digest: str, on: date | None
) -> RunRecord:
    """Commit what is new in a file; of an erased client nothing is taken."""
    campaigns = committed_campaigns(home)
    delivered = len(returned.rows)
    returned = _without_erased(home, returned)
    law = recorded_config(campaigns[0].config).jurisdiction.in_force
    clients = {row.customer_id for row in returned.rows}
    known = known_clients(home, clients, all_known_before(home))
    earlier = returned_results(home)
    stored = {(row["customer_id"], row["offer_id"], row["disposition_at"]): row for row in earlier}
    matched = match(returned.rows, handed_lists(home, clients), known, stored)
    recorded_at = _recorded_at(home, matched, on, campaigns, earlier)
    rows = disposition_rows(matched, known, law, recorded_at, digest)
    entry = Entry(
        run_id=run_id,
        step=STEP,
        as_of=months_first_after(recorded_at),
        inputs={"file": digest},
        counts=_counts(matched, rows) | _of_erased(delivered, returned),
        made_by=campaigns[0],
    )
    aside = quarantine_rows(matched, recorded_at, digest)
    return commit_rows(home, entry, [(DISPOSITIONS, rows), (QUARANTINED_DISPOSITIONS, aside)])


def _recorded_at(
    home: Home,
    matched: Matched,
    on: date | None,
    campaigns: Sequence[RunRecord],
    earlier: Sequence[Row],
) -> datetime:
    """When the file's results count as known.

    Raises:
        UserError: The day given cannot be.
    """
    accepted = [row for row, _ in matched.accepted]
    newest = max((row.disposition_at.date() for row in accepted), default=None)
    latest = max(all_known_before(home), *map(last_day, campaigns)) + LATEST
    if on is not None and newest is not None and on < newest:
        raise UserError(f"--on {on} is before {newest}, of which the file tells")
    if on is not None and on > latest:
        raise UserError(f"--on {on} is after {latest}: nothing that is known is so late")
    made = [midnight(record.as_of) for record in campaigns]
    return known_at(accepted, on, [*made, *(row["recorded_at"] for row in earlier)])


def _without_erased(home: Home, returned: ReturnedFile) -> ReturnedFile:
    erased = remembered(home)
    if erased is None:
        return returned
    rows = [row for row in returned.rows if not erased.knows("customer_id", row.customer_id)]
    return replace(returned, rows=tuple(rows))


def _of_erased(delivered: int, left: ReturnedFile) -> dict[str, object]:
    """How many rows a file had, and of erased clients, where there are any."""
    erased = delivered - len(left.rows)
    return {"rows_in": delivered, **({"erased": erased} if erased else {})}


def _counts(matched: Matched, rows: pa.Table) -> dict[str, object]:
    aside: dict[str, list[int]] = defaultdict(list)
    for row, reason in matched.aside:
        aside[reason].append(row.number)
    without_consent = [
        row.number
        for (row, _), has_consent in zip(
            matched.accepted, rows["has_consent"].to_pylist(), strict=True
        )
        if has_consent is False
    ]
    return {
        "accepted": len(matched.accepted),
        "there_already": matched.there_already,
        "quarantined": len(matched.aside),
        "results": dict(sorted(Counter(row.disposition for row, _ in matched.accepted).items())),
        "aside": {rule: _numbered(numbers) for rule, numbers in sorted(aside.items())},
        "without_consent": _numbered(without_consent),
    }


def _numbered(rows: Sequence[int]) -> dict[str, object]:
    """How many rows, and the numbers of the first."""
    return {"rows": len(rows), "first": list(rows[:MOST_ROWS])}


def _told(
    name: str, record: RunRecord, returned: ReturnedFile, *, was_there_already: bool
) -> Iterator[str]:
    """What became of a file; rows by their number, never by a client's name."""
    counts: Any = record.counts
    if was_there_already:
        yield f"{name}: was taken before; nothing is new."
    yield (
        f"{name}: {counts['rows_in']:,} rows in = {counts['accepted']:,} accepted"
        f" + {counts['there_already']:,} there already + {counts['quarantined']:,} quarantined"
        + (f" + {counts['erased']:,} of erased clients" if "erased" in counts else "")
    )
    if counts["results"]:
        yield "  " + ", ".join(f"{word} {number:,}" for word, number in counts["results"].items())
        yield f"  they count from the campaign as of {record.as_of} on"
    for rule, found in counts["aside"].items():
        yield f"  quarantined, {rule}: {_rows(found)}: {FIXES[Aside(rule)]}"
    if counts["without_consent"]["rows"]:
        yield f"  contacted without consent at that time: {_rows(counts['without_consent'])}"
    if returned.unread:
        yield f"  {len(returned.unread)} other columns of the file are not read and not kept"


def _rows(found: Mapping[str, Any]) -> str:
    first = ", ".join(map(str, found["first"]))
    more = ", …" if found["rows"] > len(found["first"]) else ""
    return f"{found['rows']:,} (row {first}{more})"
