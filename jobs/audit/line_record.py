"""Records of who did what when: files below ``log/`` to which a line is added each time."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from tables.errors import UserError
from tables.files import append_line, make_folder


@dataclass(frozen=True)
class Line:
    """What every line tells.

    Attributes:
        at: When, UTC.
        by: Who, as they said; the account's name if they said nothing.
        user: Account of the operating system.
    """

    at: str
    by: str
    user: str

    @property
    def who(self) -> str:
        """Who it was, for a person."""
        return self.by if self.by == self.user else f"{self.by} (account {self.user})"

    def is_asked_for(self, since: date | None, by: str | None) -> bool:
        """It is of this day, UTC, or later, and by them, as they said or by their account."""
        is_late_enough = since is None or date.fromisoformat(self.at[:10]) >= since
        return is_late_enough and (by is None or by in (self.by, self.user))


Kind = TypeVar("Kind", bound=Line)


def account() -> str:
    """Name of the operating system's account; variables of the environment have no say."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def add_line(path: Path, line: Line, or_else: str) -> None:
    """Add a line, before what it tells of is done.

    Args:
        path: Of the record.
        line: The line.
        or_else: What is not done if it cannot be recorded, as a sentence.

    Raises:
        UserError: It cannot be recorded.
    """
    try:
        append_line(make_folder(path.parent) / path.name, json.dumps(asdict(line), sort_keys=True))
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}. {or_else}. Ask who runs xsell to make it"
            " writable"
        ) from None


def recorded_lines(path: Path, kind: type[Kind]) -> Iterator[tuple[int, Kind | None]]:
    """Every line with its number; None for one that cannot be read."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            yield number, _parsed(text, kind)


def lines_asked_for(
    path: Path, kind: type[Kind], since: date | None, by: str | None
) -> tuple[list[Kind], list[int]]:
    """Lines since a day, UTC, and by somebody; and the numbers of lines that cannot be read."""
    found, bad = [], []
    for number, line in recorded_lines(path, kind):
        if line is None:
            bad.append(number)
        elif line.is_asked_for(since, by):
            found.append(line)
    return found, bad


def printable(text: str) -> str:
    """Names are what somebody typed: no terminal may obey them."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def unreadable(path: Path, numbers: Sequence[int]) -> Iterator[str]:
    """What is told of lines that cannot be read."""
    if numbers:
        yield (
            f"{len(numbers):,} lines of {path} cannot be read (the first is line {numbers[0]}): a"
            " write was cut short, or somebody changed them"
        )


def _parsed(text: str, kind: type[Kind]) -> Kind | None:
    try:
        line = kind(**json.loads(text))
        date.fromisoformat(line.at[:10])
    except (TypeError, ValueError):
        return None
    return line
