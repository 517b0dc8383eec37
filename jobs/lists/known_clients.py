"""What the bank's systems know by now of clients on lists: read without an engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from campaigns.recheck import OPT_OUT, Known, midnight
from jobs.home import Home
from tables.derived import DISPOSITIONS
from tables.known_rows import Row, known_rows, persons_before
from tables.runs import RunRecord, Runs
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS
from tables.store import Store

AT_ONCE = 20_000  # clients whose rows are held in memory


def known_clients(home: Home, customers: Collection[str], day: date) -> dict[str, Known]:
    """What was recorded before a day, whichever run was made since.

    Args:
        home: Where.
        customers: As lists name them; one that was merged since is the person it belongs to.
        day: What was recorded before it counts.
    """
    store = Store(home.tables, None, newest_ingest(home).pins)
    returned = [
        row
        for row in returned_results(home)
        if row["disposition"] == OPT_OUT and row["recorded_at"] < midnight(day)
    ]
    ordered = sorted(set(customers))
    known: dict[str, Known] = {}
    for start in range(0, len(ordered), AT_ONCE):
        known |= _known(store, ordered[start : start + AT_ONCE], returned, day)
    return known


def returned_results(home: Home) -> list[Row]:
    """Every result that branches have returned, shaped ``DISPOSITIONS``."""
    version = Runs(home.tables).head(DISPOSITIONS.name)
    if version is None:
        return []
    store = Store(home.tables, None, {DISPOSITIONS.name: version})
    rows: list[Row] = store.arrow_records(DISPOSITIONS).to_pylist()
    return rows


def records_of(home: Home, clients: Collection[str]) -> dict[str, set[str]]:
    """By client, all records that are known to be one person with it, by all that is known."""
    store = Store(home.tables, None, newest_ingest(home).pins)
    persons = persons_before(store, all_known_before(home))
    return {client: persons.records([client]) for client in clients}


def newest_ingest(home: Home) -> RunRecord:
    """The ingest that holds all that was ever delivered; a campaign has had one."""
    record = Runs(home.tables).newest("ingest", lambda _: True)
    assert record is not None, "no campaign without an ingest"
    return record


def all_known_before(home: Home) -> date:
    """The first day before which everything was recorded that the store knows of clients."""
    days = [date.fromisoformat(name) for name in newest_ingest(home).inputs]
    days += [row["recorded_at"].date() + timedelta(1) for row in returned_results(home)]
    return max(days)


def _known(
    store: Store, customers: Collection[str], returned: Iterable[Row], day: date
) -> dict[str, Known]:
    persons = persons_before(store, day)
    people, consents, flags, contacts = (
        known_rows(store, table, customers, day, persons)
        for table in (CUSTOMERS, CONSENTS, FLAGS, CONTACTS)
    )
    objected = defaultdict(list)
    for row in returned:
        said_on = row["disposition_at"].date()
        objected[persons.person(row["customer_id"])].append(
            {"contacted_on": said_on, "disposition_on": said_on, "recorded_at": row["recorded_at"]}
        )
    known = {}
    for customer in customers:
        person = persons.person(customer)
        opt_outs = [row for row in contacts.get(person, ()) if row["disposition"] == OPT_OUT]
        opt_outs += objected[person]
        [own] = people.get(person, [None])
        known[customer] = Known(own, consents.get(person, ()), flags.get(person, ()), opt_outs)
    return known
