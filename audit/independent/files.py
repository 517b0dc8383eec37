"""Files of lists and deliveries: whole, unchanged, and saying the same as each other."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest
from pathlib import Path

import duckdb

from audit.independent.errors import CannotCheck
from audit.independent.known import delivered_digests
from audit.independent.settings import literal
from audit.independent.versions import MANIFEST

WHOLE = "campaign.parquet"
BEGINS_FORMULA = tuple("=+-@|%\t\r")
GONE = "is not there"
MADE_AGAIN = "xsell run of the same month makes the files of a committed campaign again"


@dataclass(frozen=True, order=True)
class Violation:
    """What breaks a rule: a row of a list or a decision; of limits, one row of those that do.

    Attributes:
        rule: Which.
        customer_id: Whose; empty where it is about a file.
        offer_id: Which offer; empty where it is about a file or a client.
        found: What is wrong; it may name what is known of the client.
    """

    rule: str
    customer_id: str
    offer_id: str
    found: str


def broken_lists(lists: Path) -> Iterator[Violation]:
    """The manifest is true, branches got the rows of the whole list, and no cell is a formula.

    Raises:
        CannotCheck: There are no lists in the folder.
    """
    for name, digest in _listed_digests(lists).items():
        if (found := _digest(lists / name)) != digest:
            what = GONE if found is None else "is not what the manifest says"
            yield Violation("files.manifest", "", "", f"{name} {what}")
    whole = _whole(lists)
    handed = list(_handed(lists))
    for customer, offer in sorted({row[1:] for row in whole} ^ {row[1:] for row in handed}):
        yield Violation("files.branches", customer, offer, "is in one of Parquet and CSV only")
    for path in sorted(lists.glob("*/*.csv")):
        for row in _rows(path, "customer_id"):
            for column, text in row.items():
                if text.lstrip().startswith(BEGINS_FORMULA):
                    told = f"{path.name}: {column} begins a formula"
                    yield Violation("files.formula", row["customer_id"], "", told)


def changed_lists(lists: Path, committed: Mapping[str, str]) -> Iterator[Violation]:
    """The files are those that the run committed, and there are no others.

    Args:
        lists: Their folder.
        committed: SHA-256 by path below it.
    """
    there = {
        path.relative_to(lists).as_posix(): path for path in lists.rglob("*") if path.is_file()
    }
    for name in sorted({*there, *committed}):
        if name not in committed:
            yield Violation("files.committed", "", "", f"{name} is none of the run's files")
        elif name not in there:
            yield Violation("files.committed", "", "", f"{name} {GONE}")
        elif _digest(there[name]) != committed[name]:
            yield Violation("files.committed", "", "", f"{name} is not what the run committed")


def changed_deliveries(landing: Path, read: Mapping[date, str]) -> Iterator[Violation]:
    """Deliveries are those that the run has read.

    Args:
        landing: Where they lie.
        read: SHA-256 of each delivery's manifest.
    """
    for day, digest in sorted(read.items()):
        folder = landing / day.isoformat()
        if _digest(folder / MANIFEST) != digest:
            yield Violation("files.delivered", "", "", f"{day}: {MANIFEST} was changed since")
        for name, said in delivered_digests(folder).items():
            if (found := _digest(folder / name)) != said:
                what = GONE if found is None else "is not what the manifest says"
                yield Violation("files.delivered", "", "", f"{day}: {name} {what}")


def cared(lists: Path) -> Iterator[tuple[str, str]]:
    """Clients on care lists, and what each is helped with."""
    for path in sorted(lists.glob("care/*.csv")):
        for row in _rows(path, "customer_id", "care_treatment"):
            yield _plain(row["customer_id"]), row["care_treatment"]


def files_in(lists: Path) -> int:
    """How many files the manifest of lists names, itself included."""
    return len(_listed_digests(lists)) + 1


def _listed_digests(lists: Path) -> dict[str, str]:
    try:
        files = json.loads((lists / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {name: entry["sha256"] for name, entry in files.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise CannotCheck(f"{lists / MANIFEST} cannot be read. {MADE_AGAIN}") from None


def _whole(lists: Path) -> list[tuple[str, str, str]]:
    path = lists / WHOLE
    try:
        with duckdb.connect() as database:
            return database.execute(
                f"select branch_id, customer_id, offer_id from read_parquet({literal(path)})"
            ).fetchall()
    except duckdb.Error as error:
        raise CannotCheck(
            f"{path} cannot be read as a list ({type(error).__name__}). {MADE_AGAIN}"
        ) from None


def _digest(path: Path) -> str | None:
    """SHA-256, hex; None where there is no such file."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _handed(lists: Path) -> Iterable[tuple[str, str, str]]:
    for path in sorted(lists.glob("branches/*.csv")):
        for row in _rows(path, "branch_id", "customer_id", "offer_id"):
            yield (_plain(row["branch_id"]), _plain(row["customer_id"]), row["offer_id"])


def _rows(path: Path, *needed: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            rows = [{name: str(text) for name, text in row.items()} for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise CannotCheck(f"{path} cannot be read as CSV. {MADE_AGAIN}") from None
    if lacking := [name for name in needed if name not in (reader.fieldnames or ())]:
        raise CannotCheck(f"{path} has no column {lacking[0]}. {MADE_AGAIN}")
    return rows


def _plain(text: str) -> str:
    """Without the quote before what could begin a formula."""
    return text.removeprefix("'")
