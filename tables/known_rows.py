"""What was known of some customers before a day, without an engine: for a check before an export.

The same rows as ``Store.known_before`` gives, of few customers and as Python values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tables.arrow import arrow_schema
from tables.base import Table
from tables.merges import survivors
from tables.sources import CONSENTS, CUSTOMER_MERGES, CUSTOMERS, FLAGS, stored
from tables.store import Store, visible_columns

Row = dict[str, Any]
NEVER = date.max


@dataclass(frozen=True)
class Persons:
    """Which records were one person by a day.

    Attributes:
        survivor: Who stands for each record that was given up.
        merged_at: By survivor: the last instant at which a record was merged into it.
    """

    survivor: Mapping[str, str]
    merged_at: Mapping[str, datetime]

    def person(self, record: str) -> str:
        """Who stands for a record."""
        return self.survivor.get(record, record)

    def records(self, customers: Iterable[str]) -> set[str]:
        """All records of the persons that some records belong to."""
        wanted = {self.person(customer) for customer in customers}
        return wanted | {record for record, end in self.survivor.items() if end in wanted}


def persons_before(store: Store, day: date) -> Persons:
    """Merges as known before a day.

    Raises:
        ContractViolation: Records were merged in a circle.
    """
    rows = _latest(store, CUSTOMER_MERGES, day, None)
    schema = arrow_schema(CUSTOMER_MERGES)
    found = survivors(pa.Table.from_pylist([_visible(row, schema.names) for row in rows], schema))
    survivor: dict[str, str] = {}
    merged_at: dict[str, datetime] = {}
    for row in found.to_pylist():
        end = row["survivor_id"]
        survivor[row["record_id"]] = end
        merged_at[end] = max(merged_at.get(end, _midnight(date.min)), _midnight(row["merged_on"]))
    return Persons(survivor, merged_at)


def known_rows(
    store: Store, table: Table, customers: Collection[str], day: date, persons: Persons
) -> dict[str, list[Row]]:
    """Rows of a source table as known before a day, by the person they are about.

    Args:
        store: At the versions that count.
        table: One with a ``customer_id``.
        customers: Records; rows of their whole persons are found.
        day: What was recorded before it counts.
        persons: Who was one person by then.
    """
    latest = _latest(store, table, day, persons.records(customers))
    of_person: dict[str, list[Row]] = defaultdict(list)
    for row in latest:
        of_person[persons.person(row["customer_id"])].append(row)
    combine = COMBINED.get(table.name, _renamed)
    names = visible_columns(table)
    return {
        person: [_visible(row, names) for row in combine(person, rows, persons)]
        for person, rows in of_person.items()
    }


def latest_columns(store: Store, table: Table, day: date, columns: Sequence[str]) -> pa.Table:
    """Some columns of what was known of all keys before a day, sorted by key.

    Of records, not of persons: the row of a record that was given up for another is still there.

    Args:
        store: At the versions that count.
        table: One whose key is one column.
        day: What was recorded before it counts.
        columns: Beside the key.
    """
    [key] = table.key
    names = list(dict.fromkeys([key, *columns]))
    rows = _read(store, table, _is_known(day), [*names, "recorded_at", "is_deleted"])
    rows = rows.sort_by([(key, "ascending"), ("recorded_at", "descending")])
    if not rows.num_rows:
        return rows.select(names)
    keys = rows[key].combine_chunks()
    is_newest = pa.concat_arrays([pa.array([True]), pc.not_equal(keys[1:], keys[:-1])])
    return rows.filter(pc.and_not(is_newest, rows["is_deleted"])).select(names)


def _is_known(day: date) -> pc.Expression:
    return pc.field("recorded_at") < pa.scalar(_midnight(day), pa.timestamp("us", tz="UTC"))


def _latest(
    store: Store, table: Table, day: date, customers: Collection[str] | None
) -> Iterator[Row]:
    """The latest version of each key; of customers, if they are named, at any time."""
    is_known = _is_known(day)
    if customers is None:
        rows = _read(store, table, is_known)
    else:
        rows = _versions_of(store, table, customers).filter(is_known)
    newest: dict[tuple[Any, ...], Row] = {}
    in_order = [("recorded_at", "ascending"), *((name, "ascending") for name in table.key)]
    for row in rows.sort_by(in_order).to_pylist():
        newest[tuple(row[name] for name in table.key)] = row
    wanted = None if customers is None else set(customers)
    for row in newest.values():
        if not row["is_deleted"] and (wanted is None or row["customer_id"] in wanted):
            yield row


def _versions_of(store: Store, table: Table, customers: Collection[str]) -> pa.Table:
    """Every version of the rows that were theirs at any time."""
    rows = store.records_with(stored(table), {"customer_id": customers})
    if "customer_id" in table.key:
        return rows
    # A later version may say that the row is somebody else's.
    [key] = table.key
    return store.records_with(stored(table), {key: rows[key].unique().to_pylist()})


def _read(
    store: Store, table: Table, wanted: pc.Expression, columns: list[str] | None = None
) -> pa.Table:
    schema = arrow_schema(stored(table))
    paths = [str(store.folder / table.name / file.path) for file in store.files(table)]
    if not paths:
        return schema.empty_table().select(columns or schema.names)
    rows = ds.dataset(paths, schema=schema, format="parquet")
    return rows.to_table(columns=columns, filter=wanted)


def _renamed(person: str, rows: list[Row], persons: Persons) -> Iterator[Row]:
    for row in rows:
        yield row | {"customer_id": person}


def _one_customer(person: str, rows: list[Row], persons: Persons) -> Iterator[Row]:
    """The survivor's own row; dead, or an employee, if any record says so."""
    own = [row for row in rows if row["customer_id"] == person]
    given_up = [row for row in rows if row["customer_id"] != person]
    deaths = [row["deceased_on"] for row in given_up if row["deceased_on"]]
    for row in own:
        died_on = row["deceased_on"] or min(deaths, default=None)
        works_here = any(one["is_employee"] for one in rows)
        yield row | {"deceased_on": died_on, "is_employee": works_here}


def _longest_flag(person: str, rows: list[Row], persons: Persons) -> Iterator[Row]:
    """Of flags that begin on one day the one that lasts longest."""
    for (flag, valid_from), alike in _grouped(rows, "flag", "valid_from").items():
        ends = max(row["valid_to"] or NEVER for row in alike)
        yield {
            "customer_id": person,
            "flag": flag,
            "valid_from": valid_from,
            "valid_to": None if ends == NEVER else ends,
            "recorded_at": max(row["recorded_at"] for row in alike),
        }


def _strictest_consent(person: str, rows: list[Row], persons: Persons) -> Iterator[Row]:
    """Without what was granted before the merge, where a record's last word then was a refusal."""
    merged_at = persons.merged_at.get(person, _midnight(date.min))
    for (purpose, channel), said in _grouped(rows, "purpose", "channel").items():
        older = [row for row in said if row["changed_at"] < merged_at]
        last_words = _grouped(sorted(older, key=lambda row: row["changed_at"]), "customer_id")
        is_refused = any(not words[-1]["is_granted"] for words in last_words.values())
        kept = [
            row
            for row in said
            if not (is_refused and row["is_granted"] and row["changed_at"] < merged_at)
        ]
        for (changed_at,), alike in _grouped(kept, "changed_at").items():
            yield {
                "customer_id": person,
                "purpose": purpose,
                "channel": channel,
                "changed_at": changed_at,
                "is_granted": all(row["is_granted"] for row in alike),
                "recorded_at": max(row["recorded_at"] for row in alike),
            }


COMBINED: Mapping[str, Callable[[str, list[Row], Persons], Iterator[Row]]] = {
    CUSTOMERS.name: _one_customer,
    FLAGS.name: _longest_flag,
    CONSENTS.name: _strictest_consent,
}


def _grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def _visible(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
