"""What a bank knew before a day, from the files it had delivered by then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from audit.independent.errors import CannotCheck
from audit.independent.settings import literal
from audit.independent.versions import (
    CONTRACTS,
    INCREMENT,
    KEY_TYPES,
    KNOWN,
    MANIFEST,
    MOST_PLACES,
    PERSONS,
    PLAUSIBLE,
    SPELT,
    TABLES,
    WHOLE,
)


def read_landing(
    database: duckdb.DuckDBPyConnection, landing: Path, deliveries: Sequence[date]
) -> None:
    """Every version of every row of some deliveries, as `<table>_versions`.

    Raises:
        CannotCheck: A delivery is not there, or a file of it cannot be read.
    """
    files = _files(landing, deliveries)
    for name, (kind, key, required, optional) in TABLES.items():
        types = {one: KEY_TYPES.get(one, "varchar") for one in key}
        types |= dict(part.split(" ", 1) for part in _split(required))
        needed = [*types]
        types |= dict(part.split(" ", 1) for part in _split(optional))
        try:
            # A table that comes whole is told again by every delivery: too much to be kept.
            kept = "table" if kind == "increment" else "view"
            _read_rows(database, f"{kept} {name}_rows", types, files.get(name, []))
        except duckdb.Error as error:
            # its message may quote what stands in the file
            raise CannotCheck(
                f"{landing}: a file of {name} cannot be read ({type(error).__name__})"
            ) from None
        template = WHOLE if kind == "whole" else INCREMENT
        days = sorted({day for day, _ in files.get(name, [])})
        said = [one for one in types if one not in key] or list(key)
        database.execute(
            template.format(
                name=name,
                days="[" + ", ".join(map(literal, days)) + "]::date[]",
                key=", ".join(key),
                columns=", ".join(types),
                said=", ".join(said),
                any_columns=", ".join(f"any_value({one}) as {one}" for one in said),
                most_places=MOST_PLACES,
                is_keyed=" and ".join(f"{one} is not null" for one in key),
                is_sound=_is_sound(name, types, needed),
            )
        )
        if kind == "increment":
            database.execute(f"drop table {name}_rows")


def _is_sound(name: str, types: dict[str, str], needed: list[str]) -> str:
    """What a row must keep to be taken, as SQL; null counts as no."""
    rules = [f"{one} is not null" for one in (*needed, "recorded_at")]
    rules += [PLAUSIBLE.format(name=one) for one, kind in types.items() if kind == "date"]
    rules += ["is_readable", "recorded_at < delivery::timestamptz"]
    if name in CONTRACTS:
        rules.append(f"({CONTRACTS[name]})")
    return f"coalesce({' and '.join(rules)}, false)"


def delivered_until(landing: Path, day: date) -> list[date]:
    """The deliveries of a landing folder up to a day."""
    days = (
        date.fromisoformat(manifest.parent.name)
        for manifest in sorted(landing.glob("*/manifest.json"))
        if not manifest.parent.name.startswith(".")
    )
    return [one for one in days if one <= day]


def _split(columns: str) -> list[str]:
    """`a x, b decimal(18, 2)` at the commas between columns."""
    parts = columns.replace("(18, ", "(18_").split(", ")
    return [part.replace("(18_", "(18, ") for part in parts if part]


def know_before(database: duckdb.DuckDBPyConnection, table: str, day: date, name: str) -> None:
    """A table as known before a day, records as they were delivered."""
    key = ", ".join(TABLES[table][1])
    database.execute(
        KNOWN.format(name=name, versions=f"{table}_versions", key=key, day=literal(day))
    )


def know_persons(database: duckdb.DuckDBPyConnection, day: date, name: str) -> None:
    """Who was known before a day to stand for whom."""
    know_before(database, "customer_merges", day, f"{name}_merges")
    database.execute(PERSONS.format(name=name, merges=f"{name}_merges"))


def _files(landing: Path, deliveries: Sequence[date]) -> dict[str, list[tuple[date, Path]]]:
    """Delivered files by table, as the manifests of deliveries name them."""
    found: dict[str, list[tuple[date, Path]]] = {}
    for day in deliveries:
        folder = landing / day.isoformat()
        for name in sorted(delivered_digests(folder)):
            table = name.partition("/")[0].partition(".")[0]
            found.setdefault(table, []).append((day, folder / name))
    return found


def delivered_digests(delivery: Path) -> dict[str, str]:
    """SHA-256 of the files of a delivery, as its manifest has them.

    Raises:
        CannotCheck: There is no such delivery.
    """
    manifest = delivery / MANIFEST
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {name: entry["sha256"] for name, entry in files.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise CannotCheck(
            f"{manifest} cannot be read: the deliveries that the run has read are needed once more."
            " Bring them back from where they are kept"
        ) from None


def _read_rows(
    database: duckdb.DuckDBPyConnection,
    made: str,
    types: dict[str, str],
    files: list[tuple[date, Path]],
) -> None:
    """All rows as they stood, typed; what cannot be read is null."""
    columns = types | {"recorded_at": "timestamptz", "is_deleted": "boolean"}
    parts = [
        "select "
        + ", ".join(f"null::{kind} as {one}" for one, kind in columns.items())
        + ", null::date as delivery where false"
    ]
    for day, path in files:
        file = literal(path)
        source = (
            f"read_parquet({file})"
            if path.suffix == ".parquet"
            else f"read_csv({file}, all_varchar = true, header = true, delim = ',', quote = '\"',"
            " escape = '\"', new_line = '\\n')"
        )
        parts.append(f"select *, date '{day}' as delivery from {source}")
    whole = " union all by name ".join(parts)
    described = database.execute(f"describe ({whole})").fetchall()
    given = {str(row[0]): str(row[1]).lower() for row in described}
    cast = [one for one, kind in columns.items() if given[one] != SPELT.get(kind, kind)]
    typed = [_typed(one, kind, is_cast=one in cast) for one, kind in columns.items()]
    readable = [
        f"({_text(one)} is null or try_cast({_text(one)} as {columns[one]}) is not null)"
        for one in cast
    ]
    database.execute(
        f"create {made} as select {', '.join(typed)}, delivery,"
        f" {' and '.join(readable) or 'true'} as is_readable from ({whole})"
    )


def _typed(name: str, wanted: str, *, is_cast: bool) -> str:
    """A column in the type that is wanted of it; null where it cannot be read."""
    if is_cast:
        return f"try_cast({_text(name)} as {wanted}) as {name}"
    return f"{_text(name)} as {name}" if wanted == "varchar" else name


def _text(name: str) -> str:
    """A column as text; an empty text says nothing."""
    return f"nullif({name}::varchar, '')"
