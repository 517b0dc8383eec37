"""A drawn bank with a history: rows that came late, were corrected or deleted, or changed hands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from pyspark.sql import SparkSession

from jobs.runs.staging import Staging
from tables.base import Table
from tables.sources import (
    ACCOUNTS,
    CONSENTS,
    CONTACTS,
    CUSTOMER_MERGES,
    CUSTOMERS,
    FLAGS,
    HOLDINGS,
    SOURCES,
    TRANSACTIONS,
    stored,
)
from tables.store import Store
from tests.bank import AS_OF, Rows, midnight
from tests.drawn_bank import drawn

UNSETTLED_DAYS = 300  # before the end


def stored_bank(spark: SparkSession, folder: Path, seed: int, customers: int = 40) -> Store:
    """Its tables as the store keeps them, not committed."""
    return stored_rows(spark, folder, _Versions(Random(seed), customers).tables(seed))


def stored_rows(spark: SparkSession, folder: Path, bank: dict[str, Rows]) -> Store:
    """The tables of a bank as the store keeps them, not committed."""
    staging = Staging(folder, "0" * 12, AS_OF, 2)
    for name, rows in bank.items():
        table = stored(next(one for one in SOURCES if one.name == name))
        staging.stage(table, _frame(spark, table, rows))
    return Store(folder, spark, {}, staging.files)


def _frame(spark: SparkSession, table: Table, rows: Rows) -> Any:
    ddl = table.ddl + (", bucket int" if table.bucket_order else "")
    names = [*table.column_names, *(["bucket"] if table.bucket_order else [])]
    defaults = {"delivery": AS_OF, "is_deleted": False, "is_revision": False, "bucket": 0}
    return spark.createDataFrame(
        [tuple((defaults | row)[name] for name in names) for row in rows], ddl
    )


class _Versions:
    """What happens to the rows of a bank after they were first known."""

    def __init__(self, random: Random, customers: int) -> None:
        self.random = random
        self.customers = customers
        self.ids = [f"C{number}" for number in range(customers)]

    def tables(self, seed: int) -> dict[str, Rows]:
        bank = drawn(seed, self.customers)
        accounts = self._accounts(bank["accounts"])
        owners = {name: [row for row in accounts if row["account_id"] == name]
                  for name in {row["account_id"] for row in accounts}}  # fmt: skip
        bookings = [
            row | {"customer_id": self._owner(owners, row)}
            for row in self._revised(self._late(bank["transactions"]), self._booking)
        ]
        return bank | {
            ACCOUNTS.name: accounts,
            TRANSACTIONS.name: bookings,
            CUSTOMERS.name: self._deleted(bank["customers"], CUSTOMERS, 0.04),
            HOLDINGS.name: self._deleted(bank["holdings"], HOLDINGS, 0.15),
            FLAGS.name: self._deleted(bank["flags"], FLAGS, 0.15),
            CONSENTS.name: self._revised(bank["consents"], self._consent),
            CONTACTS.name: self._revised(bank["contacts"], self._contact),
            CUSTOMER_MERGES.name: self._merges(),
        }

    def _accounts(self, accounts: Rows) -> Rows:
        """A third change hands, some of them twice or back; some are deleted."""
        rows = list(accounts)
        for account in accounts:
            known_at = account["recorded_at"]
            while self.random.random() < 0.35:
                known_at = max(known_at, self._lately()) + timedelta(1)
                rows.append(account | {"customer_id": self._someone(), "recorded_at": known_at})
        return self._deleted(rows, ACCOUNTS, 0.05)

    def _owner(self, owners: dict[str, Rows], booking: dict[str, Any]) -> str:
        """Who owned the account when the booking came."""
        before = [
            row for row in owners[booking["account_id"]]
            if row["recorded_at"] <= booking["recorded_at"]
        ]  # fmt: skip
        return max(before, key=lambda row: row["recorded_at"])["customer_id"]

    def _late(self, rows: Rows) -> Rows:
        return [
            row | {"recorded_at": row["recorded_at"] + timedelta(self.random.randrange(30, 120))}
            if self.random.random() < 0.1 else row
            for row in rows
        ]  # fmt: skip

    def _revised(self, rows: Rows, change: Any) -> Rows:
        """Some rows are corrected, even twice, some are deleted, and some of those come back."""
        found = list(rows)
        for row in rows:
            version = row
            while self.random.random() < 0.2:
                known_at = version["recorded_at"] + timedelta(self.random.randrange(1, 150))
                version = version | change() | {
                    "recorded_at": known_at,
                    "is_revision": True,
                    "is_deleted": self.random.random() < 0.3,
                }  # fmt: skip
                found.append(version)
        return found

    def _booking(self) -> dict[str, Any]:
        if self.random.random() < 0.5:
            return {"account_id": f"A{self.random.randrange(2 * self.customers)}"}
        return {"category": "groceries"}

    def _consent(self) -> dict[str, Any]:
        return {"is_granted": self.random.random() < 0.5}

    def _contact(self) -> dict[str, Any]:
        return {"customer_id": self._someone(), "disposition": "sold"}

    def _deleted(self, rows: Rows, table: Table, share: float) -> Rows:
        """Some keys are gone from some day on."""
        latest: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: row["recorded_at"]):
            latest[tuple(row[name] for name in table.key)] = row
        gone = [
            row | {"is_deleted": True,
                   "recorded_at": max(row["recorded_at"], self._lately()) + timedelta(2)}
            for row in latest.values() if self.random.random() < share
        ]  # fmt: skip
        return rows + gone

    def _merges(self) -> Rows:
        """Each record into the one before it, some of them in chains; one merge is taken back."""
        merges = [
            self._merge(self.ids[place], self.ids[place - 1])
            for place in range(1, len(self.ids)) if self.random.random() < 0.25
        ]  # fmt: skip
        first = merges[0]
        taken_back = first | {
            "survivor_id": first["customer_id"],
            "recorded_at": first["recorded_at"] + timedelta(20),
            "is_revision": True,
        }
        return [*merges, taken_back]

    def _merge(self, record: str, survivor: str) -> dict[str, Any]:
        known_at = self._lately()
        return {
            "customer_id": record,
            "survivor_id": survivor,
            "merged_on": known_at.date() - timedelta(3),
            "recorded_at": known_at,
        }

    def _lately(self) -> Any:
        return midnight(AS_OF - timedelta(self.random.randrange(5, UNSETTLED_DAYS)))

    def _someone(self) -> str:
        return self.random.choice(self.ids)
