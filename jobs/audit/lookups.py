"""Who looked up which client, when and how: one line each in ``log/lookups.jsonl``.

The record names a client as the offer log does, by pseudonym: who reads it learns nothing about
anybody without the vault, and when a client is erased it names nobody. Of somebody the vault does
not hold it keeps a keyed hash, which tells repeated questions and nothing else.
"""

from __future__ import annotations

import argparse
import hmac
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.audit.line_record import (
    Line,
    account,
    add_line,
    lines_asked_for,
    printable,
    recorded_lines,
    unreadable,
)
from jobs.audit.log_keys import vault_key
from jobs.clock import time_of_lookup
from jobs.home import Home
from tables.derived import VAULT
from tables.runs import Runs
from tables.store import Store

FILE = "lookups.jsonl"
UNKNOWN = "unknown:"  # in front of the keyed hash of somebody whom the vault does not hold
HASH_DIGITS = 32
WIDTH = len("offers recall")


@dataclass(frozen=True)
class Lookup(Line):
    """One question about one client.

    Attributes:
        client: Pseudonym, or ``UNKNOWN`` and a keyed hash of what was asked.
        command: What was typed, such as ``lists show``.
        found: Whether there was an answer.
    """

    client: str
    command: str
    found: bool


def note_lookup(home: Home, command: str, client: str, by: str | None, found: bool) -> None:
    """Record that somebody looks a client up; to be called before anything is shown.

    Args:
        home: Where.
        command: What was typed, such as ``lists show``.
        client: ``customer_id`` as it was asked for.
        by: Who asks, as they say; the account of the operating system if nothing was said.
        found: Whether there is an answer.

    Raises:
        UserError: It cannot be recorded, so that nothing may be shown.
    """
    user = account()
    lookup = Lookup(
        at=time_of_lookup(),
        by=by or user,
        client=_pseudonym(home, client),
        command=command,
        found=found,
        user=user,
    )
    refusal = "Whoever looks a client up is recorded first, so nothing is shown"
    add_line(home.log / FILE, lookup, refusal)


def lookups_command(options: argparse.Namespace) -> int:
    """Print who looked up clients, oldest first."""
    home = Home(Path(options.home).resolve())
    for line in lookup_lines(home, options.since, options.by):
        sys.stdout.write(line + "\n")
    return 0


def lookup_lines(home: Home, since: date | None, by: str | None) -> Iterator[str]:
    """Look-ups as text, and how many there are.

    Args:
        home: Where.
        since: Of this day, UTC, or later.
        by: By whom, as they said or by their account's name.
    """
    shown, bad = lines_asked_for(home.log / FILE, Lookup, since, by)
    yield from map(_line, shown)
    clients = len({lookup.client for lookup in shown})
    people = len({(lookup.by, lookup.user) for lookup in shown})
    yield f"{len(shown):,} look-ups; clients {clients:,}, who asked {people:,}"
    yield from unreadable(home.log / FILE, bad)


def recorded(home: Home) -> Iterator[tuple[int, Lookup | None]]:
    """Every line of the record with its number; None for one that cannot be read."""
    return recorded_lines(home.log / FILE, Lookup)


def _line(lookup: Lookup) -> str:
    found = "found" if lookup.found else "not found"
    return printable(
        f"{lookup.at}  {lookup.command:<{WIDTH}}  {found:<9}  {lookup.client}  {lookup.who}"
    )


def _pseudonym(home: Home, client: str) -> str:
    """How the record names whoever was asked for."""
    version = Runs(home.tables).head(VAULT.name)
    store = Store(home.tables, None, {} if version is None else {VAULT.name: version})
    found = store.records_with(VAULT, {"customer_id": [client]}, ["client"])
    if found.num_rows:
        return str(found["client"][0])
    asked = hmac.digest(vault_key(home), f"asked\n{client}".encode(), "sha256").hex()
    return UNKNOWN + asked[:HASH_DIGITS]
