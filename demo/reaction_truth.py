"""What came of each line of a list and what would have: `demo.truth` says it in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demo.columns import booleans, coded, dates
from demo.deliveries import advisor_ids, branch_ids, customer_ids
from demo.desk import Outcome
from demo.draws import Bools, Floats, Ints
from demo.moment import Moment
from demo.months import EPOCH, NEVER, Month, day_number
from demo.people import NO_ONE, People
from demo.portfolio import PRODUCTS, Portfolio
from demo.purchases import RENEWED
from demo.reactions import Worked, matures, renewal_share
from demo.worklists import Worklists

GIVEN_BACK_WITHIN = 60  # days
DECIMALS = 6


class _Terms(NamedTuple):
    """Of a renewal: what ends when, and what is done about it without a contact."""

    row: Ints  # of the holding, NO_ONE where the line is no renewal or nothing ends
    ends: Ints
    would_renew: Bools


class ReactionTruth:
    """The truth about the lines of one chunk."""

    def __init__(self, people: People, lists: Worklists) -> None:
        self._people = people
        self._lists = lists
        self._begun: list[tuple[Worked, _Terms]] = []
        self._outcomes: list[Outcome] = []

    def begin(self, moment: Moment, worked: Worked, portfolio: Portfolio) -> None:
        """A month's lines, before anything ends in it."""
        self._begun.append((worked, self._terms(moment, worked, portfolio)))

    def end(self, outcome: Outcome) -> None:
        """What came of the lines of the month that was begun last."""
        self._outcomes.append(outcome)

    def _terms(self, moment: Moment, worked: Worked, portfolio: Portfolio) -> _Terms:
        lines = worked.lines
        ends = np.where(lines.is_renewal, matures(lines, portfolio), NEVER)
        row = np.where(ends < NEVER, portfolio.holding[lines.product, lines.who], NO_ONE)
        would = np.zeros(len(lines), dtype=np.bool_)
        for product_id, usual in RENEWED.items():
            mine = np.flatnonzero((ends < NEVER) & (lines.product == PRODUCTS.index(product_id)))
            for month in np.unique(_months(ends[mine])):
                these = mine[_months(ends[mine]) == month]
                index = moment.month.index + int(month) - _month_of(moment.month)
                drawn = moment.draws.uniform(
                    f"renews {product_id}", index, moment.ids(lines.who[these])
                )
                would[these] = drawn < usual
        return _Terms(row, ends, would)

    def table(self, portfolio: Portfolio) -> pa.Table | None:
        """All lines, with what became of them by the end."""
        closed = _closed_by_purchase(portfolio)
        parts = [
            self._rows(worked, terms, outcome, portfolio, closed)
            for (worked, terms), outcome in zip(self._begun, self._outcomes, strict=True)
        ]
        return pa.concat_tables(parts) if parts else None

    def _rows(
        self,
        worked: Worked,
        terms: _Terms,
        outcome: Outcome,
        portfolio: Portfolio,
        closed: dict[tuple[int, int, int], int],
    ) -> pa.Table:
        lines, lists = worked.lines, self._lists
        begun = np.array([day_number(campaign.as_of) for campaign in lists.campaigns])
        without, with_contact = _chances(worked, terms)
        bought = worked.has_bought()
        bought_on = np.where(worked.is_extra, worked.buys_on, worked.would_buy_on)
        bought_on = np.where(bought, bought_on, NEVER)
        renewed = portfolio.holdings["matures"][np.maximum(terms.row, 0)] > terms.ends
        is_renewed = (terms.row != NO_ONE) & renewed
        kept = [
            closed.get(key, NEVER)
            for key in zip(
                lines.who.tolist(), lines.product.tolist(), bought_on.tolist(), strict=True
            )
        ]
        is_soon = bought & (np.array(kept, dtype=np.int64) - bought_on <= GIVEN_BACK_WITHIN)
        advisors = advisor_ids(np.maximum(lines.advisor, 0))
        has_advisor = pa.array(lines.advisor != NO_ONE)
        return pa.table(
            {
                "campaign": dates(begun[lines.campaign]),
                "customer_id": customer_ids(self._people.ids[lines.who]),
                "offer_id": coded(lines.offer, lists.offer_ids).cast(pa.string()),
                "product_id": coded(lines.product, PRODUCTS).cast(pa.string()),
                "is_renewal": booleans(lines.is_renewal),
                "branch_id": branch_ids(lines.branch),
                "advisor_id": pc.if_else(has_advisor, advisors, pa.scalar(None, pa.string())),
                "reach": pa.array(np.round(worked.staff.reach, DECIMALS)),
                "is_careless": booleans(worked.staff.is_careless),
                "is_pushy": booleans(worked.staff.is_pushy),
                "is_claiming": booleans(worked.staff.is_claiming),
                "planned_on": dates(worked.day),
                "contacted_on": dates(np.where(worked.is_contacted, worked.day, NEVER)),
                "without": pa.array(np.round(without, DECIMALS), mask=np.isnan(without)),
                "with_contact": pa.array(np.round(with_contact, DECIMALS), mask=np.isnan(without)),
                "would_have_bought": booleans(worked.would_buy | terms.would_renew),
                "has_bought": booleans(bought | is_renewed),
                "bought_on": dates(bought_on),
                "is_given_back": booleans(is_soon),
                "has_objected": booleans(outcome.objects),
                "has_complained": booleans(outcome.complains),
            }
        )


def _chances(worked: Worked, terms: _Terms) -> tuple[Floats, Floats]:
    """Of buying in the month, or of renewing what ends; NaN where there was nothing to buy."""
    without, with_contact = worked.without.copy(), worked.with_contact.copy()
    for place in np.unique(worked.lines.product[terms.row != NO_ONE]):
        mine = (terms.row != NO_ONE) & (worked.lines.product == place)
        usual = RENEWED.get(PRODUCTS[place], 0.0)
        without[mine], with_contact[mine] = usual, renewal_share(PRODUCTS[place])
    return without, with_contact


def _closed_by_purchase(portfolio: Portfolio) -> dict[tuple[int, int, int], int]:
    """When a holding ended, by customer, product and day of purchase."""
    rows = portfolio.holdings
    names = ("who", "product", "opened", "closed")
    who, product, opened, closed = (rows[name].tolist() for name in names)
    return dict(zip(zip(who, product, opened, strict=True), closed, strict=True))


def _months(days: Ints) -> Ints:
    """Months since 1970 of days."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _month_of(month: Month) -> int:
    return (month.first.year - EPOCH.year) * 12 + month.first.month - EPOCH.month
