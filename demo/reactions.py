"""What a contact from a list changes: planted, on top of what the client would have done anyway.

Every client has a draw per product and month. Below the hazard it buys without any contact, on a
day of its own; a contact moves the border. So it is known of each line both what the client did
and what it would have done in that month: who buys without the contact buys on the same day with
it, unless the contact puts off; who buys because of it buys on its day or within days after it.
The moved border is ``(hazard + uplift) x factor + added``, with the uplift of `demo.campaigns`, in
lists worth more where it is not negative, and what `conf/base/levers.yaml` says of the lever. Of a renewal the chance to renew rises instead. A
package is sold whole: what of it is missing, where the client may hold all of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.campaigns import HIGHEST, SOLD_AT_ONCE, uplift
from demo.draws import Bools, Floats, Ints
from demo.moment import Moment
from demo.months import NEVER
from demo.portfolio import PLACE, PRODUCTS, Portfolio
from demo.purchases import LAST_DAYS, RENEWED
from demo.staff import Staff
from demo.worklists import Lines

# Times an uplift that is not negative: lists tell why this client, past campaigns did not.
PREPARED, PUSHY_SELLS = 5.0, 1.3
RENEWS_MORE, RENEWS_MOST = 0.2, 0.99
CLOSES_WITHIN = 10  # days after the contact, of who does not buy at once
CAMPAIGNS, PLACES = 4096, 16  # of one client in a draw's number


@dataclass(frozen=True)
class Worked:
    """The lines of a month and what came of them.

    Attributes:
        lines: The lines.
        staff: Who works through them.
        day: Of the contact, made or not.
        is_contacted: The client was reached.
        is_tried: The client was called and not reached.
        without: Probability of buying in the month without a contact.
        with_contact: The same with one, on that day.
        would_buy: Without the contact the client buys in this month.
        would_buy_on: On this day, if so.
        is_extra: Buys because of the contact.
        is_put_off: Does not buy because of it.
        buys_on: Day of that extra purchase.
        at_once: What is sold in the contact is sold on its day.
        missing: A bit for each product that an extra purchase brings.
    """

    lines: Lines
    staff: Staff
    day: Ints
    is_contacted: Bools
    is_tried: Bools
    without: Floats
    with_contact: Floats
    would_buy: Bools
    would_buy_on: Ints
    is_extra: Bools
    is_put_off: Bools
    buys_on: Ints
    at_once: Bools
    missing: Ints

    def buyers(self, product_id: str, who: Ints, days: Ints) -> tuple[Ints, Ints]:
        """Those who buy a product and their days, given who would have without any contact."""
        is_main = self.lines.product == PLACE[product_id]
        stays = ~np.isin(who, self.lines.who[is_main & self.is_put_off])
        brings = self.is_extra & ((self.missing >> PLACE[product_id]) & 1 == 1)
        extra = brings & ~np.isin(self.lines.who, who[stays])
        who = np.concatenate([who[stays], self.lines.who[extra]])
        days = np.concatenate([days[stays], self.buys_on[extra]])
        order = np.lexsort((days, who))
        who, days = who[order], days[order]
        is_first = np.diff(who, prepend=-1) != 0
        return who[is_first], days[is_first]

    def has_bought(self) -> Bools:
        """Bought in this month, for whatever reason; of a renewal nothing is said."""
        bought: Bools = (self.would_buy & ~self.is_put_off) | self.is_extra
        return bought

    def is_after(self) -> Bools:
        """Bought on the day of the contact or later."""
        day = np.where(self.is_extra, self.buys_on, self.would_buy_on)
        after: Bools = self.has_bought() & (day >= self.day)
        return after


@dataclass(frozen=True)
class Task:
    """What is to be done in a month.

    Attributes:
        lines: Those whose day is in it.
        staff: Who makes the contacts.
        day: Of each contact.
        is_here: By line: the client is one throughout the month.
        may_call: The client has not objected since the list was made, either.
    """

    lines: Lines
    staff: Staff
    day: Ints
    is_here: Bools
    may_call: Bools


@dataclass(frozen=True)
class Wishes:
    """What the clients of some lines would do without any contact.

    Attributes:
        hazard: Of the line's product in this month; NaN where it is held.
        drawn: Their draw of it.
        would_buy: They buy in this month.
        day: On this day, if so.
    """

    hazard: Floats
    drawn: Floats
    would_buy: Bools
    day: Ints


def keys(moment: Moment, lines: Lines) -> Ints:
    """A number for each line, by which its draws are made."""
    numbers: Ints = (moment.ids(lines.who) * CAMPAIGNS + lines.campaign) * PLACES + lines.place
    return numbers


def work(moment: Moment, task: Task, hazards: Mapping[str, Floats], portfolio: Portfolio) -> Worked:
    """Work through lines.

    Args:
        moment: The month.
        task: The lines, and who works through them when.
        hazards: True hazards by product, without contact.
        portfolio: What clients hold on the first of the month.
    """
    lines, day = task.lines, task.day
    wishes = _wishes(moment, lines, hazards, task.is_here)
    ends = _renewable(lines, day, portfolio)
    moved = _moved(moment, lines, task.staff, wishes)
    moved = np.where(may_be_sold(lines, hazards), moved, wishes.hazard)
    numbers, month = keys(moment, lines), moment.month
    is_reached = task.may_call & moment.draws.chance(
        "reached", month.index, numbers, task.staff.reach
    )
    had_before = np.where(lines.is_renewal, ~ends, np.isnan(wishes.hazard))
    has_before = wishes.would_buy & (wishes.day < day)
    is_contacted = is_reached & ~had_before & (~has_before | task.staff.is_claiming)
    is_open = is_contacted & ~lines.is_renewal & ~has_before
    is_extra = is_open & (wishes.drawn >= wishes.hazard) & (wishes.drawn < moved)
    at_once = moment.draws.chance("at once", month.index, numbers, SOLD_AT_ONCE)
    later = day + 1 + moment.draws.integer("closes", month.index, numbers, CLOSES_WITHIN)
    last = month.end_day - LAST_DAYS - 1
    return Worked(
        lines=lines,
        staff=task.staff,
        day=day,
        is_contacted=is_contacted,
        is_tried=task.may_call & ~is_reached & ~had_before & ~has_before,
        without=wishes.hazard,
        with_contact=_expected(moment, wishes.hazard, moved, day),
        would_buy=wishes.would_buy,
        would_buy_on=wishes.day,
        is_extra=_first_only(is_extra, lines, day),
        is_put_off=is_open & wishes.would_buy & (wishes.drawn >= moved),
        buys_on=np.where(at_once, day, np.minimum(later, last)),
        at_once=at_once,
        missing=_missing(lines, hazards),
    )


def _wishes(moment: Moment, lines: Lines, hazards: Mapping[str, Floats], is_here: Bools) -> Wishes:
    hazard, drawn = np.full(len(lines), np.nan), np.ones(len(lines))
    day = np.full(len(lines), NEVER)
    for product_id, of_product in hazards.items():
        mine = np.flatnonzero(lines.product == PLACE[product_id])
        who = lines.who[mine]
        hazard[mine] = of_product[who]
        drawn[mine] = moment.uniform(f"buys {product_id}", who)
        day[mine] = moment.day(f"bought {product_id}", who, moment.month.days - LAST_DAYS)
    return Wishes(hazard, drawn, is_here & (drawn < hazard), day)


def _moved(moment: Moment, lines: Lines, staff: Staff, wishes: Wishes) -> Floats:
    """The probability of buying with a contact, whenever in the month it is made."""
    added = np.zeros(len(lines))
    for place in np.unique(lines.product):
        mine = np.flatnonzero(lines.product == place)
        added[mine] = uplift(PRODUCTS[place], moment.people)[lines.who[mine]]
    sells = PREPARED * np.where(staff.is_pushy, PUSHY_SELLS, 1.0)
    added = np.where(added > 0, sells * added, added)
    moved: Floats = np.clip((wishes.hazard + added) * lines.factor + lines.added, 0, HIGHEST)
    return moved


def may_be_sold(lines: Lines, hazards: Mapping[str, Floats]) -> Bools:
    """Everything that goes with a line is held already, or may be."""
    sold = np.ones(len(lines), dtype=np.bool_)
    for product_id, of_product in hazards.items():
        wanted = (lines.products >> PLACE[product_id]) & 1 == 1
        sold &= ~wanted | ~(of_product[lines.who] == 0)
    return sold


def _missing(lines: Lines, hazards: Mapping[str, Floats]) -> Ints:
    """What of a line is not held yet, as bits."""
    missing = np.zeros(len(lines), dtype=np.int64)
    for product_id, of_product in hazards.items():
        missing |= (lines.products & (1 << PLACE[product_id])) * ~np.isnan(of_product[lines.who])
    return missing


def _expected(moment: Moment, hazard: Floats, moved: Floats, day: Ints) -> Floats:
    """With a contact on its day: who has bought before it can't be put off any more."""
    days = moment.month.days - LAST_DAYS
    left = np.clip((moment.month.first_day + days - day) / days, 0, 1)
    expected: Floats = np.where(moved < hazard, hazard - (hazard - moved) * left, moved)
    return expected


def _first_only(is_extra: Bools, lines: Lines, day: Ints) -> Bools:
    """Nobody is sold one product twice in a month."""
    order = np.lexsort((lines.campaign, day, lines.product, lines.who, ~is_extra))
    who, product = lines.who[order], lines.product[order]
    again = (np.diff(who, prepend=-1) == 0) & (np.diff(product, prepend=-1) == 0)
    is_first = np.empty(len(order), dtype=np.bool_)
    is_first[order] = ~again
    return is_extra & is_first


def _renewable(lines: Lines, day: Ints, portfolio: Portfolio) -> Bools:
    """What the client holds of the product ends after the contact."""
    ends = matures(lines, portfolio)
    found: Bools = (ends >= day) & (ends < NEVER)
    return found


def matures(lines: Lines, portfolio: Portfolio) -> Ints:
    """When what is held of each line's product ends, NEVER without."""
    rows = portfolio.holding[lines.product, lines.who]
    ends = np.full(len(lines), NEVER)
    ends[rows >= 0] = portfolio.holdings["matures"][rows[rows >= 0]]
    return ends


def renewal_share(product_id: str) -> float:
    """How likely what ends is renewed after a contact about it."""
    usual = RENEWED.get(product_id)
    return 0.0 if usual is None else min(usual + RENEWS_MORE, RENEWS_MOST)
