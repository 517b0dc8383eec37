"""A chunk's part of each delivery, in the shape of `tables.sources` (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from demo.campaigns import Contacts
from demo.columns import booleans, coded, dates, instants, texts
from demo.consents import Consents
from demo.draws import Ints
from demo.flags import Flags
from demo.moment import evening
from demo.months import HOUR_MICROSECONDS, NEVER, Month
from demo.people import ADVISORS_PER_BRANCH, BLOCK, BRANCHES_PER_BLOCK, NO_ONE, People
from demo.portfolio import PRODUCTS, Portfolio
from demo.vocabulary import (
    CONTACT_CHANNELS,
    COUNTERPARTIES,
    CURRENCIES,
    DISPOSITIONS,
    FLAGS,
    GENDERS,
    LANGUAGES,
    PURPOSES,
    SEGMENTS,
)

ID, SEQUENCE = 7, 2  # digits
CONSENT_DELAY = HOUR_MICROSECONDS // 2


def branch_ids(branches: Ints) -> pa.Array:
    """``B00012``."""
    return texts("B", (branches, 5))


def advisor_ids(advisors: Ints) -> pa.Array:
    """``V000036``."""
    return texts("V", (advisors, 6))


def customer_ids(ids: Ints) -> pa.Array:
    """``C0000123``."""
    return texts("C", (ids, ID))


def some(numbers: Ints, ids: pa.Array, first: int) -> pa.Array:
    """Numbers as identifiers, of which ``ids`` lists those from ``first`` on; NO_ONE is null."""
    return coded(np.where(numbers == NO_ONE, NO_ONE, numbers - first), ids)


class Clerk:
    """Writes down what the bank knows of a chunk on the day of delivery."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._customers = customer_ids(people.ids)
        self._first_branch = int(people.ids[0]) // BLOCK * BRANCHES_PER_BLOCK
        last = (int(people.ids[-1]) // BLOCK + 1) * BRANCHES_PER_BLOCK
        self._branches = branch_ids(np.arange(self._first_branch, last))
        self._first_advisor = self._first_branch * ADVISORS_PER_BRANCH
        self._advisors = advisor_ids(np.arange(self._first_advisor, last * ADVISORS_PER_BRANCH))
        self._households = texts("F", (people.ids, ID))
        self._employers = pa.array(COUNTERPARTIES)

    def customers(self, month: Month) -> pa.Table:
        """Whole: everybody who has joined."""
        people = self._people
        here = np.flatnonzero(people.joined < month.end_day)
        born = np.where(people.is_birth_known, people.born, NEVER)
        return pa.table(
            {
                "customer_id": self._customers.take(pa.array(here)),
                "birth_date": dates(born[here]),
                "gender": coded(people.gender[here], GENDERS),
                "branch_id": some(people.branch[here], self._branches, self._first_branch),
                "segment": coded(people.segment[here], SEGMENTS),
                "joined_on": dates(people.joined[here]),
                "left_on": dates(people.left[here]),
                "deceased_on": dates(people.deceased[here]),
                "is_employee": booleans(people.is_employee[here]),
                "payroll_employer_id": coded(people.employer[here], self._employers),
                "advisor_id": some(people.advisor[here], self._advisors, self._first_advisor),
                "household_id": some(people.household[here], self._households, int(people.ids[0])),
                "language": coded(people.language[here], LANGUAGES),
                "recorded_at": instants(people.recorded[here]),
            }
        )

    def accounts(self, portfolio: Portfolio, account_ids: pa.Array) -> pa.Table:
        """Whole."""
        rows = portfolio.accounts
        return pa.table(
            {
                "account_id": account_ids,
                "customer_id": coded(rows["who"], self._customers),
                "product_id": coded(rows["product"], PRODUCTS),
                "opened_on": dates(rows["opened"]),
                "closed_on": dates(rows["closed"]),
                "currency": coded(rows["currency"], CURRENCIES),
                "recorded_at": instants(rows["recorded"]),
            }
        )

    def holdings(self, portfolio: Portfolio, account_ids: pa.Array) -> pa.Table:
        """Whole."""
        rows = portfolio.holdings
        numbers = self._people.ids[rows["who"]]
        return pa.table(
            {
                "holding_id": texts("H", (numbers, ID), (rows["number"], SEQUENCE)),
                "customer_id": coded(rows["who"], self._customers),
                "product_id": coded(rows["product"], PRODUCTS),
                "account_id": coded(rows["account"], account_ids),
                "opened_on": dates(rows["opened"]),
                "closed_on": dates(rows["closed"]),
                "matures_on": dates(rows["matures"]),
                "recorded_at": instants(rows["recorded"]),
            }
        )

    def flags(self, flags: Flags) -> pa.Table:
        """Whole."""
        rows = flags.rows
        return pa.table(
            {
                "customer_id": coded(rows["who"], self._customers),
                "flag": coded(rows["flag"], FLAGS),
                "valid_from": dates(rows["from"]),
                "valid_to": dates(rows["to"]),
                "recorded_at": instants(rows["recorded"]),
            }
        )

    def consents(self, consents: Consents, first_row: int) -> pa.Table:
        """Increment: the changes from ``first_row`` on."""
        rows = {name: consents.rows[name][first_row:] for name in
                ("who", "purpose", "channel", "changed", "is_granted")}  # fmt: skip
        return pa.table(
            {
                "customer_id": coded(rows["who"], self._customers),
                "purpose": coded(rows["purpose"], PURPOSES),
                "channel": coded(rows["channel"], CONTACT_CHANNELS),
                "changed_at": instants(rows["changed"]),
                "is_granted": booleans(rows["is_granted"]),
                "recorded_at": instants(rows["changed"] + CONSENT_DELAY),
            }
        )

    def contacts(self, month: Month, results: Sequence[Contacts]) -> pa.Table:
        """Increment: the month's contacts, each recorded with its result."""
        people = self._people
        who, product, channel, contacted, disposition, disposed = (
            np.concatenate([np.empty(0, dtype=np.int64), *(getattr(r, name) for r in results)])
            for name in ("who", "products", "channel", "contacted", "disposition", "disposed")
        )
        offers = [f"{product_id}_{month.first.year}" for product_id in PRODUCTS]
        campaigns = [f"{month.first:%Y%m}-{product_id}" for product_id in PRODUCTS]
        return pa.table(
            {
                "contact_id": texts(
                    "K", (people.ids[who], ID), (np.full(len(who), month.index), 3), (product, 2)
                ),
                "customer_id": coded(who, self._customers),
                "product_id": coded(product, PRODUCTS),
                "offer_id": coded(product, offers),
                "campaign_id": coded(product, campaigns),
                "channel": coded(channel, CONTACT_CHANNELS),
                "contacted_on": dates(contacted),
                "disposition": coded(disposition, DISPOSITIONS),
                "disposition_on": dates(disposed),
                "branch_id": some(people.branch[who], self._branches, self._first_branch),
                "advisor_id": some(people.advisor[who], self._advisors, self._first_advisor),
                "referred_by_advisor_id": pa.nulls(len(who), pa.string()),
                "recorded_at": instants(evening(disposed)),
            }
        )

    def account_ids(self, portfolio: Portfolio) -> pa.Array:
        """Identifiers of the accounts, by row."""
        rows = portfolio.accounts
        return texts("A", (self._people.ids[rows["who"]], ID), (rows["number"], SEQUENCE))
