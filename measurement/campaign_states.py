"""Which campaigns can be compared; of the others it is said why not, and nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from measurement.cuts import Cells
from measurement.offers import Campaign
from measurement.randomised import Draw, balance, share_chance

MEASURED = "measured"
MOST = 0.5
# In this order: what comes first says most about what has to be done.
WHY_NOT: Mapping[str, str] = {
    "not_matured": "the time in which a purchase counts is not over",
    "no_control": "nobody was withheld by chance: what would have happened anyway is not known",
    "no_outcome": "nothing is known to have been bought in that time",
    "not_randomised": "chance alone would not have withheld these: see the table randomisation",
    "before_contact": "most of what was bought was bought before the first contact",
    "too_few": "fewer clients in an arm than measurement.effect.min_clients",
}


@dataclass(frozen=True)
class Verdict:
    """What can be said of one campaign.

    Attributes:
        state: ``measured``, or why not.
        is_later_known: Purchases of the months after the window are all known.
        draw: How its control was drawn.
    """

    state: str
    is_later_known: bool
    draw: Draw


def verdicts(offers: pa.Table, campaigns: Sequence[Campaign], whole: Cells) -> list[Verdict]:
    """Judge every campaign.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: In the order of the cells.
        whole: Sums of whole campaigns.
    """
    too_soon = _bought_before_contact(offers)
    unknown = _count(offers, offers["later_revenue"].is_null())
    judged = []
    for at, campaign in enumerate(campaigns):
        draw = drawn(whole, at, campaign.control_share)
        has_bought = bool(whole.sums["bought"][0, at].any())
        state = _state(campaign, draw, has_bought, too_soon.get(campaign.run_id, 0.0))
        judged.append(Verdict(state, not unknown.get(campaign.run_id), draw))
    return judged


def drawn(whole: Cells, campaign: int, share: float) -> Draw:
    """How a control was drawn, of all clients of a campaign."""
    clients = whole.sums["clients"][0, campaign]
    withheld, everybody = clients[0], clients.sum()
    chance = 1.0
    if not np.isnan(share):
        chance = float(share_chance(withheld, everybody, share))
    # Purchases, not what they are worth: a few dear products would hide the rest.
    before = "propensity" if "propensity" in whole.sums else "expected"
    sums = (whole.sums[name][0, campaign] for name in (before, f"{before}*{before}"))
    return Draw(int(everybody), int(withheld), share, chance, balance(clients, *sums))


def of_several(states: Sequence[str]) -> str:
    """Why several campaigns cannot be compared together, though none of them can alone."""
    return next((state for state in WHY_NOT if state in states), "no_control")


def _state(campaign: Campaign, draw: Draw, has_bought: bool, too_soon: float) -> str:
    rules = {
        "not_matured": not campaign.is_matured,
        "no_control": not draw.control or not campaign.control_share,
        "no_outcome": not campaign.has_deliveries or not has_bought,
        "not_randomised": not draw.is_by_chance,
        "before_contact": too_soon > MOST,
    }
    return next((state for state, holds in rules.items() if holds), MEASURED)


def _bought_before_contact(offers: pa.Table) -> dict[str, float]:
    """Of those who were contacted and bought, how many bought first; by campaign."""
    is_both = pc.and_(offers["bought_on"].is_valid(), offers["contacted_on"].is_valid())
    both = pc.and_(is_both, offers["is_treated"])
    is_first = pc.less(offers["bought_on"], offers["contacted_on"])
    contacted, first = _count(offers, both), _count(offers, pc.and_kleene(both, is_first))
    return {run: first.get(run, 0) / of for run, of in contacted.items()}


def _count(offers: pa.Table, mask: pa.ChunkedArray) -> dict[str, int]:
    runs = offers.filter(mask)["campaign"].cast(pa.string())
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(runs).to_pylist()}
