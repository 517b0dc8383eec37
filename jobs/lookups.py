"""Who looked up which client, when and how: one line each in ``log/lookups.jsonl``.

The record names a client as the offer log does, by pseudonym: who reads it learns nothing about
anybody without the vault, and when a client is erased it names nobody. Of somebody the vault does
not hold it keeps a keyed hash, which tells repeated questions and nothing else.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import pwd
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.clock import time_of_lookup
from jobs.home import Home
from jobs.log_keys import vault_key
from tables.derived import VAULT
from tables.errors import UserError
from tables.files import append_line, make_folder
from tables.runs import Runs
from tables.store import Store

FILE = "lookups.jsonl"
UNKNOWN = "unknown:"  # in front of the keyed hash of somebody whom the vault does not hold
HASH_DIGITS = 32
WIDTH = len("offers recall")


@dataclass(frozen=True)
class Lookup:
    """One question about one client.

    Attributes:
        at: When, UTC.
        by: Who, as they said; the account's name if they said nothing.
        client: Pseudonym, or ``UNKNOWN`` and a keyed hash of what was asked.
        command: What was typed, such as ``lists show``.
        found: Whether there was an answer.
        user: Account of the operating system.
    """

    at: str
    by: str
    client: str
    command: str
    found: bool
    user: str


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
    try:
        append_line(make_folder(home.log) / FILE, json.dumps(asdict(lookup), sort_keys=True))
    except OSError as error:
        raise UserError(
            f"cannot write {home.log / FILE}: {error.strerror}. Whoever looks a client up is"
            " recorded first, so nothing is shown. Ask who runs xsell to make it writable"
        ) from None


def account() -> str:
    """Name of the operating system's account; variables of the environment have no say."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


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
    unreadable, shown = [], []
    for number, lookup in recorded(home):
        if lookup is None:
            unreadable.append(number)
        elif _is_asked_for(lookup, since, by):
            shown.append(lookup)
            yield _line(lookup)
    clients = len({lookup.client for lookup in shown})
    people = len({(lookup.by, lookup.user) for lookup in shown})
    yield f"{len(shown):,} look-ups; clients {clients:,}, who asked {people:,}"
    if unreadable:
        yield (
            f"{len(unreadable):,} lines of {home.log / FILE} cannot be read (the first is line"
            f" {unreadable[0]}): a write was cut short, or somebody changed them"
        )


def recorded(home: Home) -> Iterator[tuple[int, Lookup | None]]:
    """Every line of the record with its number; None for one that cannot be read."""
    path = home.log / FILE
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            yield number, _parsed(line)


def _parsed(line: str) -> Lookup | None:
    try:
        lookup = Lookup(**json.loads(line))
        date.fromisoformat(lookup.at[:10])
    except (TypeError, ValueError):
        return None
    return lookup


def _is_asked_for(lookup: Lookup, since: date | None, by: str | None) -> bool:
    is_late_enough = since is None or date.fromisoformat(lookup.at[:10]) >= since
    return is_late_enough and (by is None or by in (lookup.by, lookup.user))


def _line(lookup: Lookup) -> str:
    who = lookup.by if lookup.by == lookup.user else f"{lookup.by} (account {lookup.user})"
    found = "found" if lookup.found else "not found"
    told = f"{lookup.at}  {lookup.command:<{WIDTH}}  {found:<9}  {lookup.client}  {who}"
    # Names are what somebody typed: no terminal may obey them.
    return "".join(letter if letter.isprintable() else "?" for letter in told)


def _pseudonym(home: Home, client: str) -> str:
    """How the record names whoever was asked for."""
    version = Runs(home.tables).head(VAULT.name)
    store = Store(home.tables, None, {} if version is None else {VAULT.name: version})
    paths = [str(home.tables / VAULT.name / file.path) for file in store.files(VAULT)]
    if paths:
        rows = ds.dataset(paths, format="parquet")
        found = rows.to_table(["client"], filter=pc.field("customer_id") == client)
        if found.num_rows:
            return str(found["client"][0])
    asked = hmac.digest(vault_key(home), f"asked\n{client}".encode(), "sha256").hex()
    return UNKNOWN + asked[:HASH_DIGITS]
