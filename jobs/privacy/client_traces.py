"""Every identifier by which a home knows a client: of the person's records and what they own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf.notation import Notation
from extracts.redacted import delivered_values
from jobs.home import Home
from jobs.lists.known_clients import records_of
from tables.derived import QUARANTINE, QUARANTINED_DISPOSITIONS, VAULT
from tables.identifiers import (
    ACCOUNT,
    CONTACT,
    CUSTOMER,
    HOLDING,
    HOUSEHOLD,
    PSEUDONYM,
    SECRET,
    TRANSACTION,
    Identifiers,
    bare,
)
from tables.sources import (
    ACCOUNTS,
    CONTACTS,
    CUSTOMER_MERGES,
    CUSTOMERS,
    HOLDINGS,
    TRANSACTIONS,
)

Values = Mapping[str, str | None]
# What a row that names a client owns, by table: a holding may name another's account.
OWNS: Mapping[str, Mapping[str, str]] = {
    CUSTOMERS.name: {"household_id": HOUSEHOLD},
    ACCOUNTS.name: {"account_id": ACCOUNT},
    TRANSACTIONS.name: {"transaction_id": TRANSACTION},
    HOLDINGS.name: {"holding_id": HOLDING},
    CONTACTS.name: {"contact_id": CONTACT},
    VAULT.name: {"client": PSEUDONYM, "secret": SECRET},
}
# These may be several clients'; they lead to one only if they are no other's.
SHARED = {ACCOUNT: ACCOUNTS.name, HOUSEHOLD: CUSTOMERS.name}
SET_ASIDE = (QUARANTINE.name, QUARANTINED_DISPOSITIONS.name)


@dataclass(frozen=True)
class Place:
    """A file of rows.

    Attributes:
        path: Where.
        table_name: What it holds.
        notation: How it is written, if it was delivered.
    """

    path: Path
    table_name: str
    notation: Notation | None = None


@dataclass(frozen=True)
class Traces:
    """What leads to a client.

    Attributes:
        identifiers: By kind.
        is_known: Some row names the client.
    """

    identifiers: Identifiers
    is_known: bool


@dataclass
class _Found:
    rows: int = 0
    of_kind: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, table_name: str, row: Values) -> None:
        self.rows += 1
        for column, kind in OWNS.get(table_name, {}).items():
            if value := row.get(column):
                self.of_kind[kind].add(value)


def stored_places(home: Home) -> Iterator[Place]:
    """Every data file of every table, whatever versions list it."""
    for folder in sorted(path for path in home.tables.iterdir() if path.is_dir()):
        for path in sorted((folder / "data").rglob("*.parquet")):
            yield Place(path, folder.name)


def traces_of(home: Home, customer: str, places: Collection[Place]) -> Traces:
    """Find what leads to a client.

    Args:
        home: Where; something has been ingested.
        customer: Any record of the person.
        places: All files of rows, stored and delivered.
    """
    records = _records(home, customer, places)
    found = _Found()
    for place in places:
        for row in _rows(place, "customer_id", records):
            found.add(place.table_name, row)
        for table_name, row in _set_aside(place, records):
            found.add(table_name, row)
    for kind, table_name in SHARED.items():
        found.of_kind[kind] -= _others(kind, table_name, found, records, places)
    return Traces(Identifiers({CUSTOMER: records, **found.of_kind}), bool(found.rows))


def _records(home: Home, customer: str, places: Iterable[Place]) -> set[str]:
    """All records of a person: as the store knows them, and as merges say that were not taken.

    A merge that the store knows may have been taken back since, so that only the store tells of it.
    """
    records = set(records_of(home, [customer])[customer])
    stored: set[str] = set()
    delivered: list[Values] = []
    for place in places:
        if place.table_name != CUSTOMER_MERGES.name:
            continue
        rows = _values(place, ["customer_id", "survivor_id"])
        if place.notation is None:
            stored.update(str(row["customer_id"]) for row in rows)
        else:
            delivered += rows
    pairs = [
        {str(row["customer_id"]), str(row["survivor_id"])}
        for row in delivered
        if row.get("survivor_id") and row["customer_id"] not in stored
    ]
    while more := {one for pair in pairs if pair & records for one in pair} - records:
        records |= more
    return records


def _values(place: Place, names: Sequence[str]) -> list[Values]:
    """Some columns of a file, whatever its format."""
    if place.path.suffix == ".parquet":
        rows: list[Values] = pq.read_table(
            place.path, columns=list(names), partitioning=None
        ).to_pylist()
        return rows
    assert place.notation is not None, "only what is delivered is text"
    return list(delivered_values(place.path, place.notation, names))


def _others(
    kind: str,
    table_name: str,
    found: _Found,
    records: Collection[str],
    places: Iterable[Place],
) -> set[str]:
    """Identifiers of a kind that other clients have as well."""
    [column] = OWNS[table_name]
    if not found.of_kind[kind]:
        return set()
    return {
        str(row[column])
        for place in places
        if place.table_name == table_name
        for row in _rows(place, column, found.of_kind[kind])
        if row.get("customer_id") and row["customer_id"] not in records
    }


def _rows(place: Place, column: str, wanted: Collection[str]) -> Iterator[Values]:
    """Rows in which a column has a wanted value: whom they name and what they own."""
    names = list(dict.fromkeys(["customer_id", column, *OWNS.get(place.table_name, {})]))
    if place.path.suffix != ".parquet":
        assert place.notation is not None, "only what is delivered is text"
        rows = delivered_values(place.path, place.notation, names)
        yield from (row for row in rows if row.get(column) in wanted)
        return
    present = pq.read_schema(place.path).names
    if column not in present:
        return
    table = pq.read_table(
        place.path,
        columns=[name for name in names if name in present],
        filters=pc.field(column).isin(pa.array(sorted(wanted), pa.string())),
        partitioning=None,
    )
    yield from table.to_pylist()


def _set_aside(place: Place, records: Collection[str]) -> Iterator[tuple[str, Values]]:
    """Rows in quarantine that name a client, and of which table they were to be."""
    if place.table_name not in SET_ASIDE or place.notation is not None:
        return
    present = pq.read_schema(place.path).names
    names = [name for name in ("table_name", "raw_row") if name in present]
    for row in pq.read_table(place.path, columns=names, partitioning=None).to_pylist():
        raw = _raw_row(row["raw_row"])
        if raw.get("customer_id") in records:
            yield row.get("table_name", ""), raw


def _raw_row(text: str) -> Values:
    try:
        said: Any = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: None if value is None else bare(str(value)) for name, value in said.items()}


def rows_about(place: Place, client: Identifiers) -> list[dict[str, Any]]:
    """Whole rows of a stored file that are about a client; not those that merely mention them.

    That another client has paid to an account of this one is the other's business.
    """
    present = pq.read_schema(place.path).names
    wanted = {
        "customer_id": client.values(CUSTOMER),
        "survivor_id": client.values(CUSTOMER),
        "client": client.values(PSEUDONYM),
    }
    conditions = [
        pc.field(name).isin(pa.array(sorted(values), pa.string()))
        for name, values in wanted.items()
        if name in present
    ]
    if conditions:
        whose = reduce(or_, conditions)
        rows: list[dict[str, Any]] = pq.read_table(
            place.path, filters=whose, partitioning=None
        ).to_pylist()
        return rows
    if "raw_row" in present:
        everything = pq.read_table(place.path, partitioning=None).to_pylist()
        return [row for row in everything if client.is_in_json(row["raw_row"])]
    return []


def count_delivered(place: Place, client: Identifiers) -> int:
    """How many rows of a delivered file are about a client."""
    column = "account_id" if place.table_name == TRANSACTIONS.name else "customer_id"
    wanted = client.values(ACCOUNT if column == "account_id" else CUSTOMER)
    return sum(1 for _ in _rows(place, column, wanted))
