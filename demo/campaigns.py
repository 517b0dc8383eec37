"""Past campaigns: who was chosen, whom chance kept as control, and what the contact really did.

Planted uplift: a contact about a product adds ``uplift`` to that month's probability of buying it.
It does not depend on the propensity but on habits: customers who do their business in branches
respond, wholly digital ones are put off (negative), and some do not care (zero). The control group
is drawn by chance from those chosen, so treated minus control estimates it without bias; contacts
are delivered for the treated only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conf.schema import Product
from demo.consents import INTERNAL, PARTNER, PROFILING, Consents
from demo.draws import Bools, Floats, Ints
from demo.flags import Flags
from demo.hazards import PLANTED
from demo.moment import Moment
from demo.months import Month
from demo.people import NO_ONE, People
from demo.portfolio import PLACE
from demo.vocabulary import CONTACT_CHANNELS, DISPOSITIONS

FIRST_MONTH = 6
PRODUCTS_A_MONTH, NEXT_PRODUCT = 3, 5
CHOSEN = 0.15  # of those who may be contacted, more among the likely buyers
COLDEST, WARMEST = 0.4, 1.6
CONTROL = 0.2  # of the chosen
REST_MONTHS = 2  # without contact after a contact
BRANCH, PHONE = CONTACT_CHANNELS.index("branch"), CONTACT_CHANNELS.index("phone")
LIKES_PHONE = 0.4
FIRST_CONTACT, CONTACT_DAYS, RESULT_DAYS = 1, 18, 6
HIGHEST = 0.9
TYPICAL_HAZARD = {"mortgage": 0.003, "car_leasing": 0.003}
OTHER_HAZARD = 0.01
# Uplift in typical hazards: of those never online, and less for each share done online.
IN_BRANCH, PER_ONLINE, INDIFFERENT = 2.6, 3.8, 0.3
# Results of the treated who did not buy, in the order of DISPOSITIONS; the rest is unsuitable.
NOT_SOLD = (0.10, 0.28, 0.27, 0.31, 0.012)
SOLD_AT_ONCE = 0.7
SOLD, INTERESTED, OPT_OUT = (DISPOSITIONS.index(name) for name in ("sold", "interested", "opt_out"))


@dataclass(frozen=True)
class Chosen:
    """The customers of one campaign and product, the control included."""

    product_id: str
    who: Ints
    is_treated: Bools
    contacted: Ints  # day
    channel: Ints

    def day_of_contact(self, customers: int, who: Ints) -> Ints:
        """Day on which these customers were contacted, 0 if they were not."""
        days = np.zeros(customers, dtype=np.int64)
        days[self.who[self.is_treated]] = self.contacted[self.is_treated]
        return days[who]


@dataclass(frozen=True)
class Contacts:
    """What is delivered of a campaign."""

    who: Ints
    products: Ints  # places in `demo.portfolio.PRODUCTS`
    channel: Ints
    contacted: Ints
    disposition: Ints
    disposed: Ints

    def is_opt_out(self) -> Bools:
        """The customer wants no more marketing."""
        opted_out: Bools = self.disposition == OPT_OUT
        return opted_out


def uplift(product_id: str, people: People) -> Floats:
    """Added to the month's probability of buying by a contact."""
    response = IN_BRANCH - PER_ONLINE * people.temperament.digital
    response = np.where(np.abs(response) < INDIFFERENT, 0.0, response)
    return _typical(product_id) * response


def choose(
    moment: Moment,
    products: Mapping[str, Product],
    hazards: Mapping[str, Floats],
    consents: Consents,
    may_contact: Bools,
) -> list[Chosen]:
    """This month's campaigns; nobody is in two of them."""
    if moment.month.index < FIRST_MONTH:
        return []
    free = may_contact.copy()
    campaigns = []
    for product_id in _on_offer(moment.month, [name for name in PLANTED if name in products]):
        purpose = PARTNER if products[product_id].kind == "partner" else INTERNAL
        channel = _channel(moment, consents, purpose)
        allowed = free & (channel != NO_ONE) & (np.nan_to_num(hazards[product_id]) > 0)
        share = CHOSEN * _warmth(product_id, hazards[product_id])
        who = np.flatnonzero(allowed & moment.chance(f"chosen {product_id}", share))
        free[who] = False
        campaigns.append(_campaign(moment, product_id, who, channel[who]))
    return campaigns


def may_contact(
    moment: Moment, consents: Consents, flags: Flags, active: Bools, last_contact: Ints
) -> Bools:
    """Those whom the bank of the time would have approached at all."""
    is_rested = moment.month.index - last_contact > REST_MONTHS
    allows = consents.allows(PROFILING, BRANCH)
    return active & is_rested & allows & ~flags.has_any() & ~moment.people.is_employee


def treated_hazard(campaign: Chosen, people: People, hazard: Floats) -> Floats:
    """The hazard of this month, with the uplift where somebody was contacted."""
    treated = campaign.who[campaign.is_treated]
    moved = hazard.copy()
    with_contact = hazard[treated] + uplift(campaign.product_id, people)[treated]
    moved[treated] = np.clip(with_contact, 0, HIGHEST)
    return moved


def contacts_of(moment: Moment, campaign: Chosen, buyers: Ints) -> Contacts:
    """How the contacts went; a sale is not always closed in the contact itself."""
    who = campaign.who[campaign.is_treated]
    drawn = moment.uniform(f"result {campaign.product_id}", who)
    not_sold = 1 + np.digitize(drawn, np.cumsum(NOT_SOLD))
    sold = np.where(drawn < SOLD_AT_ONCE, SOLD, INTERESTED)
    contacted = campaign.contacted[campaign.is_treated]
    return Contacts(
        who=who,
        products=np.full(len(who), PLACE[campaign.product_id]),
        channel=campaign.channel[campaign.is_treated],
        contacted=contacted,
        disposition=np.where(np.isin(who, buyers), sold, not_sold),
        disposed=contacted + moment.integer(f"result day {campaign.product_id}", RESULT_DAYS, who),
    )


def _on_offer(month: Month, product_ids: Sequence[str]) -> list[str]:
    """Products take turns; none of a month's are next to each other in the catalogue."""
    turn = month.index - FIRST_MONTH
    places = {(turn + place * NEXT_PRODUCT) % len(product_ids) for place in range(PRODUCTS_A_MONTH)}
    return [product_ids[place] for place in sorted(places)]


def _channel(moment: Moment, consents: Consents, purpose: int) -> Ints:
    """Branch or phone, as the customer likes and allows; else none."""
    branch, phone = consents.allows(purpose, BRANCH), consents.allows(purpose, PHONE)
    by_phone = phone & ((moment.always("likes phone") < LIKES_PHONE) | ~branch)
    return np.select([by_phone, branch], [PHONE, BRANCH], NO_ONE)


def _typical(product_id: str) -> float:
    return TYPICAL_HAZARD.get(product_id, OTHER_HAZARD)


def _warmth(product_id: str, hazard: Floats) -> Floats:
    """The bank's own guess of who is likely, as a factor on the chance of being chosen."""
    known = np.nan_to_num(hazard)
    return COLDEST + (WARMEST - COLDEST) * known / (known + _typical(product_id))


def _campaign(moment: Moment, product_id: str, who: Ints, channel: Ints) -> Chosen:
    is_control = moment.chance(f"control {product_id}", CONTROL, who)
    contacted = moment.day(f"contact {product_id}", who, CONTACT_DAYS) + FIRST_CONTACT
    return Chosen(product_id, who, ~is_control, contacted, channel)
