"""What a committed campaign knew of one client, read without an engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.rule_facts import ClientFacts, features_asked
from conf.recorded import recorded_config
from conf.schema import RunConfig
from features.catalogue import customer_features_table
from jobs.home import Home
from tables.base import Table
from tables.derived import DECISIONS, DISPOSITIONS
from tables.known_rows import Persons, Row, known_rows, persons_before
from tables.runs import RunRecord
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS, HOLDINGS
from tables.store import Store


@dataclass(frozen=True)
class Campaign:
    """A committed campaign, to be read at the versions it pinned."""

    home: Home
    record: RunRecord
    config: RunConfig
    store: Store

    @staticmethod
    def of(home: Home, record: RunRecord) -> Campaign:
        """That of a run."""
        store = Store(home.tables, None, record.pins)
        return Campaign(home, record, recorded_config(record.config), store)

    @property
    def features(self) -> Table:
        """The table of features, as it was for its products."""
        return customer_features_table(tuple(self.config.products))

    def decisions(self, customers: Collection[str]) -> list[Row]:
        """All that was decided about some clients, in the order of offers."""
        rows: list[Row] = self.store.arrow_of(
            DECISIONS, self.record.as_of, customers, DECISIONS.column_names
        ).to_pylist()
        return sorted(rows, key=lambda row: (row["customer_id"], row["offer_id"]))

    def client(self, customer_id: str, *, all_features: bool = True) -> ClientFacts:
        """What was known of a client who was decided about.

        Args:
            customer_id: Whose.
            all_features: Also those that models read, not only those that rules ask for.
        """
        as_of, persons = self.record.as_of, persons_before(self.store, self.record.as_of)

        def known(table: Table) -> tuple[Row, ...]:
            found = known_rows(self.store, table, [customer_id], as_of, persons)
            return tuple(found.get(persons.person(customer_id), ()))

        [own] = known(CUSTOMERS)
        household = self._household(own)
        return ClientFacts(
            customer=own,
            holdings=known(HOLDINGS),
            consents=known(CONSENTS),
            flags=known(FLAGS),
            contacts=known(CONTACTS),
            household=household,
            household_days=self._household_days(household - {customer_id}, persons),
            returned=self._returned(customer_id, persons),
            features=self._features(customer_id, all_features=all_features),
        )

    def _household(self, own: Mapping[str, Any]) -> frozenset[str]:
        """Whom the campaign took to live there."""
        alone = frozenset((own["customer_id"],))
        if own["household_id"] is None:
            return alone
        lives_there = {"household_id": [own["household_id"]]}
        rows = self.store.snapshot_with(DECISIONS, self.record.as_of, lives_there, ["customer_id"])
        return alone | frozenset(rows["customer_id"].to_pylist())

    def _household_days(self, others: Collection[str], persons: Persons) -> tuple[Row, ...]:
        """When others of the household were contacted."""
        if not others:
            return ()
        found = known_rows(self.store, CONTACTS, others, self.record.as_of, persons)
        return tuple(
            {name: row[name] for name in ("contacted_on", "recorded_at")}
            for rows in found.values()
            for row in rows
        )

    def _returned(self, customer_id: str, persons: Persons) -> tuple[Row, ...]:
        own = {"customer_id": persons.records([customer_id])}
        return tuple(self.store.records_with(DISPOSITIONS, own).to_pylist())

    def _features(self, customer_id: str, *, all_features: bool) -> Row:
        table, asked = self.features, features_asked(self.config)
        names = [name for name in table.column_names if all_features or name in asked]
        rows = self.store.arrow_of(table, self.record.as_of, [customer_id], names)
        found: list[Row] = rows.to_pylist()
        return found[0] if found else {}
