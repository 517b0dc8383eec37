"""Small random banks as raw deliveries: rows that came late, were corrected, deleted, or merged.

Clients stand on both sides of every rule's boundary, as in `tests/campaign_bank.py`; what is known
of them arrives in three deliveries, and a fourth one tells what was not known on the as-of date.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from conf.schema import RunConfig
from tests.campaign_bank import AS_OF, Bank, Row, make_bank
from tests.deliveries import COLUMNS, write_manifest

DELIVERIES = (date(2024, 1, 1), date(2024, 2, 1), AS_OF, date(2024, 4, 1))
NOTED = datetime(
    2023, 6, 1, 9, tzinfo=UTC
)  # most rows were recorded long before the first delivery
FEW, SOME = 0.04, 0.12
Deliveries = dict[date, dict[str, list[Row]]]


def deliver_bank(landing: Path, seed: int, customers: int, config: RunConfig) -> None:
    """Write its deliveries."""
    bank = make_bank(seed, customers, config)
    for day, tables in _Drawn(Random(seed), bank).deliveries().items():
        folder = landing / day.isoformat()
        folder.mkdir(parents=True)
        for name, known in COLUMNS.items():
            _write(folder / f"{name}.csv", [*known, "is_deleted"], tables.get(name, ()))
        write_manifest(folder)


def _write(path: Path, names: list[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(row.get(name)) for name in names] for row in rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Drawn:
    """What the bank delivers of its rows, and when."""

    def __init__(self, chance: Random, bank: Bank) -> None:
        self.chance, self.bank = chance, bank
        self.names = [row["customer_id"] for row in bank.customers]
        self.found: Deliveries = {day: defaultdict(list) for day in DELIVERIES}

    def deliveries(self) -> Deliveries:
        """All tables by day of delivery."""
        for row in self.bank.customers:
            self._changing("customers", row, self._other_customer)
        for row in [*self.bank.holdings, *self._ended()]:
            self._changing("holdings", row, self._other_holding, gone=SOME)
        for row in self.bank.flags:
            self._changing("flags", row, self._other_flag, gone=SOME)
        for row in [*self.bank.consents, *self._consents_at_the_boundary()]:
            self._arriving("consents", row, row["changed_at"].date(), self._other_consent)
        for row in [*self.bank.contacts, *self._planned()]:
            last = max(row["contacted_on"], row["disposition_on"] or row["contacted_on"])
            self._arriving("contacts", row, last, self._other_contact)
        self._money()
        self._merges()
        self._broken()
        return self.found

    # whole tables: what each delivery says of a row

    def _changing(self, table: str, row: Row, other: Any, gone: float = 0.0) -> None:
        """Most rows always say the same; some said, or will say, something else, or are gone."""
        noted = NOTED if self._is(0.8) else self._at(self._day(date(2023, 7, 1), 170))
        row = row | {"recorded_at": noted}
        earlier = row | other(row) if self._is(SOME) else row
        later = row | other(row) if self._is(SOME) else row
        # a system that does not note when it changed a row, and one that does
        is_noted = self._is(0.5) and earlier is not row
        said = [earlier, earlier if self._is(0.5) else row, row, later]
        if is_noted and said[1] is row:
            said[1] = said[2] = row | {"recorded_at": self._at(self._day(DELIVERIES[0], 30))}
        # what refers to a client who was not delivered yet would stop the ingest
        first = 1 if table != "customers" and self._is(FEW) else 0
        last = 2 if self._is(gone) else len(DELIVERIES)
        for place, day in enumerate(DELIVERIES):
            if first <= place < last:
                self.found[day][table].append(_not_after(said[place], day))

    def _other_customer(self, row: Row) -> Row:
        return self.chance.choice((
            {"branch_id": f"B{self.chance.randrange(3)}"},
            {"household_id": f"H{self.chance.randrange(20)}"},
            {"is_employee": not row["is_employee"]},
            {"left_on": date(2024, 1, 20)},
            {"advisor_id": "A3"},
        ))  # fmt: skip

    def _other_holding(self, row: Row) -> Row:
        return self.chance.choice((
            {"closed_on": AS_OF - timedelta(days=3)},
            {"closed_on": None},
            {"customer_id": self._someone()},
            {"matures_on": AS_OF + timedelta(days=20)},
        ))  # fmt: skip

    def _other_flag(self, row: Row) -> Row:
        return {"valid_to": AS_OF + timedelta(days=self.chance.choice((-40, 40)))}

    def _ended(self) -> Iterator[Row]:
        """What ended a year ago: some of it goes on, so that a rate of renewal is known."""
        for number in range(12):
            yield {
                "holding_id": f"old-{number}",
                "customer_id": self._someone(),
                "product_id": "travel_insurance",
                "opened_on": date(2021, 5, 1),
                "closed_on": None if number % 2 else date(2023, 6, 1),
                "matures_on": date(2023, 6, 1),
            }

    # increments: what comes once it is recorded, and again when it is corrected

    def _arriving(self, table: str, row: Row, known_on: date, other: Any) -> None:
        delay = 45 if self._is(FEW) else self.chance.randrange(3)
        recorded_at = self._at(known_on + timedelta(days=delay))
        if known_on == AS_OF:  # planned
            recorded_at = self._at(AS_OF - timedelta(days=1 + delay % 3))
        self._add(table, row | {"recorded_at": recorded_at})
        if not self._is(SOME):
            return
        again = other(row) | ({"is_deleted": True} if self._is(0.3) else {})
        days = self.chance.choice((0, 1, 20, 50))
        corrected = row | again | {"recorded_at": recorded_at + timedelta(days=days)}
        if days:
            self._add(table, corrected)
        elif (place := self._place(recorded_at) + 1) < len(DELIVERIES):
            # a source that does not note when it corrected a row
            self.found[DELIVERIES[place]][table].append(corrected)

    def _other_consent(self, row: Row) -> Row:
        return {"is_granted": not row["is_granted"]}

    def _other_contact(self, row: Row) -> Row:
        return self.chance.choice(
            ({"customer_id": self._someone()}, {"disposition": "opt_out"}, {"disposition": None})
        )

    def _consents_at_the_boundary(self) -> Iterator[Row]:
        """Decided as the as-of date began: a grant does not count yet, a withdrawal does."""
        for name in self.names:
            if self._is(SOME):
                yield {
                    "customer_id": name,
                    "purpose": self.chance.choice(("marketing_internal", "profiling")),
                    "channel": self.chance.choice(("branch", "phone")),
                    "changed_at": datetime.combine(AS_OF, time(), UTC),
                    "is_granted": self._is(0.5),
                }

    def _planned(self) -> Iterator[Row]:
        """Contacts of the as-of date that were known before, some of them about a package."""
        for name in self.names:
            if self._is(FEW):
                yield {
                    "contact_id": f"plan-{name}",
                    "customer_id": name,
                    "product_id": "travel_insurance",
                    "offer_id": "travel_package_2026",
                    "channel": "phone",
                    "contacted_on": self.chance.choice((AS_OF, AS_OF - timedelta(days=60))),
                    "disposition": None,
                    "disposition_on": None,
                }

    # accounts and what is booked on them

    def _money(self) -> None:
        amounts = {row["customer_id"]: row for row in self.bank.customer_features}
        for day in DELIVERIES:
            self.found[day]["branches"] = [
                {"branch_id": f"B{n}", "name": f"B{n}", "region": "N", "recorded_at": NOTED}
                for n in range(3)
            ]
            self.found[day]["fx_rates"] = [
                {"currency": "USD", "month": date(2022, 1, 1), "rate_to_base": "0.5",
                 "recorded_at": NOTED}
            ]  # fmt: skip
        for name in self.names:
            account = f"A-{name}"
            currency = "USD" if self._is(FEW) else "EUR"
            opened = {"account_id": account, "customer_id": name, "currency": currency,
                      "product_id": "current_account", "opened_on": date(2020, 1, 1)}  # fmt: skip
            self._changing("accounts", opened, lambda _: {"customer_id": self._someone()})
            factor = 2 if currency == "USD" else 1
            for number, booking in enumerate(self._bookings(amounts[name], factor)):
                key = {"transaction_id": f"T-{name}-{number}", "account_id": account}
                self._arriving(
                    "transactions",
                    booking | key | {"currency": currency},
                    booking["booked_on"],
                    lambda _: {"amount": Decimal("1.00")},
                )

    def _bookings(self, amounts: Row, factor: int) -> Iterator[Row]:
        """Income of three months in parts, sometimes of the last one only, and a large credit."""
        income, balance = amounts["income_amount_3m"], amounts["balance_amount"]
        last_month, month_before = date(2024, 2, 5), date(2024, 1, 5)
        if income is not None:
            part = (income / 2).quantize(Decimal("0.01"))
            days = [last_month, last_month if self._is(0.4) else month_before]
            for day, amount in zip(days, (part, income - part), strict=True):
                yield {"booked_on": day, "amount": amount * factor, "category": "salary"}
        if self._is(0.3):
            credit = Decimal(self.chance.choice(("500.00", "20000.00")))
            yield {"booked_on": date(2024, 2, 20), "amount": credit, "category": "transfer"}
        if self._is(0.3):
            yield {
                "booked_on": date(2023, 8, 9),
                "amount": Decimal("3000.00"),
                "category": "pension",
            }
        if balance is not None:
            yield {"booked_on": date(2024, 2, 10), "amount": Decimal("-1.00"),
                   "balance_after": balance * factor}  # fmt: skip

    # records of one person, and rows that nobody can read

    def _merges(self) -> None:
        """Some records are given up for another one; some merges are undone or come too late."""
        given_up = [name for name in self.names[1:] if self._is(2 * FEW)]
        for name in given_up:
            survivor = self.names[self.names.index(name) - 1]
            merged_on = self._day(date(2023, 8, 1), 200)
            row = {"customer_id": name, "survivor_id": survivor, "merged_on": merged_on}
            recorded_at = self._at(merged_on + timedelta(days=self.chance.choice((1, 1, 40))))
            self._add("customer_merges", row | {"recorded_at": recorded_at})
            if self._is(0.2):
                undone = {"survivor_id": name, "recorded_at": recorded_at + timedelta(days=10)}
                self._add("customer_merges", row | undone)

    def _broken(self) -> None:
        """A row of each delivery that is set aside: what was known before stays."""
        for day in DELIVERIES[1:]:
            rows = self.found[day]["holdings"]
            place = self.chance.randrange(len(rows))
            rows[place] = rows[place] | {"opened_on": "soon"}

    def _add(self, table: str, row: Row) -> None:
        """With the first delivery after it was recorded, if that was before the last one."""
        place = self._place(row["recorded_at"])
        if place < len(DELIVERIES):
            self.found[DELIVERIES[place]][table].append(row)

    def _place(self, recorded_at: datetime) -> int:
        return sum(datetime.combine(day, time(), UTC) <= recorded_at for day in DELIVERIES)

    def _day(self, first: date, days: int) -> date:
        return first + timedelta(days=self.chance.randrange(days))

    def _at(self, day: date) -> datetime:
        hour, minute = self.chance.randrange(24), self.chance.randrange(60)
        return datetime.combine(day, time(hour, minute), UTC)

    def _someone(self) -> str:
        return str(self.chance.choice(self.names))

    def _is(self, share: float) -> bool:
        return self.chance.random() < share


def _not_after(row: Row, day: date) -> Row:
    """A death is told once it has happened."""
    died_on = row.get("deceased_on")
    return row | {"deceased_on": None} if died_on is not None and died_on > day else row
