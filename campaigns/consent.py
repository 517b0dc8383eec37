"""Has the customer agreed to be approached about this, in this way? Unknown is no."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.gates import Gate
from campaigns.rules import PURPOSES
from conf.fields import Channel
from conf.schema import Offer, Product
from tables.reason_codes import ReasonCode

PROFILING = "profiling"


def granted_consents(consents: DataFrame, as_of: date) -> DataFrame:
    """What each customer agrees to, as the array ``granted`` of ``purpose/channel``.

    The latest change of a purpose and channel decides. A grant dated on or after ``as_of`` does not
    count yet; a withdrawal counts as soon as it is known.
    """
    latest = consents.groupBy("customer_id", "purpose", "channel").agg(
        F.max_by("is_granted", "changed_at").alias("is_granted"),
        F.max("changed_at").alias("changed_at"),
    )
    is_in_force = F.col("is_granted") & (F.col("changed_at") < F.lit(as_of).cast("timestamp"))
    return (
        latest.where(is_in_force)
        .groupBy("customer_id")
        .agg(F.sort_array(F.collect_set(F.concat_ws("/", "purpose", "channel"))).alias("granted"))
    )


def consent_gates(offer: Offer, product: Product) -> list[Gate]:
    """Marketing consent for the product's kind, and profiling consent, since a score is profiling.

    Both together pass exactly where one channel of the offer has both. Time alone never makes them
    pass: a grant that is dated later is told when its day has come.
    """
    may_contact = _on_any(offer, [PURPOSES[product.kind]])
    may_profile = _on_any(offer, [PROFILING])
    may_both = _on_any(offer, [PURPOSES[product.kind], PROFILING])
    return [
        Gate(ReasonCode.NO_CONSENT, fails=~may_contact),
        Gate(ReasonCode.NO_PROFILING_CONSENT, fails=~may_profile | (may_contact & ~may_both)),
    ]


def consented_channel(offer: Offer, product: Product) -> Column:
    """The first of the offer's channels that has both consents, or null."""
    purposes = [PURPOSES[product.kind], PROFILING]
    return F.coalesce(
        *(F.when(_is_granted(purposes, name), F.lit(name)) for name in offer.channels)
    )


def consent_basis(product: Product, channel: Column) -> Column:
    """Purpose and channel of the consent relied on, or null."""
    return F.concat(F.lit(f"{PURPOSES[product.kind]}/"), channel)


def _on_any(offer: Offer, purposes: list[str]) -> Column:
    return reduce(or_, (_is_granted(purposes, channel) for channel in offer.channels))


def _is_granted(purposes: list[str], channel: Channel) -> Column:
    # Nobody asked is nobody agreed: a customer without consents has no array.
    each = (F.array_contains("granted", f"{purpose}/{channel}") for purpose in purposes)
    return F.coalesce(reduce(and_, each), F.lit(False))
