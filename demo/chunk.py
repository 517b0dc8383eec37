"""The life of one chunk of customers, month by month, and what is delivered and true of it.

A chunk is simulated on its own and holds only its customers' state, so memory does not grow with the bank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from conf.schema import Product
from demo.bookings import Booked, Bookings
from demo.campaigns import Chosen, choose, contacts_of, may_contact, treated_hazard
from demo.consents import Consents
from demo.deliveries import Clerk
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.economy import CURRENT, FOREIGN, SAVINGS, Economy, drift, found
from demo.files import Written, write_parquet
from demo.flags import Flags
from demo.hazards import all_hazards
from demo.income import book_bills, book_income
from demo.journal import Journal
from demo.life import Events, day_in, live
from demo.memory import Memory
from demo.months import Month
from demo.people import NO_ONE, People, settle
from demo.portfolio import Portfolio
from demo.purchases import LAST_DAYS, begin, buy, draw_buyers, enter, give_back
from demo.spending import book_saving, book_spending, book_surprises
from demo.truth import ChunkTruth

CUSTOMERS = 25_000  # a constant: files must not depend on how large the bank is
LONG_AGO = -1_000
INTEREST_EVERY, INTEREST_RATE = 6, 0.005


@dataclass(frozen=True)
class Plan:
    """What every chunk of a bank has in common."""

    landing: Path
    truth: Path
    customers: int
    months: list[Month]
    seed: int
    products: Mapping[str, Product]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.customers // CUSTOMERS)

    def part(self, chunk: int) -> str | None:
        """Name of the chunk's file in a table's folder; none while one file is enough."""
        return None if self.chunks == 1 else f"part-{chunk:05d}"


class Chunk:
    """Customers number ``CUSTOMERS * chunk`` and following."""

    def __init__(self, plan: Plan, chunk: int) -> None:
        ids = np.arange(CUSTOMERS * chunk, min(CUSTOMERS * (chunk + 1), plan.customers))
        self._plan = plan
        self._part = plan.part(chunk)
        self._draws = Draws(plan.seed)
        self._people = settle(self._draws, ids, plan.months)
        self._economy = found(self._draws, self._people, plan.months[0])
        self._portfolio = Portfolio(len(ids))
        self._memory = Memory(len(ids))
        self._consents = Consents(len(ids))
        self._flags = Flags(len(ids))
        self._clerk = Clerk(self._people)
        self._journal = Journal(self._draws, self._people)
        self._truth = ChunkTruth(plan.truth, f"part-{chunk:05d}", self._people, plan.products)
        self._last_contact = np.full(len(ids), LONG_AGO)
        self._delivered_consents = 0

    def run(self, progress: Callable[[int], None] | None) -> list[Written]:
        """All months; ``progress`` gets the transactions of each delivery."""
        first = self._plan.months[0]
        begin(self._draws, self._plan.products, self._people, self._economy, self._portfolio, first.first_day)
        here = np.flatnonzero(self._people.joined < first.first_day)
        self._consents.ask(self._draws, self._people, here)
        written: list[Written] = []
        for month in self._plan.months:
            files = self._pass(month)
            written += files
            if progress is not None:
                progress(sum(file.rows for file in files if file.table == "transactions"))
        last = self._plan.months[-1]
        self._truth.foresee(last.after, self._hazards(Month(last.index + 1, last.after)))
        self._truth.close()
        return written

    def _pass(self, month: Month) -> list[Written]:
        """One month: what is true on its first day, what happens, what is delivered after it."""
        draws, people, portfolio = self._draws, self._people, self._portfolio
        hazards = self._hazards(month)
        active = people.is_active(month.first_day)
        payers = active & (portfolio.account[CURRENT] != NO_ONE)
        savers = active & (portfolio.account[SAVINGS] != NO_ONE)
        events = live(draws, month, people, self._economy)
        for gone in (events.left, events.died):
            for group in (payers, savers, active):
                group[gone] = False
        book = Bookings()
        campaigns = self._choose(month, hazards, active)
        buyers = self._sell(month, hazards, campaigns, active, book)
        give_back(draws, month, people, portfolio, active, book)
        booked = self._bank(month, payers, savers, events, book)
        self._join(month)
        self._consents.live(draws, month, people, active)
        self._flags.live(draws, month, people, self._economy, self._memory, events, active)
        if month.index < 0:
            return []
        self._truth.foresee(month.first, hazards)
        return self._deliver(month, booked, campaigns, buyers)

    def _hazards(self, month: Month) -> dict[str, Floats]:
        people = self._people
        age = people.completed_years(month.first)
        active = people.is_active(month.first_day)
        return all_hazards(
            self._draws, self._plan.products, people.ids, age, active, self._portfolio.holds(), self._memory
        )

    def _choose(self, month: Month, hazards: Mapping[str, Floats], active: Bools) -> list[Chosen]:
        free = may_contact(
            self._people, self._consents, self._flags, active, self._last_contact, month
        )
        campaigns = choose(
            self._draws, month, self._people, self._plan.products, hazards, self._consents, free
        )
        for campaign in campaigns:
            self._last_contact[campaign.who[campaign.is_treated]] = month.index
        return campaigns

    def _sell(
        self,
        month: Month,
        hazards: Mapping[str, Floats],
        campaigns: list[Chosen],
        active: Bools,
        book: Bookings,
    ) -> dict[str, Ints]:
        """Draw and serve the buyers of every product; the contacted buy after the contact."""
        buyers = {}
        by_product = {campaign.product_id: campaign for campaign in campaigns}
        for product_id, hazard in hazards.items():
            campaign = by_product.get(product_id)
            moved = hazard if campaign is None else treated_hazard(campaign, self._people, hazard)
            who = draw_buyers(self._draws, month, self._people, product_id, np.where(active, moved, 0))
            buyers[product_id] = who
            days = day_in(
                self._draws, f"bought {product_id}", month, self._people.ids[who], month.days - LAST_DAYS
            )
            if campaign is not None:
                days = np.maximum(days, campaign.day_of_contact(len(self._people), who))
            buy(product_id, who, days, self._economy, self._portfolio, book)
        return buyers

    def _bank(
        self, month: Month, payers: Bools, savers: Bools, events: Events, book: Bookings
    ) -> Booked:
        """Everything that is booked in the month, in order, remembered for the next months' hazards."""
        draws, people, economy, portfolio = self._draws, self._people, self._economy, self._portfolio
        drift(draws, month, people, economy)
        holds = portfolio.holds()
        book_income(draws, month, people, economy, payers, book)
        book_bills(draws, month, people, economy, portfolio.instalment.sum(axis=0), payers, book)
        book_spending(draws, month, people, economy, holds["credit_card"] | holds["gold_card"], payers, book)
        book_surprises(draws, month, people, economy, payers, book)
        self._book_interest(month, savers, book)
        self._book_elsewhere(month, savers & ~payers, payers, book)
        book_saving(draws, month, people, economy, savers, payers, book)
        self._pay_out(events.left, book)
        booked = book.close(economy.balance)
        self._memory.remember(booked, economy.balance)
        return booked

    def _book_elsewhere(self, month: Month, deposits: Bools, payers: Bools, book: Bookings) -> None:
        """Deposits of those who have only a savings account, and business in foreign currency."""
        ids, pay = self._people.ids, self._economy.pay
        size = np.exp(0.8 * self._draws.normal("deposit", month.index, ids) + self._economy.mood["buffer"])
        days = day_in(self._draws, "deposit day", month, ids)
        regular = np.where(self._draws.chance("regular", ALWAYS, ids, 0.45), 0.9, 0.2)
        for who, slot, euros in (
            (deposits & self._draws.chance("deposits", month.index, ids, regular), SAVINGS, 0.12 * pay * size),
            (deposits & self._draws.chance("takes", month.index, ids, 0.12), SAVINGS,
             -0.3 * np.maximum(self._economy.balance[SAVINGS], 0) / 100),
            (payers & (self._portfolio.account[FOREIGN] != NO_ONE)
             & self._draws.chance("foreign", month.index, ids, 0.3), FOREIGN, 60 * size),
        ):  # fmt: skip
            places = np.flatnonzero(who)
            book.add("transfer", "transfer", places, days[places], euros[places], slot=slot)

    def _book_interest(self, month: Month, savers: Bools, book: Bookings) -> None:
        """Twice a year; it also tells the balance of accounts on which nothing moves."""
        if month.of_year % INTEREST_EVERY:
            return
        who = np.flatnonzero(savers)
        interest = np.maximum(self._economy.balance[SAVINGS, who], 0) / 100 * INTEREST_RATE
        book.add("interest", "internal", who, month.end_day - 1, interest, slot=SAVINGS)

    def _pay_out(self, left: Ints, book: Bookings) -> None:
        """Who leaves takes the money along; then everything is closed."""
        days = self._people.left[left]
        for slot, balance in enumerate(self._economy.balance):
            euros = np.where(self._portfolio.account[slot, left] != NO_ONE, balance[left] / 100, 0.0)
            book.add("transfer", "branch", left, days, -euros, slot=slot)
        self._portfolio.close_all(left, days)

    def _join(self, month: Month) -> None:
        people = self._people
        joins = (people.joined >= month.first_day) & (people.joined < month.end_day)
        who = np.flatnonzero(joins)
        enter(self._draws, people, self._economy, self._portfolio, who)
        self._consents.ask(self._draws, people, who)

    def _deliver(
        self, month: Month, booked: Booked, campaigns: list[Chosen], buyers: Mapping[str, Ints]
    ) -> list[Written]:
        portfolio, clerk = self._portfolio, self._clerk
        contacts = self._contact(month, campaigns, buyers)
        tables = {
            "customers": clerk.customers(month),
            "accounts": clerk.accounts(portfolio),
            "transactions": self._journal.deliver(month, booked, portfolio, clerk.account_ids(portfolio)),
            "holdings": clerk.holdings(portfolio),
            "consents": clerk.consents(self._consents, self._delivered_consents),
            "flags": clerk.flags(self._flags),
            "contacts": contacts,
        }
        self._delivered_consents = self._consents.rows.size
        delivery = f"{month.after:%Y-%m-%d}"
        return [
            write_parquet(self._plan.landing, delivery, name, self._part, rows)
            for name, rows in tables.items()
        ]

    def _contact(
        self, month: Month, campaigns: list[Chosen], buyers: Mapping[str, Ints]
    ) -> pa.Table:
        """The month's contacts; an opt-out withdraws consent at once."""
        results = []
        for campaign in campaigns:
            contacts = contacts_of(self._draws, month, self._people, campaign, buyers[campaign.product_id])
            opted_out = contacts.is_opt_out()
            self._consents.opt_out(contacts.who[opted_out], contacts.disposed[opted_out])
            results.append(contacts)
            self._truth.campaign(month.first, campaign, buyers[campaign.product_id])
        return self._clerk.contacts(month, results)


def simulate(plan: Plan, chunk: int, progress: Callable[[int], None] | None = None) -> list[Written]:
    """One chunk from beginning to end; runs in a process of its own for large banks."""
    return Chunk(plan, chunk).run(progress)
