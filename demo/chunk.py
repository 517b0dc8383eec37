"""The life of one chunk of customers, month by month, and what is delivered and true of it.

A chunk is simulated on its own and holds only its customers' state: memory does not grow with the
bank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from conf.schema import Product
from demo.beginnings import begin, enter
from demo.bookings import Booked, Bookings
from demo.campaigns import Chosen, choose, contacts_of, may_contact, treated_hazard
from demo.consents import Consents
from demo.deliveries import Clerk
from demo.desk import Clients, Desk
from demo.draws import Bools, Draws, Floats, Ints
from demo.economy import CURRENT, FOREIGN, SAVINGS, drift, found
from demo.files import Written, write_parquet
from demo.flags import Flags
from demo.hazards import all_hazards
from demo.income import (
    book_bills,
    book_foreign,
    book_income,
    book_interest,
    book_savings_only,
)
from demo.journal import Journal
from demo.life import live
from demo.memory import Memory
from demo.moment import Moment
from demo.months import Month
from demo.people import NO_ONE, settle
from demo.portfolio import Portfolio
from demo.purchases import LAST_DAYS, Sale, buy, give_back, hand_in
from demo.reaction_truth import ReactionTruth
from demo.reactions import Worked
from demo.results import Results
from demo.spending import book_saving, book_spending, book_surprises
from demo.truth import ChunkTruth
from demo.unseen import without
from demo.worklists import Work

LONG_AGO = -1_000


@dataclass(frozen=True)
class Plan:
    """What every chunk of a bank has in common."""

    landing: Path
    truth: Path
    customers: int
    months: list[Month]
    seed: int
    products: Mapping[str, Product]
    chunk_size: int
    work: Work | None = None

    @property
    def unseen(self) -> tuple[int, ...]:
        """Numbers of customers of whom nothing is written."""
        return () if self.work is None else self.work.unseen

    def writes(self, month: Month) -> bool:
        """This month's delivery is wanted."""
        is_after = self.work is None or month.after > self.work.after
        return month.index >= 0 and is_after

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.customers // self.chunk_size)

    def ids(self, chunk: int) -> Ints:
        """Numbers of the chunk's customers."""
        first = self.chunk_size * chunk
        return np.arange(first, min(first + self.chunk_size, self.customers))

    def part(self, chunk: int) -> str | None:
        """Name of the chunk's file in a table's folder; none while one file is enough."""
        return None if self.chunks == 1 else f"part-{chunk:05d}"


@dataclass(frozen=True)
class Standing:
    """Whose business goes on throughout the month."""

    active: Bools
    payers: Bools  # with a current account
    savers: Bools  # with a savings account

    def without(self, gone: Ints) -> Standing:
        """The same but for those who die or leave this month."""
        stays = np.ones(len(self.active), dtype=np.bool_)
        stays[gone] = False
        return Standing(self.active & stays, self.payers & stays, self.savers & stays)


@dataclass(frozen=True)
class Approached:
    """Whom the bank turns to in a month: by campaigns of its own, or from lists.

    Attributes:
        campaigns: Randomised past campaigns.
        worked: Lines of lists.
    """

    campaigns: list[Chosen]
    worked: Worked | None = None


class Chunk:
    """Some customers, from the warm-up to the last delivery."""

    def __init__(self, plan: Plan, chunk: int) -> None:
        ids = plan.ids(chunk)
        self._plan = plan
        self._part = plan.part(chunk)
        self._draws = Draws(plan.seed)
        self._people = settle(self._draws, ids, plan.months)
        self._economy = found(self._draws, self._people, plan.months[0].first_day)
        self._portfolio = Portfolio(len(ids))
        self._memory = Memory(len(ids))
        self._consents = Consents(len(ids))
        self._flags = Flags(len(ids))
        self._clerk = Clerk(self._people)
        self._journal = Journal(self._draws, self._people)
        self._truth = ChunkTruth(
            plan.truth, f"part-{chunk:05d}", self._people, plan.products, plan.unseen
        )
        self._last_contact = np.full(len(ids), LONG_AGO)
        self._delivered_consents = 0
        self._desk = None
        if plan.work is not None:
            lists = plan.work.lists
            self._desk = Desk(self._draws, self._people, lists)
            self._results = Results(self._people, lists)
            self._reactions = ReactionTruth(self._people, lists)

    def run(self, progress: Callable[[int], None]) -> list[Written]:
        """All months; ``progress`` gets the transactions of each delivery."""
        first = self._moment(self._plan.months[0])
        begin(first, self._plan.products, self._economy, self._portfolio)
        here = self._people.joined < first.month.first_day
        self._consents.ask(first, np.flatnonzero(here))
        written: list[Written] = []
        for month in self._plan.months:
            files = self._pass(self._moment(month))
            written += files
            progress(sum(file.rows for file in files if file.table == "transactions"))
        after = self._moment(self._plan.months[-1].next())
        self._truth.foresee(after.month.first, self._hazards(after))
        if self._desk is not None:
            self._truth.reactions(self._reactions.table(self._portfolio))
        self._truth.close()
        return written

    def _moment(self, month: Month) -> Moment:
        return Moment(self._draws, month, self._people)

    def _pass(self, moment: Moment) -> list[Written]:
        """One month: what is true on its first day, what happens, what is delivered after it."""
        hazards = self._hazards(moment)
        standing = self._standing(moment)
        events = live(moment, self._economy, standing.active)
        standing = standing.without(np.concatenate([events.left, events.died]))
        book = Bookings()
        approached = self._approach(moment, hazards, standing.active)
        buyers = self._sell(moment, hazards, approached, standing.active, book)
        self._give_back(moment, standing.active, book)
        booked = self._bank(moment, standing, events.left, book)
        self._join(moment)
        self._consents.live(moment, standing.active)
        self._flags.live(moment, self._economy, self._memory, events, standing.active)
        contacts = self._contact(moment, approached, buyers)
        if moment.month.index < 0:
            return []
        self._truth.foresee(moment.month.first, hazards)
        return self._deliver(moment.month, booked, contacts)

    def _hazards(self, moment: Moment) -> dict[str, Floats]:
        return all_hazards(moment, self._plan.products, self._portfolio.holds(), self._memory)

    def _standing(self, moment: Moment) -> Standing:
        active = self._people.is_active(moment.month.first_day)
        has_account = self._portfolio.account != NO_ONE
        return Standing(active, active & has_account[CURRENT], active & has_account[SAVINGS])

    def _approach(self, moment: Moment, hazards: Mapping[str, Floats], active: Bools) -> Approached:
        """The month's contacts: from lists once there are any, else from campaigns of its own."""
        if self._desk is not None and self._desk.has_begun(moment.month):
            clients = Clients(active, self._consents, self._flags, self._portfolio)
            worked = self._desk.work(moment, hazards, clients)
            self._reactions.begin(moment, worked, self._portfolio)
            return Approached([], worked)
        free = may_contact(moment, self._consents, self._flags, active, self._last_contact)
        campaigns = choose(moment, self._plan.products, hazards, self._consents, free)
        for campaign in campaigns:
            self._last_contact[campaign.who[campaign.is_treated]] = moment.month.index
        return Approached(campaigns)

    def _sell(
        self,
        moment: Moment,
        hazards: Mapping[str, Floats],
        approached: Approached,
        active: Bools,
        book: Bookings,
    ) -> dict[str, Ints]:
        """Draw and serve the buyers of every product; the contacted buy after the contact."""
        buyers = {}
        by_product = {campaign.product_id: campaign for campaign in approached.campaigns}
        for product_id, hazard in hazards.items():
            campaign = by_product.get(product_id)
            moved = treated_hazard(campaign, self._people, hazard) if campaign else hazard
            who = np.flatnonzero(active & moment.chance(f"buys {product_id}", moved))
            days = moment.day(f"bought {product_id}", who, moment.month.days - LAST_DAYS)
            if campaign:
                days = np.maximum(days, campaign.day_of_contact(len(active), who))
            if approached.worked is not None:
                who, days = approached.worked.buyers(product_id, who, days)
            buy(Sale(product_id, who, days), self._economy, self._portfolio, book)
            buyers[product_id] = who
        return buyers

    def _give_back(self, moment: Moment, active: Bools, book: Bookings) -> None:
        """What ends or is given up, what contacts had sold included."""
        desk, portfolio = self._desk, self._portfolio
        shares = {} if desk is None else desk.renewal_shares(portfolio)
        give_back(moment, portfolio, active, book, shares)
        if desk is not None:
            for sale in desk.given_back(moment.month, portfolio, active):
                hand_in(sale, portfolio, book)

    def _bank(self, moment: Moment, standing: Standing, left: Ints, book: Bookings) -> Booked:
        """All that is booked in the month, in order, remembered for the hazards to come."""
        economy, portfolio = self._economy, self._portfolio
        payers, savers = standing.payers, standing.savers
        drift(moment, economy)
        holds = portfolio.holds()
        has_card = holds["credit_card"] | holds["gold_card"]
        book_income(moment, economy, payers, book)
        book_bills(moment, economy, portfolio.instalment.sum(axis=0), payers, book)
        book_spending(moment, economy, has_card, payers, book)
        book_surprises(moment, economy, payers, book)
        book_interest(moment, economy, savers, book)
        book_savings_only(moment, economy, savers & ~payers, book)
        book_foreign(moment, payers & (portfolio.account[FOREIGN] != NO_ONE), book)
        book_saving(moment, economy, savers, payers, book)
        self._pay_out(left, book)
        booked = book.close(economy.balance)
        self._memory.remember(booked, economy.balance)
        return booked

    def _pay_out(self, left: Ints, book: Bookings) -> None:
        """Who leaves takes the money along; then everything is closed."""
        days = self._people.left[left]
        for slot, balance in enumerate(self._economy.balance):
            is_open = self._portfolio.account[slot, left] != NO_ONE
            euros = np.where(is_open, balance[left] / 100, 0.0)
            book.add("transfer", "branch", left, days, -euros, slot=slot)
        self._portfolio.close_all(left, days)

    def _join(self, moment: Moment) -> None:
        joined = self._people.joined
        joins = (joined >= moment.month.first_day) & (joined < moment.month.end_day)
        who = np.flatnonzero(joins)
        enter(moment, self._economy, self._portfolio, who)
        self._consents.ask(moment, who)

    def _contact(
        self, moment: Moment, approached: Approached, buyers: Mapping[str, Ints]
    ) -> pa.Table:
        """The month's contacts; an opt-out withdraws consent at once."""
        if approached.worked is not None:
            return self._contact_from_lists(moment, approached.worked)
        results = []
        for campaign in approached.campaigns:
            bought = buyers[campaign.product_id]
            contacts = contacts_of(moment, campaign, bought)
            opted_out = contacts.is_opt_out()
            self._consents.opt_out(contacts.who[opted_out], contacts.disposed[opted_out])
            self._truth.campaign(moment.month.first, campaign, bought)
            results.append(contacts)
        return self._clerk.contacts(moment.month, results)

    def _contact_from_lists(self, moment: Moment, worked: Worked) -> pa.Table:
        """Contacts that were recorded in the month; complaints count at once, as opt-outs do."""
        work = self._plan.work
        assert self._desk is not None and work is not None
        outcome = self._desk.finish(moment, worked)
        who, days = worked.lines.who, outcome.result_day
        self._consents.opt_out(who[outcome.objects], days[outcome.objects])
        self._flags.complain(who[outcome.complains], days[outcome.complains])
        self._reactions.end(outcome)
        recorded = self._results.recorded(moment.month, outcome.told)
        if self._plan.writes(moment.month):
            folder = work.returned / moment.month.delivery
            self._results.write_returned(folder, recorded, work.unseen)
        return self._results.contacts(recorded)

    def _deliver(self, month: Month, booked: Booked, contacts: pa.Table) -> list[Written]:
        portfolio, clerk = self._portfolio, self._clerk
        account_ids = clerk.account_ids(portfolio)
        transactions = self._journal.deliver(month, booked, portfolio, account_ids)
        first_consent = self._delivered_consents
        self._delivered_consents = self._consents.rows.size
        if not self._plan.writes(month):
            return []
        tables = {
            "customers": clerk.customers(month),
            "accounts": clerk.accounts(portfolio, account_ids),
            "transactions": transactions,
            "holdings": clerk.holdings(portfolio, account_ids),
            "consents": clerk.consents(self._consents, first_consent),
            "flags": clerk.flags(self._flags),
            "contacts": contacts,
        }
        folder, unseen = self._plan.landing / month.delivery, self._plan.unseen
        return [
            write_parquet(folder, name, self._part, without(rows, unseen))
            for name, rows in tables.items()
        ]


def simulate(plan: Plan, chunk: int) -> list[Written]:
    """One chunk from beginning to end, in a process of its own."""
    return Chunk(plan, chunk).run(lambda _: None)
