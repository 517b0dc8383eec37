"""Files of a home that are neither table, delivery nor list: searched, and rewritten if possible.

Rows of Parquet and CSV files go. A database, and the record of look-ups, is searched and rewritten
text by text. Whatever else names the client cannot be rewritten here, and is told before anything
is changed.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from conf.notation import Notation
from extracts.deliveries import FORMATS
from extracts.redacted import redact_delivered
from jobs.privacy.erasure_landing import delivery_folders
from jobs.runs.rewriting import FOLDER, Rewriting
from tables.errors import UserError
from tables.identifiers import Identifiers
from tables.runs import RUNS

DATABASE = b"SQLite format 3\x00"
IN_PLACE = "[erased]"
LINES = ".jsonl"  # who looked clients up
SHOWN = 5
PRIVATE = "keys"


def stage_rest(rewriting: Rewriting, client: Identifiers) -> int:
    """Stage every other file that names a client, without; how many those are.

    Raises:
        UserError: Some cannot be rewritten.
    """
    stuck: list[Path] = []
    count, runs = 0, rewriting.home.tables / RUNS.name
    for path in _others(rewriting):
        if path.suffix == LINES:
            count += _redact_lines(rewriting, path, client)
            continue
        staged = rewriting.new()
        if path.name.endswith(FORMATS):
            is_new = redact_delivered(path, staged, None, Notation(), client) is not None
            if is_new and runs in path.parents:
                stuck.append(path.relative_to(rewriting.home.path))
        elif _starts(path) == DATABASE:
            is_new = _redact_database(path, staged, client)
        else:
            is_new = False
            if _mentions(path, client):
                stuck.append(path.relative_to(rewriting.home.path))
        if is_new:
            rewriting.put(path, staged)
            count += 1
    _refuse(stuck)
    return count


def _refuse(stuck: list[Path]) -> None:
    if stuck:
        named = ", ".join(map(str, stuck[:SHOWN])) + (", …" if len(stuck) > SHOWN else "")
        raise UserError(
            f"{len(stuck)} files name the client that xsell cannot write anew: {named}. Move them"
            " out of the home folder or delete them, then run the command again; nothing was"
            " changed"
        )


def _others(rewriting: Rewriting) -> Iterator[Path]:
    """Every file that is not a table's, a delivery's or a key, and is not staged already."""
    home = rewriting.home
    done = {home.log / PRIVATE, home.log / FOLDER}
    done |= {path / "data" for path in home.tables.iterdir() if path.name != RUNS.name}
    data = {*done, *delivery_folders(home.landing)}
    changed = {home.path / name for name in rewriting.changes}
    for path in sorted(home.path.rglob("*")):
        if not path.is_file() or path in changed:
            continue
        if (data if path.name.endswith(FORMATS) else done).isdisjoint(path.parents):
            yield path


def _starts(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(DATABASE))


def _mentions(path: Path, client: Identifiers) -> bool:
    return any(_is_in(content, client) for content in contents(path))


def contents(path: Path) -> Iterator[bytes]:
    """What is in a file: its bytes, or those it is packed of."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name) for name in packed.namelist())
    elif path.suffix == ".gz":
        yield gzip.decompress(path.read_bytes())
    else:
        yield path.read_bytes()


def _is_in(content: bytes, client: Identifiers) -> bool:
    for encoding in ("utf-8", "utf-16-le"):
        named = [one for one in client.distinctive if one.encode(encoding) in content]
        for one in named:
            text = content.decode(encoding, errors="replace")
            if re.search(rf"(?<![0-9A-Za-z]){re.escape(one)}(?![0-9A-Za-z])", text):
                return True
    return False


def _redact_lines(rewriting: Rewriting, path: Path, client: Identifiers) -> bool:
    """A text without a client's identifiers, where it has any: that somebody asked, stays."""
    before = path.read_bytes()
    text = _without(before.decode(errors="surrogateescape"), client)
    after = text.encode(errors="surrogateescape")
    if after == before:
        return False
    rewriting.put_grown(path, before, after)
    return True


def _redact_database(path: Path, staged: Path, client: Identifiers) -> bool:
    """Copy an SQLite database without a client's identifiers, where it has any."""
    content = path.read_bytes()
    # Within a database one text follows the other without anything in between.
    if not any(one.encode() in content for one in client.distinctive):
        return False
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(staged)) as copy,
    ):
        source.backup(copy)
        copy.create_function("without", 1, lambda text: _without(text, client), deterministic=True)
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (table,) in copy.execute(named).fetchall():
            for _, column, *_ in copy.execute(f'PRAGMA table_info("{table}")').fetchall():
                copy.execute(
                    f'UPDATE "{table}" SET "{column}" = without("{column}")'
                    f' WHERE typeof("{column}") = \'text\' AND without("{column}") <> "{column}"'
                )
        copy.commit()
        copy.execute("VACUUM")  # what was overwritten is in free pages otherwise
    return True


def _without(text: str, client: Identifiers) -> str:
    if not client.is_in_text(text):
        return text
    for one in client.distinctive:
        text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(one)}(?![0-9A-Za-z])", IN_PLACE, text)
    return text
