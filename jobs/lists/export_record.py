"""Who exported which list, when: one line each in ``log/exports.jsonl``.

The table ``exports`` knows what was exported, and the same export adds no row to it. Here every
time counts, with who it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.audit.line_record import Line, account, add_line, lines_asked_for, printable, unreadable
from jobs.clock import time_of_lookup
from jobs.home import Home

FILE = "exports.jsonl"


@dataclass(frozen=True)
class Export(Line):
    """One export.

    Attributes:
        as_of: Of the campaign.
        branch_id: Whose list; None: every branch's.
        known_before: Consents, objections and flags recorded before it were checked.
        manifest_sha256: As in the table ``exports``.
        role: As whom.
        rows: That were exported.
        run_id: The run that made the lists.
    """

    as_of: str
    branch_id: str | None
    known_before: str
    manifest_sha256: str
    role: str
    rows: int
    run_id: str


@dataclass(frozen=True)
class Exporter:
    """Who exports, and as whom."""

    by: str | None
    role: str

    def note(self, home: Home, row: dict[str, object]) -> None:
        """Record an export; to be called before it is in place.

        Args:
            home: Where.
            row: Of the table ``exports``.

        Raises:
            UserError: It cannot be recorded, so that nothing may be exported.
        """
        user = account()
        known = (row[name] for name in ("as_of", "branch_id", "known_before", "manifest_sha256"))
        as_of, branch, known_before, manifest = known
        line = Export(
            as_of=str(as_of),
            at=time_of_lookup(),
            branch_id=None if branch is None else str(branch),
            by=self.by or user,
            known_before=str(known_before),
            manifest_sha256=str(manifest),
            role=self.role,
            rows=int(str(row["row_count"])),
            run_id=str(row["run_id"]),
            user=user,
        )
        refusal = "Whoever exports is recorded first, so nothing was exported"
        add_line(home.log / FILE, line, refusal)


def exports_command(options: argparse.Namespace) -> int:
    """Print who exported what, oldest first."""
    home = Home(Path(options.home).resolve())
    for line in export_lines(home, options.since, options.by):
        sys.stdout.write(line + "\n")
    return 0


def export_lines(home: Home, since: date | None, by: str | None) -> Iterator[str]:
    """Exports as text, and how many there are.

    Args:
        home: Where.
        since: Of this day, UTC, or later.
        by: By whom, as they said or by their account's name.
    """
    asked, bad = lines_asked_for(home.log / FILE, Export, since, by)
    for one in asked:
        yield printable(
            f"{one.at}  {one.as_of}  run {one.run_id[:12]}  {one.branch_id or 'all branches'}:"
            f" {one.rows:,} rows as known before {one.known_before}  {one.role}  {one.who}"
        )
    yield f"{len(asked):,} exports"
    yield from unreadable(home.log / FILE, bad)
