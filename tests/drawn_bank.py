"""A bank drawn at random from a seed, in which every branch of the features occurs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tables.categories import BookingChannel, Category
from tests.bank import AS_OF, PRODUCTS, Bank, Rows, midnight


def drawn(seed: int, customers: int = 40, until: date = AS_OF) -> Bank:
    """A bank at random: two years of events before ``until``, each recorded within days."""
    return _Draw(Random(seed), customers, until).bank()


class _Draw:
    """Rows in which every branch of the features occurs for some customer."""

    def __init__(self, random: Random, customers: int, until: date) -> None:
        self.random = random
        self.until = until
        self.ids = [f"C{number}" for number in range(customers)]
        self.accounts = [f"A{number}" for number in range(2 * customers)]

    def bank(self) -> Bank:
        count = len(self.ids)
        return {
            "customers": self._customers(),
            "accounts": [self._account(place, name) for place, name in enumerate(self.accounts)],
            "transactions": [
                *(self._booking(f"T{number:05d}") for number in range(60 * count)),
                *(row for place in range(count) for row in self._series(place)),
            ],
            "holdings": [self._holding(f"H{number}") for number in range(3 * count)],
            "consents": [self._consent(number) for number in range(3 * count)],
            "flags": [self._flag(number) for number in range(count)],
            "contacts": [self._contact(f"K{number}") for number in range(3 * count)],
            "fx_rates": self._rates(),
        }

    def _customers(self) -> Rows:
        """Some have moved lately: a second version, recorded a few months before the end."""
        first = [self._customer(name) for name in self.ids]
        moved = [
            row
            | {
                "branch_id": self._one_of("B1", "B2"),
                "advisor_id": self._one_of("V1", "V2", None),
                "segment": self._one_of("mass", "private"),
                "household_id": self._one_of("D1", "D2", None),
                "recorded_at": midnight(self._day(150, 5)),
            }
            for row in first
            if self.random.random() < 0.4
        ]
        return first + [row for row in moved if row["recorded_at"].date() > row["joined_on"]]

    def _customer(self, name: str) -> dict[str, Any]:
        joined = self._day(2500, 1)
        return {
            "customer_id": name,
            "birth_date": self._maybe(0.8, self.until - timedelta(self._days_of_life())),
            "gender": None,
            "branch_id": "B1",
            "segment": self._one_of("mass", "affluent", "private", "vip", None),
            "joined_on": joined,
            "left_on": self._maybe(0.05, self._day(300, 0)),
            "deceased_on": self._maybe(0.03, self._day(300, 0)),
            "is_employee": False,
            "payroll_employer_id": self._maybe(0.5, "E1"),
            "advisor_id": self._maybe(0.3, "V1"),
            "household_id": self._maybe(0.6, f"D{self.random.randrange(10)}"),
            "language": None,
            "recorded_at": midnight(joined),
        }

    def _account(self, place: int, name: str) -> dict[str, Any]:
        return {
            "account_id": name,
            "customer_id": self.ids[place % len(self.ids)],
            "product_id": "current_account",
            "opened_on": self._day(2000, 1),
            "closed_on": self._maybe(0.1, self._day(400, 0)),
            "currency": self._one_of("EUR", "EUR", "EUR", "USD", "XXX"),
            "recorded_at": midnight(date(2017, 1, 1)),
        }

    def _booking(self, name: str) -> dict[str, Any]:
        place = self.random.randrange(len(self.accounts))
        booked = self._day(730, 1)
        euros = self.random.choice([10, 100, 3000])
        return {
            "transaction_id": name,
            "account_id": self.accounts[place],
            "customer_id": self.ids[place % len(self.ids)],
            "booked_on": booked,
            "amount": self._cents(-100 * euros, 80 * euros),
            "currency": self._one_of("EUR", "EUR", "EUR", "USD", "XXX"),
            "balance_after": self._maybe(0.9, self._cents(-20_000, 500_000)),
            "category": self._one_of(*Category, Category.SALARY, Category.SALARY, "unheard", None),
            "channel": self._one_of(*BookingChannel, None),
            "counterparty_id": self._one_of(*(f"P{number}" for number in range(20)), None),
            "recorded_at": self._soon_after(booked),
        }

    def _series(self, place: int) -> Rows:
        """Payers and payees of one customer, month after month, of whom some come or go."""
        rows = []
        for other in ("employer", "landlord", "club", "insurer"):
            last, first = sorted(self.random.choices((0, 1, 2, 3, 4, 6, 9, 13), k=2))
            sign = 1 if other == "employer" else -1
            usual = self.random.randrange(1, 29)
            for month in range(last, first):
                day = self.until - timedelta(30 * month + usual)
                rows.append(
                    self._booking(f"S{place}-{other}-{month}")
                    | {
                        "account_id": self.accounts[place],
                        "customer_id": self.ids[place],
                        "booked_on": day,
                        "amount": sign * self._cents(90_000, 100_000),
                        "counterparty_id": other,
                        "recorded_at": self._soon_after(day),
                    }
                )
        return rows

    def _days_of_life(self) -> int:
        return self.random.randrange(17 * 365, 20 * 365)

    def _holding(self, name: str) -> dict[str, Any]:
        opened = self._day(900, 1)
        return {
            "holding_id": name,
            "customer_id": self._customer_id(),
            "product_id": self._one_of(*PRODUCTS),
            "account_id": None,
            "opened_on": opened,
            "closed_on": self._maybe(0.3, opened + timedelta(self.random.randrange(500))),
            "matures_on": self._maybe(0.5, opened + timedelta(self.random.randrange(1500))),
            "recorded_at": self._soon_after(opened),
        }

    def _consent(self, number: int) -> dict[str, Any]:
        changed = self._soon_after(self._day(900, 3)) + timedelta(microseconds=number)
        return {
            "customer_id": self._customer_id(),
            "purpose": self._one_of("marketing_internal", "marketing_partner"),
            "channel": self._one_of("branch", "phone", "email"),
            "changed_at": changed,
            "is_granted": self.random.random() < 0.7,
            "recorded_at": changed,
        }

    def _flag(self, number: int) -> dict[str, Any]:
        raised = self._day(730, 1)
        return {
            "customer_id": self.ids[number],
            "flag": self._one_of("complaint_open", "vulnerable"),
            "valid_from": raised,
            "valid_to": None,
            "recorded_at": self._soon_after(raised),
        }

    def _contact(self, name: str) -> dict[str, Any]:
        contacted = self._day(730, 1)
        return {
            "contact_id": name,
            "customer_id": self._customer_id(),
            "product_id": self._one_of(*PRODUCTS),
            "offer_id": None,
            "campaign_id": None,
            "channel": "phone",
            "contacted_on": contacted,
            "disposition": self._one_of("interested", "sold", "refused", "no_answer", None),
            "disposition_on": self._maybe(0.5, contacted + timedelta(self.random.randrange(20))),
            "branch_id": None,
            "advisor_id": None,
            "referred_by_advisor_id": None,
            "recorded_at": self._soon_after(contacted),
        }

    def _rates(self) -> Rows:
        """US dollars with gaps, and never a rate for XXX."""
        return [
            {
                "currency": "USD",
                "month": date(year, month, 1),
                "rate_to_base": Decimal(self.random.randrange(70_000_000, 130_000_000)).scaleb(-8),
                "recorded_at": midnight(date(year, month, 1)),
            }
            for year in (2022, 2023, 2024)
            for month in range(1, 13)
            if self.random.random() < 0.6 and date(year, month, 1) < self.until
        ]

    def _day(self, most: int, least: int) -> date:
        """So many days before the end."""
        return self.until - timedelta(self.random.randrange(least, most))

    def _soon_after(self, day: date) -> datetime:
        return midnight(day) + timedelta(minutes=self.random.randrange(4000))

    def _cents(self, low: int, high: int) -> Decimal:
        return Decimal(self.random.randrange(low, high)).scaleb(-2)

    def _customer_id(self) -> str:
        return self.random.choice(self.ids)

    def _one_of(self, *values: Any) -> Any:
        return self.random.choice(values)

    def _maybe(self, share: float, value: Any) -> Any:
        return value if self.random.random() < share else None
