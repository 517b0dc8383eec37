"""The branches' work with lists in one chunk, month by month.

A line is worked through on a day of its own: soon after the offer begins, late if the advisor is
careless. Planted beside the purchases of `demo.reactions`: what a contact sold is given back within
sixty days by some; some clients object or complain, the more so the more contacts they have had in
three months; results are written down days later, weeks later or never.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.campaigns import SOLD_AT_ONCE
from demo.consents import INTERNAL, PARTNER, Consents
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.flags import Flags
from demo.moment import Moment, evening
from demo.months import NEVER, Month
from demo.people import NO_ONE, People
from demo.portfolio import ACCOUNT_SLOT, PLACE, PRODUCTS, Portfolio
from demo.purchases import LAST_DAYS, RENEWED, Sale
from demo.reactions import CAMPAIGNS, PLACES, Task, Worked, keys, matures, renewal_share, work
from demo.staff import Staff, staff
from demo.vocabulary import DISPOSITIONS
from demo.worklists import Lines, Worklists

CONTACT_DAYS, LATE_DAYS = 18, 14
RECENT_MONTHS, TIRES = 3, 0.75  # more objections and complaints by each recent contact
OBJECTS, COMPLAINS = 0.012, 0.008
PUSHY_BOTHERS = 2.5
GIVEN_BACK, PUSHY_GIVEN_BACK = 0.04, 0.25
KEPT_DAYS, GIVEN_BACK_DAYS = 14, 45  # given back from so many days after the purchase, in so many
NO_ANSWER_NOTED = 0.5
RESULT_DAYS = 4
WRITTEN_LATE, LATE_RESULT_DAYS = 7, 21  # by who is careless
NEVER_WRITTEN = 0.5
SOLD, INTERESTED, CONTACTED, NO_ANSWER, REFUSED, OPT_OUT, UNSUITABLE = range(len(DISPOSITIONS))
WITHOUT_SALE = np.array([INTERESTED, CONTACTED, REFUSED, UNSUITABLE])
SHARES = (0.14, 0.38, 0.44)  # of these; the rest is the last
COMPLAINT = len(DISPOSITIONS)  # a word of returned files only


@dataclass(frozen=True)
class Clients:
    """What a month begins with, by customer.

    Attributes:
        active: Here throughout the month.
        consents: What they allow.
        flags: Who is to be left in peace.
        portfolio: What they hold.
    """

    active: Bools
    consents: Consents
    flags: Flags
    portfolio: Portfolio


@dataclass(frozen=True)
class Told:
    """Contacts with what the bank's systems know of them, one value per contact.

    Attributes:
        lines: What was contacted about.
        contacted: Day of the contact.
        disposition: Place in `demo.vocabulary.DISPOSITIONS`; NO_ONE while nobody wrote it down.
        disposed: Day of the result, NEVER without.
        recorded: Microseconds: when the bank's systems knew.
        returned: Result in the file that the branch returns, NO_ONE where it returns none.
    """

    lines: Lines
    contacted: Ints
    disposition: Ints
    disposed: Ints
    recorded: Ints
    returned: Ints

    def take(self, chosen: Bools) -> Told:
        """Some of them."""
        return Told(
            self.lines.take(chosen),
            self.contacted[chosen],
            self.disposition[chosen],
            self.disposed[chosen],
            self.recorded[chosen],
            self.returned[chosen],
        )

    def and_then(self, more: Told) -> Told:
        """These, and more after them."""
        return Told(
            self.lines.and_then(more.lines),
            *(
                np.concatenate([getattr(self, name), getattr(more, name)])
                for name in ("contacted", "disposition", "disposed", "recorded", "returned")
            ),
        )


@dataclass(frozen=True)
class Outcome:
    """What came of a month's lines, beside purchases.

    Attributes:
        told: Contacts, those not yet recorded included.
        objects: By line: the client wants no more marketing.
        complains: By line.
        result_day: By line, where somebody was contacted.
    """

    told: Told
    objects: Bools
    complains: Bools
    result_day: Ints


class Desk:
    """Works through the lists of a chunk's customers."""

    def __init__(self, draws: Draws, people: People, lists: Worklists) -> None:
        self._begin = lists.begin
        self._lines = lists.of(people.ids)
        self._staff = staff(draws, self._lines.branch, self._lines.advisor)
        self._day = _planned(draws, people, self._lines, self._staff)
        self._recent = np.zeros((RECENT_MONTHS, len(people)), dtype=np.int64)
        self._renewed = np.full((len(PRODUCTS), len(people)), NEVER)  # end of the term called about
        self._ends = np.full((len(PRODUCTS), len(people)), NEVER)
        self._bought = np.full((len(PRODUCTS), len(people)), NEVER)

    def has_begun(self, month: Month) -> bool:
        """The bank has no campaigns any more but those whose lists these are."""
        return month.first >= self._begin

    def work(self, moment: Moment, hazards: Mapping[str, Floats], clients: Clients) -> Worked:
        """Make the contacts of a month; purchases are for the caller to serve."""
        first, end = moment.month.first_day, moment.month.end_day
        now = np.flatnonzero((self._day >= first) & (self._day < end))
        lines = self._lines.take(now)
        purpose = np.where(lines.is_partner, PARTNER, INTERNAL)
        allows = clients.consents.granted[purpose, lines.channel, lines.who]
        is_here = clients.active[lines.who]
        may_call = is_here & allows & ~clients.flags.has_any()[lines.who]
        task = Task(lines, _of(self._staff, now), self._day[now], is_here, may_call)
        worked = work(moment, task, hazards, clients.portfolio)
        self._remember_renewals(worked, clients.portfolio)
        self._plan_returns(moment, worked)
        return worked

    def renewal_shares(self, portfolio: Portfolio) -> dict[str, Floats]:
        """By product, how likely each client renews what ends; of those called about it, more."""
        shares = {}
        for product_id, usual in RENEWED.items():
            called = self._renewed[PLACE[product_id]]
            if (called < NEVER).any():
                is_called = (called < NEVER) & (called == portfolio.matures(product_id))
                shares[product_id] = np.where(is_called, renewal_share(product_id), usual)
        return shares

    def given_back(self, month: Month, portfolio: Portfolio, active: Bools) -> list[Sale]:
        """What contacts had sold and is given back in a month."""
        sales = []
        for product_id, place in PLACE.items():
            ends, is_same = self._ends[place], portfolio.opened(product_id) == self._bought[place]
            is_due = active & is_same & (ends >= month.first_day) & (ends < month.end_day)
            who = np.flatnonzero(is_due)
            if len(who):
                sales.append(Sale(product_id, who, ends[who]))
        return sales

    def finish(self, moment: Moment, worked: Worked) -> Outcome:
        """How the month's contacts went; the number of recent contacts goes on."""
        lines, numbers, month = worked.lines, keys(moment, worked.lines), moment.month
        recent = self._recent.sum(axis=0)[lines.who]
        bother = (1 + TIRES * recent) * np.where(worked.staff.is_pushy, PUSHY_BOTHERS, 1.0)
        draws = moment.draws
        is_upset = worked.is_contacted & ~worked.has_bought()
        objects = is_upset & draws.chance("objects", month.index, numbers, OBJECTS * bother)
        complains = is_upset & draws.chance("complains", month.index, numbers, COMPLAINS * bother)
        self._recent[month.index % RECENT_MONTHS] = np.bincount(
            lines.who[worked.is_contacted], minlength=self._recent.shape[1]
        )
        result = _results(worked, draws.uniform("result", month.index, numbers), objects)
        delay = draws.integer("result day", month.index, numbers, RESULT_DAYS)
        day = worked.day + np.where(result == SOLD, 0, delay)
        told = _told(moment, worked, result, day, complains)
        return Outcome(told, objects, complains, day)

    def _remember_renewals(self, worked: Worked, portfolio: Portfolio) -> None:
        called = worked.lines.take(worked.lines.is_renewal & worked.is_contacted)
        self._renewed[called.product, called.who] = matures(called, portfolio)

    def _plan_returns(self, moment: Moment, worked: Worked) -> None:
        numbers, index = keys(moment, worked.lines), moment.month.index
        share = np.where(worked.staff.is_pushy, PUSHY_GIVEN_BACK, GIVEN_BACK)
        days = KEPT_DAYS + moment.draws.integer("kept", index, numbers, GIVEN_BACK_DAYS)
        returns = worked.is_extra & moment.draws.chance("given back", index, numbers, share)
        for product_id, place in PLACE.items():
            if product_id in ACCOUNT_SLOT:
                continue
            mine = returns & (worked.lines.product == place)
            who = worked.lines.who[mine]
            self._bought[place, who] = worked.buys_on[mine]
            self._ends[place, who] = worked.buys_on[mine] + days[mine]


def _planned(draws: Draws, people: People, lines: Lines, of_line: Staff) -> Ints:
    """The day of each contact: in the first weeks of the offer, later by who is careless.

    Nothing is sold on the last days of a month, so nobody is contacted on them.
    """
    numbers = (people.ids[lines.who] * CAMPAIGNS + lines.campaign) * PLACES + lines.place
    begins = np.minimum(lines.first + np.where(of_line.is_careless, LATE_DAYS, 0), lines.last)
    days = np.clip(lines.last - begins + 1, 1, CONTACT_DAYS)
    planned = begins + draws.integer("contact from a list", ALWAYS, numbers, days)
    month = planned.astype("datetime64[D]").astype("datetime64[M]")
    end = (month + 1).astype("datetime64[D]").astype(np.int64)
    latest = end - LAST_DAYS - 1
    return np.where(planned <= latest, planned, np.where(begins <= latest, latest, end))


def _of(all_staff: Staff, chosen: Ints) -> Staff:
    """The staff of some lines."""
    return Staff(
        all_staff.reach[chosen],
        all_staff.returns_files[chosen],
        all_staff.is_careless[chosen],
        all_staff.is_pushy[chosen],
        all_staff.is_claiming[chosen],
    )


def _told(moment: Moment, worked: Worked, result: Ints, day: Ints, complains: Bools) -> Told:
    """What is written down, by whom and when."""
    draws, index, numbers = moment.draws, moment.month.index, keys(moment, worked.lines)
    objects = result == OPT_OUT
    is_noted = ~worked.staff.is_careless | objects
    is_lost = ~is_noted & draws.chance("no result", index, numbers, NEVER_WRITTEN)
    weeks = WRITTEN_LATE + draws.integer("written late", index, numbers, LATE_RESULT_DAYS)
    written = np.where(is_noted, day, np.where(is_lost, worked.day, day + weeks))
    is_noted_call = worked.is_tried & draws.chance("noted", index, numbers, NO_ANSWER_NOTED)
    is_returned = worked.staff.returns_files & ~is_lost
    returned = np.where(complains & ~objects, COMPLAINT, result)
    told = Told(
        lines=worked.lines,
        contacted=worked.day,
        disposition=np.where(is_lost, NO_ONE, result),
        disposed=np.where(is_lost, NEVER, day),
        recorded=evening(written),
        returned=np.where(is_returned, returned, NO_ONE),
    )
    return told.take(worked.is_contacted | is_noted_call)


def _results(worked: Worked, drawn: Floats, objects: Bools) -> Ints:
    """What was said, were it written down; who claims calls every purchase a sale."""
    is_sold = worked.is_after() & np.where(worked.is_extra, worked.at_once, drawn < SOLD_AT_ONCE)
    claims = worked.staff.is_claiming & worked.has_bought()
    without = WITHOUT_SALE[np.digitize(drawn, np.cumsum(SHARES))]
    return np.select(
        [~worked.is_contacted, objects, is_sold | claims, worked.is_after()],
        [NO_ANSWER, OPT_OUT, SOLD, INTERESTED],
        without,
    )
