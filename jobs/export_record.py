"""Who exported which list, when: one line each in ``log/exports.jsonl``.

The table ``exports`` knows what was exported, and the same export adds no row to it. Here every
time counts, with who it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from jobs.clock import time_of_lookup
from jobs.home import Home
from jobs.lookups import account
from tables.errors import UserError
from tables.files import append_line, make_folder

FILE = "exports.jsonl"


@dataclass(frozen=True)
class Export:
    """One export.

    Attributes:
        as_of: Of the campaign.
        at: When, UTC.
        branch_id: Whose list; None: every branch's.
        by: Who, as they said; the account's name if they said nothing.
        known_before: Consents, objections and flags recorded before it were checked.
        manifest_sha256: As in the table ``exports``.
        role: As whom.
        rows: That were exported.
        run_id: The run that made the lists.
        user: Account of the operating system.
    """

    as_of: str
    at: str
    branch_id: str | None
    by: str
    known_before: str
    manifest_sha256: str
    role: str
    rows: int
    run_id: str
    user: str


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
        path = make_folder(home.log) / FILE
        try:
            append_line(path, json.dumps(asdict(line), sort_keys=True))
        except OSError as error:
            raise UserError(
                f"cannot write {path}: {error.strerror}. Whoever exports is recorded first, so"
                " nothing was exported. Ask who runs xsell to make it writable"
            ) from None


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
    count, unreadable = 0, []
    for number, one in enumerate(_recorded(home.log / FILE), start=1):
        if one is None:
            unreadable.append(number)
        elif (since is None or one.at[:10] >= str(since)) and by in (None, one.by, one.user):
            count += 1
            yield _line(one)
    yield f"{count:,} exports"
    if unreadable:
        yield (
            f"{len(unreadable):,} lines of {home.log / FILE} cannot be read (the first is line"
            f" {unreadable[0]}): a write was cut short, or somebody changed them"
        )


def _recorded(path: Path) -> Iterator[Export | None]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield Export(**json.loads(line))
        except (TypeError, ValueError):
            yield None


def _line(one: Export) -> str:
    who = one.by if one.by == one.user else f"{one.by} (account {one.user})"
    told = (
        f"{one.at}  {one.as_of}  run {one.run_id[:12]}  {one.branch_id or 'all branches'}:"
        f" {one.rows:,} rows as known before {one.known_before}  {one.role}  {who}"
    )
    # Names are what somebody typed: no terminal may obey them.
    return "".join(letter if letter.isprintable() else "?" for letter in told)
