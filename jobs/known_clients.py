"""What the bank's systems know by now of clients on lists: read without an engine."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from campaigns.recheck import OPT_OUT, Known
from jobs.home import Home
from tables.known_rows import known_rows, persons_before
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
    ordered = sorted(set(customers))
    known: dict[str, Known] = {}
    for start in range(0, len(ordered), AT_ONCE):
        known |= _known(store, ordered[start : start + AT_ONCE], day)
    return known


def newest_ingest(home: Home) -> RunRecord:
    """The ingest that holds all that was ever delivered; a campaign has had one."""
    record = Runs(home.tables).newest("ingest", lambda _: True)
    assert record is not None, "no campaign without an ingest"
    return record


def all_known_before(home: Home) -> date:
    """The first day before which everything was recorded that the store knows of clients."""
    return max(date.fromisoformat(name) for name in newest_ingest(home).inputs)


def _known(store: Store, customers: Collection[str], day: date) -> dict[str, Known]:
    persons = persons_before(store, day)
    people, consents, flags, contacts = (
        known_rows(store, table, customers, day, persons)
        for table in (CUSTOMERS, CONSENTS, FLAGS, CONTACTS)
    )
    known = {}
    for customer in customers:
        person = persons.person(customer)
        opt_outs = [row for row in contacts.get(person, ()) if row["disposition"] == OPT_OUT]
        [own] = people.get(person, [None])
        known[customer] = Known(own, consents.get(person, ()), flags.get(person, ()), opt_outs)
    return known
