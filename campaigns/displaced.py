"""What an offer that was not chosen would have had to be worth, given those that were.

To make room for it, within every limit it needs, offers have to give way. If it is worth more than
the cheapest that can be found to give way, and more than the choice may be short of the best one,
no choice without it is as good: a choice without it is worth at most the upper bound that was
proven, and one with it exists that is worth more. So the figure is enough; a little less may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from campaigns.competition import Competition, Terms
from campaigns.optimiser_problem import NO_GROUP, NO_LIMIT, Bools, Ints, Limit

# What ``Competition`` asks of options.
OPTIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("customer_id", "offer_id", "product_id", "branch_id")),
        *((name, pa.string()) for name in ("household_id", "advisor_id", "channel", "lever_code")),
        ("event", pa.string()),
        ("propensity", pa.float64()),
        ("way", pa.int32()),
        ("is_exploration", pa.bool_()),
        *((name, pa.int64()) for name in ("profit_cents", "cost_cents", "lever_cents")),
    ]
)


@dataclass(frozen=True)
class Refused:
    """An offer that was not chosen.

    Attributes:
        option: Shaped ``OPTIONS``, as its best way was.
        contacts_left: That the caps of client and household still allowed.
        products: What it is made of.
    """

    option: Mapping[str, object]
    contacts_left: int
    products: Sequence[str]


def worth_needed(refused: Refused, made: pa.Table, short_cents: int, terms: Terms) -> int | None:
    """Cents that it would have had to be worth, to be chosen for sure; None if nothing helps.

    Args:
        refused: The offer.
        made: All offers that were made, shaped ``OPTIONS``.
        short_cents: By how much the choice may be short of the best one: the bound less its value.
        terms: Limits of the campaign.
    """
    rows = pa.concat_tables([made, pa.Table.from_pylist([dict(refused.option)], OPTIONS)])
    rows = rows.append_column("is_worth_it", pa.array(np.ones(len(rows), np.bool_)))
    competition = Competition.among(rows, terms)
    room = _Room.of(competition, refused, terms)
    room.among_its_own(refused, terms)
    for limit in competition.limits:
        if not room.within(limit):
            return None
    return room.cost + short_cents + 1


@dataclass
class _Room:
    """Which offers give way.

    Attributes:
        wanted: The place of the offer itself.
        stays: Which are still there; the offer itself among them.
        may_go: Which may be asked to; what chance chose stays.
    """

    competition: Competition
    wanted: int
    stays: Bools
    may_go: Bools

    @staticmethod
    def of(competition: Competition, refused: Refused, terms: Terms) -> _Room:
        rows = competition.rows
        customer, offer = (
            np.asarray(rows[name].to_numpy(zero_copy_only=False))
            for name in ("customer_id", "offer_id")
        )
        is_it = (customer == refused.option["customer_id"]) & (offer == refused.option["offer_id"])
        [wanted] = np.flatnonzero(is_it)
        stays = np.ones(len(rows), np.bool_)
        by_chance = np.asarray(rows["is_exploration"].to_numpy(zero_copy_only=False), np.bool_)
        is_needed = _keeps_a_minimum(competition, terms)
        return _Room(competition, int(wanted), stays, ~by_chance & ~is_it & ~is_needed)

    @property
    def cost(self) -> int:
        """What those who gave way were worth, in cents."""
        return int(self.competition.value[~self.stays].sum())

    def among_its_own(self, refused: Refused, terms: Terms) -> None:
        """The client's and the household's own: alike ones, then the cheapest beyond a cap."""
        of_client = self.competition.customer == self.competition.customer[self.wanted]
        for place in np.flatnonzero(of_client & self.may_go):
            if self._is_alike(int(place), refused.products, terms):
                self._let_go(int(place))
        settings = terms.settings
        at_home = self.competition.household == self.competition.household[self.wanted]
        for own, most in (
            (of_client, min(settings.max_offers_per_customer, refused.contacts_left)),
            (at_home, min(settings.max_offers_per_household, refused.contacts_left)),
        ):
            self._keep(own, most)

    def within(self, limit: Limit) -> bool:
        """Let the cheapest go until a limit is kept; False if it cannot be."""
        group = int(limit.group[self.wanted])
        if group == NO_GROUP or limit.most[group] >= NO_LIMIT:
            return True
        inside = limit.group == group
        while limit.used(np.flatnonzero(self.stays))[group] > limit.most[group]:
            place = self._cheapest(inside & (limit.amount > 0))
            if place is None:
                return False
            self._let_go(place)
        return True

    def _keep(self, own: Bools, most: int) -> None:
        """Let the cheapest go until a cap is kept, as far as any may."""
        while (self.stays & own).sum() > most:
            place = self._cheapest(own)
            if place is None:
                return
            self._let_go(place)

    def _cheapest(self, among: Bools) -> int | None:
        open_ = np.flatnonzero(among & self.stays & self.may_go)
        return int(open_[np.argmin(self.competition.value[open_])]) if len(open_) else None

    def _let_go(self, place: int) -> None:
        self.stays[place] = False

    def _is_alike(self, place: int, products: Sequence[str], terms: Terms) -> bool:
        """About one of the same products, or of their fatigue classes, whose cap it may exhaust."""
        other = terms.offers[self.competition.rows["offer_id"][place].as_py()].products
        classes = [
            {terms.products[name].fatigue_class for name in own} for own in (other, products)
        ]
        return bool(set(other) & set(products)) or bool(classes[0] & classes[1])


def _keeps_a_minimum(competition: Competition, terms: Terms) -> Bools:
    """Which offers count towards a minimum: none of them is asked to give way."""
    found = np.zeros(len(competition.rows), np.bool_)
    for limit in competition.limits:
        least: Ints = np.append(limit.least, 0)  # of no group
        found |= least[limit.group] > 0
    return found
