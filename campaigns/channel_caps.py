"""How often a customer is approached by one channel: a channel used enough is closed for a while.

Other caps count an offer when it is chosen. This one closes the channel before: by as many contacts
early as a campaign may make to one customer, so that no choice of offers can go above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_

from pyspark.sql import Column, functions as F

from campaigns.gates import Gate
from conf.fields import Channel
from conf.schema import Offer, RunConfig
from tables.reason_codes import ReasonCode

Caps = Mapping[Channel, int]
NO_CAPS: Caps = {}


def channel_caps(config: RunConfig) -> Caps:
    """The contacts of 30 days with which each capped channel is closed; 0 is closed for good."""
    caps = config.contact_policy.max_contacts_30d_by_channel
    if not caps:
        return NO_CAPS
    offers = config.campaign.max_offers_per_customer
    return {channel: max(0, cap - offers + 1) for channel, cap in sorted(caps.items())}


def channel_contacts(channel: Channel) -> str:
    """Where the contacts of 30 days by a channel are counted."""
    return f"contacts_30d_by_{channel}"


def open_by_cap(channel: Channel, caps: Caps) -> Column | None:
    """The customer may be approached by it once more; None where it has no cap."""
    return F.col(channel_contacts(channel)) < caps[channel] if channel in caps else None


def channel_cap_gates(offer: Offer, leave: Mapping[Channel, Column], caps: Caps) -> list[Gate]:
    """Every channel of the offer with leave is closed by its cap.

    Without leave on any, it passes: consent tells that.

    Args:
        offer: Its channels.
        leave: Whether there is leave to approach the customer, by channel.
        caps: As ``channel_caps`` gives them.

    Returns:
        One gate, or none where no channel of the offer has a cap.
    """
    if not set(offer.channels) & set(caps):
        return []
    is_left = reduce(or_, (_is_left(channel, leave[channel], caps) for channel in offer.channels))
    days = [
        F.when(leave[channel], F.col(f"{channel_contacts(channel)}_pass_on"))
        for channel in offer.channels
        if channel in caps
    ]
    may_be_asked = reduce(or_, leave.values())
    # The least ignores nulls: the first channel that opens again.
    passes_on = F.least(*days) if len(days) > 1 else days[0]
    return [Gate(ReasonCode.CHANNEL_CAP, may_be_asked & ~is_left, passes_on)]


def _is_left(channel: Channel, leave: Column, caps: Caps) -> Column:
    is_open = open_by_cap(channel, caps)
    return leave if is_open is None else leave & is_open
