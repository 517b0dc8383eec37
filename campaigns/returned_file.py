"""A file of results that a branch returns: read as a whole, or refused with all that is wrong.

A value that cannot be read is a doubt about whom to leave in peace, so that nothing of such a file
is taken. Only the columns named here are read; a remark in words is kept nowhere.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import get_args

from campaigns.csv_file import unguarded
from conf.errors import did_you_mean
from conf.fields import Channel
from tables.errors import ContractViolation

# What a branch may write, and the one word for it here.
WORDS: Mapping[str, str] = {
    "contacted": "contacted",
    "no_answer": "no_answer",
    "not_reached": "no_answer",
    "interested": "interested",
    "sold": "sold",
    "accepted": "sold",
    "refused": "refused",
    "opt_out": "opt_out",
    "unsuitable": "unsuitable",
    "wrong_person": "wrong_person",
    "complaint": "complaint",
}
REQUIRED = ("customer_id", "offer_id", "disposition", "disposition_at", "channel")
CAMPAIGN = ("run_id", "as_of")
OPTIONAL = ("advisor_id", "note_code")
COLUMNS = (*REQUIRED, *CAMPAIGN, *OPTIONAL)
IDENTIFIER = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
RUN_ID = re.compile(r"[0-9a-f]{6,64}")
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
MOMENT = re.compile(DAY + r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?")
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}-01")
NOTE_CODE = re.compile(r"[A-Za-z0-9_-]{1,16}")
MOST_BYTES = 200_000_000
EXAMPLES = 3


@dataclass(frozen=True)
class ReturnedRow:
    """One row of the file.

    Attributes:
        number: In the file, from 1, the header not counted.
        raw: What it says, by column, as it was written.
    """

    number: int = field(compare=False)
    customer_id: str
    offer_id: str
    disposition: str
    disposition_at: datetime
    channel: str
    run_id: str | None
    as_of: date | None
    advisor_id: str | None
    note_code: str | None
    raw: Mapping[str, str] = field(compare=False)


@dataclass(frozen=True)
class ReturnedFile:
    """What a file says, and which of its columns nobody reads."""

    rows: tuple[ReturnedRow, ...]
    unread: tuple[str, ...]


def read_returned(name: str, content: bytes) -> ReturnedFile:
    """Read a file: CSV with a header, comma, UTF-8.

    Args:
        name: What messages call it.
        content: Its bytes.

    Raises:
        ContractViolation: Every problem, one line each: file, rule, count, rows, fix.
    """
    header, lines = _lines(name, content)
    problems = _Problems(name)
    rows = [
        row
        for number, cells in lines
        if (row := _row(number, dict(zip(header, cells, strict=True)), problems)) is not None
    ]
    problems.refuse()
    return ReturnedFile(tuple(rows), tuple(one for one in header if one not in COLUMNS))


def _lines(name: str, content: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and every line that is not blank with its number."""
    reader = csv.reader(io.StringIO(_text(name, content), newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(name, header)
        lines = [(number, cells) for number, cells in enumerate(reader, start=1) if cells]
    except csv.Error as error:
        raise ContractViolation(
            f"{name}: line {reader.line_num} is no CSV ({error}). Save it anew as CSV with quotes"
            " around texts that hold commas or quotes"
        ) from None
    if not lines:
        raise ContractViolation(f"{name}: has a header and no row. Nothing was taken")
    odd = [number for number, cells in lines if len(cells) != len(header)]
    if odd:
        raise ContractViolation(
            f"{name}: {len(odd)} rows have more or fewer fields than the header's {len(header)},"
            f" e.g. {_rows(odd)}. Put quotes around texts that hold commas"
        )
    return header, lines


def _text(name: str, content: bytes) -> str:
    if b"\x00" in content:
        raise ContractViolation(f"{name}: holds zero bytes, as workbooks do. Save it as CSV UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractViolation(
            f"{name}: is no UTF-8 at byte {error.start}. Save it as CSV UTF-8"
        ) from None
    if not text.strip():
        raise ContractViolation(f"{name}: is empty. Nothing was taken")
    return text


def _check_header(name: str, header: Sequence[str]) -> None:
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        raise ContractViolation(f"{name}: is not separated by commas. Save it as CSV with commas")
    lacking = [column for column in REQUIRED if column not in header]
    problems = [
        f"{name}: lacks the column {column}{did_you_mean(column, set(header) - set(COLUMNS))}"
        for column in lacking
    ]
    if not set(CAMPAIGN) & set(header):
        problems.append(f"{name}: lacks run_id or as_of, as on the list: which campaign was it?")
    problems += [
        f"{name}: has the column {column} twice. Remove one"
        for column in COLUMNS
        if header.count(column) > 1
    ]
    if problems:
        raise ContractViolation("\n".join(problems))


class _Problems:
    """What is wrong in a file, gathered by column and fix."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: dict[tuple[str, str], list[int]] = defaultdict(list)

    def add(self, row: int, column: str, fix: str) -> None:
        """One value."""
        self._rows[column, fix].append(row)

    def refuse(self) -> None:
        """Raise what was found, if anything was. Values are not told: they may be a client's."""
        if self._rows:
            raise ContractViolation(
                "\n".join(
                    f"{self._name}: {column} of {len(rows)} rows, e.g. {_rows(rows)}: {fix}"
                    for (column, fix), rows in sorted(self._rows.items())
                )
            )


def _row(number: int, cells: Mapping[str, str], problems: _Problems) -> ReturnedRow | None:
    """The row, or None where a value is wrong."""
    raw = {name: unguarded(cells[name].strip()) for name in COLUMNS if name in cells}
    values: dict[str, object] = dict.fromkeys(COLUMNS)
    is_good = True
    for column, text in raw.items():
        fix = _fix(column, text)
        if fix is None:
            values[column] = PARSERS.get(column, str)(text) if text else None
        else:
            problems.add(number, column, fix)
            is_good = False
    if not (raw.get("run_id") or raw.get("as_of")):
        problems.add(number, "run_id", "say which campaign it was, by run_id or as_of of the list")
        is_good = False
    return ReturnedRow(number=number, raw=raw, **values) if is_good else None  # type: ignore[arg-type]


def _fix(column: str, text: str) -> str | None:
    """What to do about a value; None if it is good."""
    if not text:
        return "is missing" if column in REQUIRED else None
    if column in CODES:
        known = CODES[column]
        return (
            None
            if text in known
            else f"must be one of {', '.join(known)}{did_you_mean(text, known)}"
        )
    pattern, form = FORMS.get(column, IDENTIFIER_FORM)
    try:
        is_good = bool(pattern.fullmatch(text)) and PARSERS.get(column, str)(text) is not None
    except (ValueError, OverflowError):
        is_good = False
    return None if is_good else form


def _moment(text: str) -> datetime:
    """A day, UTC, or an instant that says its zone."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:EXAMPLES]))
    return f"row{'s' if len(numbers) > 1 else ''} {shown}"


CODES: Mapping[str, tuple[str, ...]] = {"disposition": tuple(WORDS), "channel": get_args(Channel)}
IDENTIFIER_FORM = (IDENTIFIER, "must be an identifier of at most 64 characters")
FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "disposition_at": (MOMENT, "must be 2026-11-05 or 2026-11-05T09:30:00Z"),
    "as_of": (MONTH, "must be the first of a month, 2026-11-01, as on the list"),
    "run_id": (RUN_ID, "must be a run as on the list: 6 to 64 of 0-9 and a-f"),
    "note_code": (NOTE_CODE, "must be a code of at most 16 letters and digits; no text is kept"),
}
PARSERS: Mapping[str, Callable[[str], object]] = {
    "disposition": WORDS.__getitem__,
    "disposition_at": _moment,
    "as_of": date.fromisoformat,
}
