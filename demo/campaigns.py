"""Past campaigns: who was chosen, whom chance kept as control, and what the contact really did.

Planted uplift: a contact about a product adds ``uplift`` to that month's probability of buying it. It does not
depend on the propensity but on habits: customers who do their business in branches respond, wholly digital ones
are put off (negative), and some do not care (zero). The control group is drawn by chance from those chosen, so
treated minus control estimates it without bias; contacts are delivered for the treated only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conf.schema import Product
from demo.consents import INTERNAL, PARTNER, PROFILING, Consents
from demo.draws import ALWAYS, Bools, Draws, Floats, Ints
from demo.flags import Flags
from demo.hazards import PLANTED
from demo.months import Month
from demo.people import NO_ONE, People
from demo.portfolio import PLACE
from demo.vocabulary import CONTACT_CHANNELS, DISPOSITIONS

FIRST_MONTH = 6
PRODUCTS_A_MONTH = 3
CHOSEN = 0.15  # of those who may be contacted, more among the likely buyers
CONTROL = 0.2  # of the chosen
REST_MONTHS = 2  # without contact after a contact
BRANCH, PHONE = CONTACT_CHANNELS.index("branch"), CONTACT_CHANNELS.index("phone")
HIGHEST = 0.9
UPLIFT_SHARE = 1.2  # typical uplift as a multiple of the product's typical hazard
TYPICAL_HAZARD = {"mortgage": 0.003, "car_leasing": 0.003}
OTHER_HAZARD = 0.01
# Dispositions of the treated who did not buy: interested … unsuitable, in the order of DISPOSITIONS.
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
        return self.disposition == OPT_OUT


def uplift(product_id: str, people: People) -> Floats:
    """Added to the month's probability of buying by a contact."""
    typical = TYPICAL_HAZARD.get(product_id, OTHER_HAZARD) * UPLIFT_SHARE
    response = 2.2 - 3.2 * people.temperament.digital
    response = np.where(np.abs(response) < 0.25, 0.0, response)
    return typical * response


def choose(  # noqa: PLR0913 - all that a choice depends on
    draws: Draws,
    month: Month,
    people: People,
    products: Mapping[str, Product],
    hazards: Mapping[str, Floats],
    consents: Consents,
    may_contact: Bools,
) -> list[Chosen]:
    """This month's campaigns; nobody is in two of them."""
    if month.index < FIRST_MONTH:
        return []
    free = may_contact.copy()
    campaigns = []
    for product_id in _on_offer(month, [name for name in PLANTED if name in products]):
        is_partner = products[product_id].kind == "partner"
        channel = _channel(draws, people, consents, PARTNER if is_partner else INTERNAL)
        allowed = free & (channel != NO_ONE) & (np.nan_to_num(hazards[product_id]) > 0)
        share = CHOSEN * (0.4 + 1.2 * _warmth(product_id, hazards[product_id]))
        picked = draws.chance(f"chosen {product_id}", month.index, people.ids, share)
        who = np.flatnonzero(allowed & picked)
        free[who] = False
        campaigns.append(_campaign(draws, month, people, product_id, who, channel[who]))
    return campaigns


def may_contact(
    people: People, consents: Consents, flags: Flags, active: Bools, last_contact: Ints, month: Month
) -> Bools:
    """Those whom the bank of the time would have approached at all."""
    is_rested = month.index - last_contact > REST_MONTHS
    allows = consents.allows(PROFILING, BRANCH)
    return active & is_rested & allows & ~flags.has_any() & ~people.is_employee


def treated_hazard(campaign: Chosen, people: People, hazard: Floats) -> Floats:
    """The hazard of this month, with the uplift where somebody was contacted."""
    treated = campaign.who[campaign.is_treated]
    moved = hazard.copy()
    moved[treated] = np.clip(
        hazard[treated] + uplift(campaign.product_id, people)[treated], 0, HIGHEST
    )
    return moved


def contacts_of(
    draws: Draws, month: Month, people: People, campaign: Chosen, buyers: Ints
) -> Contacts:
    """How the contacts went; a sale is not always closed in the contact itself."""
    who = campaign.who[campaign.is_treated]
    ids = people.ids[who]
    purpose = f"disposition {campaign.product_id}"
    drawn = draws.uniform(purpose, month.index, ids)
    not_sold = 1 + np.digitize(drawn, np.cumsum(NOT_SOLD))
    sold = np.where(drawn < SOLD_AT_ONCE, SOLD, INTERESTED)
    disposition = np.where(np.isin(who, buyers), sold, not_sold)
    contacted = campaign.contacted[campaign.is_treated]
    disposed = contacted + draws.integer(f"{purpose} day", month.index, ids, 6)
    channel = campaign.channel[campaign.is_treated]
    product = np.full(len(who), PLACE[campaign.product_id])
    return Contacts(who, product, channel, contacted, disposition, disposed)


def _on_offer(month: Month, product_ids: Sequence[str]) -> list[str]:
    """Products take turns; three in a month, none of them next to each other in the catalogue."""
    size = len(product_ids)
    turn = month.index - FIRST_MONTH
    places = {(turn + place * 5) % size for place in range(PRODUCTS_A_MONTH)}
    return [product_ids[place] for place in sorted(places)]


def _channel(draws: Draws, people: People, consents: Consents, purpose: int) -> Ints:
    """Branch or phone, as the customer likes and allows; else none."""
    branch, phone = consents.allows(purpose, BRANCH), consents.allows(purpose, PHONE)
    by_phone = phone & (draws.chance("likes phone", ALWAYS, people.ids, 0.4) | ~branch)
    return np.select([by_phone, branch], [PHONE, BRANCH], NO_ONE)


def _warmth(product_id: str, hazard: Floats) -> Floats:
    """The bank's own guess of who is likely, from 0 to 1."""
    typical = TYPICAL_HAZARD.get(product_id, OTHER_HAZARD)
    known = np.nan_to_num(hazard)
    return known / (known + typical)


def _campaign(  # noqa: PLR0913
    draws: Draws, month: Month, people: People, product_id: str, who: Ints, channel: Ints
) -> Chosen:
    ids = people.ids[who]
    is_control = draws.chance(f"control {product_id}", month.index, ids, CONTROL)
    contacted = month.first_day + 1 + draws.integer(f"contact {product_id}", month.index, ids, 18)
    return Chosen(product_id, who, ~is_control, contacted, channel)
