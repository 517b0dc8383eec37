"""Lists as CSV (UTF-8, RFC 4180) in which no spreadsheet finds a formula."""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import datetime
from pathlib import Path

import pyarrow as pa

GUARD = "'"
# Places at which a cell could begin, followed by what begins a formula. A spreadsheet that splits
# at another separator than the comma, or reads quotes its own way, finds cells inside our text.
FORMULA = re.compile(r"""(?:^|(?<=[,;|"\t\r\n]))(?=[\s\x00-\x1f\ufeff\u200b]*[=+\-@|%\t\r])""")


def write_csv(path: Path, rows: pa.Table) -> None:
    """Write rows under a header of column names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        writer.writerow(rows.column_names)
        writer.writerows(
            [_cell(row[name]) for name in rows.column_names] for row in rows.to_pylist()
        )


def guarded(text: str) -> str:
    """The text with a quote before everything that could begin a formula; else unchanged.

    What looks like an ASCII sign after NFKC, such as the full-width ``＝``, counts as one.
    """
    signs = "".join(map(_plain, text))
    starts = [found.start() for found in FORMULA.finditer(signs)]
    if not starts:
        return text
    ends = [*starts[1:], len(text)]
    cells = (GUARD + text[start:end] for start, end in zip(starts, ends, strict=True))
    return text[: starts[0]] + "".join(cells)


def unguarded(text: str) -> str:
    """What ``guarded`` was given, where it put one quote in front: for files that come back."""
    is_guarded = text.startswith(GUARD) and guarded(text[1:]) == text
    return text[1:] if is_guarded else text


def _plain(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded[0] if folded and folded[0] in "=+-@|%" else character


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
