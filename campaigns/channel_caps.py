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
from conf.schema import RunConfig
from tables.reason_codes import ReasonCode

Caps = Mapping[Channel, int]
Leave = Mapping[Channel, Column]
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


def below_caps(leave: Leave, caps: Caps) -> Leave:
    """Leave to use each channel once more: what there is, of a capped one only below its cap."""
    return {
        channel: allowed & (F.col(channel_contacts(channel)) < caps[channel])
        if channel in caps
        else allowed
        for channel, allowed in leave.items()
    }


def channel_cap_gates(leave: Leave, caps: Caps) -> list[Gate]:
    """Every channel with leave is closed by its cap.

    Without leave on any, it passes: consent tells that.

    Args:
        leave: Whether there is leave to approach the customer, by channel of the offer.
        caps: As ``channel_caps`` gives them.

    Returns:
        One gate, or none where no channel of the offer has a cap.
    """
    days = [
        F.when(allowed, F.col(f"{channel_contacts(channel)}_pass_on"))
        for channel, allowed in leave.items()
        if channel in caps
    ]
    if not days:
        return []
    has_leave, is_left = (reduce(or_, one.values()) for one in (leave, below_caps(leave, caps)))
    # The least ignores nulls: the first channel that opens again.
    passes_on = F.least(*days) if len(days) > 1 else days[0]
    return [Gate(ReasonCode.CHANNEL_CAP, has_leave & ~is_left, passes_on)]
