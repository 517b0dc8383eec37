"""May the customer be approached about this, in this way? Where consent is asked, unknown is no."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from itertools import product as pairs
from operator import and_, or_

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.channel_caps import NO_CAPS, Caps, below_caps, channel_cap_gates
from campaigns.gates import Gate
from campaigns.law import PROFILING, PURPOSES, marketing_purposes, permission
from conf.fields import Channel
from conf.jurisdiction import JurisdictionProfile
from conf.schema import Offer, Product
from tables.reason_codes import ReasonCode

ALL_PURPOSES = (*PURPOSES.values(), PROFILING)


def granted_consents(consents: DataFrame, as_of: date) -> DataFrame:
    """What each customer agrees to and what not, as ``granted`` and ``refused``.

    The latest change of a purpose and channel decides. A grant dated on or after ``as_of`` does not
    count yet; a withdrawal counts as soon as it is known.

    Returns:
        One row per customer who was ever asked: two arrays of ``purpose/channel``.
    """
    latest = consents.groupBy("customer_id", "purpose", "channel").agg(
        F.max_by("is_granted", "changed_at").alias("is_granted"),
        F.max("changed_at").alias("changed_at"),
    )
    is_in_force = F.col("is_granted") & (F.col("changed_at") < F.lit(as_of).cast("timestamp"))
    asked = F.concat_ws("/", "purpose", "channel")
    return latest.groupBy("customer_id").agg(
        F.sort_array(F.collect_set(F.when(is_in_force, asked))).alias("granted"),
        F.sort_array(F.collect_set(F.when(~is_in_force, asked))).alias("refused"),
    )


def consent_gates(offer: Offer, product: Product, *more: Product) -> list[Gate]:
    """Leave to market the product's kind, and to profile, since a score is profiling.

    A package needs the leave for ``more`` of its products as well, on the same channel.

    Both together pass exactly where one channel of the offer has both. Time alone never makes them
    pass: a grant that is dated later is told when its day has come.
    """
    marketing = marketing_purposes([product, *more])
    may_contact = _on_any(offer, marketing)
    may_profile = _on_any(offer, [PROFILING])
    may_both = _on_any(offer, [*marketing, PROFILING])
    return [
        Gate(ReasonCode.NO_CONSENT, fails=~may_contact),
        Gate(ReasonCode.NO_PROFILING_CONSENT, fails=~may_profile | (may_contact & ~may_both)),
    ]


def closed_channel_gates(offer: Offer, caps: Caps, product: Product, *more: Product) -> list[Gate]:
    """Where there is leave, the cap of the channel must be open."""
    return channel_cap_gates(_leave(offer.channels, product, *more), caps)


def consented_channel(
    channels: Sequence[Channel], product: Product, *more: Product, caps: Caps = NO_CAPS
) -> Column:
    """Of channels that are alike the preferred one, else the first; null if none is open.

    A channel is open with leave to market the kind of all products, and to profile, and below its
    cap.
    """
    usable = below_caps(_leave(channels, product, *more), caps)
    is_preferred = {name: F.col("preferred_channel").eqNullSafe(F.lit(name)) for name in channels}
    preferred = [F.when(is_preferred[name] & leave, F.lit(name)) for name, leave in usable.items()]
    in_order = [F.when(leave, F.lit(name)) for name, leave in usable.items()]
    return F.coalesce(*(preferred if len(channels) > 1 else []), *in_order)


def consent_basis(
    product: Product, channel: Column, law: JurisdictionProfile, *more: Product
) -> Column:
    """Purpose and channel of the consent relied on, or null; of a package, one after the other.

    Where the law asks for none and none was given, it says ``no_objection_to_`` before them.
    """
    found = [_basis(purpose, channel, law) for purpose in marketing_purposes([product, *more])]
    if len(found) == 1:
        return found[0]
    return F.when(channel.isNotNull(), F.concat_ws(", ", *found))


def _basis(purpose: str, channel: Column, law: JurisdictionProfile) -> Column:
    basis = F.concat(F.lit(f"{purpose}/"), channel)
    if permission(law, purpose) == "consent":
        return basis
    is_granted = F.coalesce(F.array_contains("granted", basis), F.lit(False))
    return F.when(is_granted, basis).otherwise(F.concat(F.lit("no_objection_to_"), basis))


def answer_columns(channels: Iterable[Channel], law: JurisdictionProfile) -> list[Column]:
    """Whether an answer gives leave for each purpose on each channel, over ``granted_consents``.

    What leave rests on, consent or the lack of an objection, is the law's.
    """
    return [
        _answer(purpose, channel, law).alias(f"answer_{_name(purpose, channel)}")
        for purpose, channel in pairs(ALL_PURPOSES, channels)
    ]


def leave_columns(channels: Iterable[Channel], law: JurisdictionProfile) -> list[Column]:
    """Whether there is leave, over ``answer_columns`` or none of them.

    Gates and ways ask for these columns many times over. Nobody asked is nobody agreed, and nobody
    objected.
    """
    return [
        F.coalesce(
            f"answer_{_name(purpose, channel)}", F.lit(permission(law, purpose) != "consent")
        ).alias(f"has_leave_{_name(purpose, channel)}")
        for purpose, channel in pairs(ALL_PURPOSES, channels)
    ]


def _leave(channels: Sequence[Channel], *products: Product) -> dict[Channel, Column]:
    """Leave to market all of these products, and to profile, by channel."""
    needed = [*marketing_purposes(products), PROFILING]
    return {name: _may_use(needed, name) for name in channels}


def _on_any(offer: Offer, purposes: list[str]) -> Column:
    return reduce(or_, (_may_use(purposes, channel) for channel in offer.channels))


def _may_use(purposes: list[str], channel: Channel) -> Column:
    return reduce(and_, (F.col(f"has_leave_{_name(purpose, channel)}") for purpose in purposes))


def _answer(purpose: str, channel: Channel, law: JurisdictionProfile) -> Column:
    asked = f"{purpose}/{channel}"
    if permission(law, purpose) == "consent":
        return F.array_contains("granted", asked)
    return ~F.array_contains("refused", asked)


def _name(purpose: str, channel: Channel) -> str:
    return f"{purpose}_{channel}"
