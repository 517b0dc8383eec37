"""May the customer be approached about this, in this way? Where consent is asked, unknown is no."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.gates import Gate
from campaigns.law import PROFILING, marketing_purposes, permission
from conf.fields import Channel
from conf.jurisdiction import JurisdictionProfile
from conf.schema import Offer, Product
from tables.reason_codes import ReasonCode


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


def consent_gates(
    offer: Offer, product: Product, law: JurisdictionProfile, *more: Product
) -> list[Gate]:
    """Leave to market the product's kind, and to profile, since a score is profiling.

    A package needs the leave for ``more`` of its products as well, on the same channel.

    What leave rests on, consent or the lack of an objection, is the law's.

    Both together pass exactly where one channel of the offer has both. Time alone never makes them
    pass: a grant that is dated later is told when its day has come.
    """
    marketing = marketing_purposes([product, *more])
    may_contact = _on_any(offer, marketing, law)
    may_profile = _on_any(offer, [PROFILING], law)
    may_both = _on_any(offer, [*marketing, PROFILING], law)
    return [
        Gate(ReasonCode.NO_CONSENT, fails=~may_contact),
        Gate(ReasonCode.NO_PROFILING_CONSENT, fails=~may_profile | (may_contact & ~may_both)),
    ]


def consented_channel(
    offer: Offer, product: Product, law: JurisdictionProfile, *more: Product
) -> Column:
    """The first of the offer's channels that has leave for all of it, or null."""
    needed = [*marketing_purposes([product, *more]), PROFILING]
    return F.coalesce(
        *(F.when(_may_use(needed, name, law), F.lit(name)) for name in offer.channels)
    )


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


def _on_any(offer: Offer, purposes: list[str], law: JurisdictionProfile) -> Column:
    return reduce(or_, (_may_use(purposes, channel, law) for channel in offer.channels))


def _may_use(purposes: list[str], channel: Channel, law: JurisdictionProfile) -> Column:
    return reduce(and_, (_has_leave(purpose, channel, law) for purpose in purposes))


def _has_leave(purpose: str, channel: Channel, law: JurisdictionProfile) -> Column:
    # Nobody asked is nobody agreed, and nobody objected: such a customer has no arrays.
    def is_among(answers: str) -> Column:
        return F.coalesce(F.array_contains(answers, f"{purpose}/{channel}"), F.lit(False))

    return is_among("granted") if permission(law, purpose) == "consent" else ~is_among("refused")
