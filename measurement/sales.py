"""Which offers were followed by a sale, each sale once, and whether a contact came before it.

A client may be offered the same product by several campaigns whose outcome windows overlap: what is
bought then is in the outcomes of each. For credit, and for whatever else counts sales, it is one
sale: that of the last offer with a contact before it; without any, of the last offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from measurement.association import Bools, Ints
from measurement.offers import Campaign

NOT_YET = -(2**31)  # a day before any other


@dataclass(frozen=True)
class Sales:
    """Offers that were made, and those that stand for a purchase.

    Attributes:
        rows: Shaped ``OFFERS``, of campaigns after which purchases are known at all.
        is_purchase: The row stands for something bought, whether it was given back or not.
        is_cancelled: It was given back so soon that it was no sale.
        is_without_contact: A sale with no contact on record.
        is_before_contact: A sale before the first contact.
        is_credited: A sale after a contact, of which somebody is the closer.
    """

    rows: pa.Table
    is_purchase: Bools
    is_cancelled: Bools
    is_without_contact: Bools
    is_before_contact: Bools
    is_credited: Bools

    @property
    def is_sale(self) -> Bools:
        """Bought and kept."""
        return self.is_purchase & ~self.is_cancelled

    @classmethod
    def of(cls, offers: pa.Table, campaigns: Sequence[Campaign], *, treated: bool = True) -> Sales:
        """Find the sales.

        Args:
            offers: Shaped ``OFFERS``.
            campaigns: Those that are measured.
            treated: Of offers that were made; else of those that were withheld by chance.
        """
        known = {one.run_id: at for at, one in enumerate(_oldest_first(campaigns))}
        rows = _decoded(offers, known, treated=treated)
        order = np.array([known[name] for name in rows["campaign"].to_pylist()], dtype=np.int64)
        bought, contacted = days(rows["bought_on"]), days(rows["contacted_on"])
        is_bought, has_contact = bought != NOT_YET, contacted != NOT_YET
        is_after = has_contact & (contacted <= bought)
        is_purchase = _last_of_each(rows, bought, is_after, order) & is_bought
        is_cancelled = is_purchase & bools(rows["is_cancelled"])
        is_sale = is_purchase & ~is_cancelled
        return cls(
            rows=rows,
            is_purchase=is_purchase,
            is_cancelled=is_cancelled,
            is_without_contact=is_sale & ~has_contact,
            is_before_contact=is_sale & has_contact & ~is_after,
            is_credited=is_sale & is_after & bools(pc.is_valid(rows["credit_owner"])),
        )


def days(column: pa.ChunkedArray) -> Ints:
    """Days since 1970; ``NOT_YET`` where there is none."""
    numbers = pc.fill_null(column.cast(pa.int32()), NOT_YET)
    return np.asarray(numbers.to_numpy(), dtype=np.int64)


def bools(column: pa.ChunkedArray | pa.Array) -> Bools:
    """Truth values; null is false."""
    values = pc.fill_null(column, False)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def codes(column: pa.ChunkedArray) -> Ints:
    """Equal values have equal numbers, in the order of the values; null is the last."""
    texts = column.cast(pa.string())
    names = pc.unique(texts).drop_null().sort()
    places = pc.fill_null(pc.index_in(texts, value_set=names), len(names))
    return np.asarray(places.to_numpy(), dtype=np.int64)


def _oldest_first(campaigns: Sequence[Campaign]) -> list[Campaign]:
    return sorted(campaigns, key=lambda one: (one.as_of, one.run_id))


def _decoded(offers: pa.Table, known: dict[str, int], *, treated: bool) -> pa.Table:
    """Offers of known campaigns, in an order of their own, with texts instead of dictionaries."""
    is_known = pc.is_in(
        offers["campaign"].cast(pa.string()), value_set=pa.array(known, pa.string())
    )
    is_wanted = offers["is_treated"] if treated else pc.invert(offers["is_treated"])
    rows = offers.filter(pc.and_(is_known, is_wanted))
    plain = pa.schema(
        pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
        for one in rows.schema
    )
    return rows.cast(plain).sort_by(
        [(name, "ascending") for name in ("campaign", "customer_id", "offer_id")]
    )


def _last_of_each(rows: pa.Table, bought: Ints, is_after: Bools, order: Ints) -> Bools:
    """Of rows about one purchase the last offer, those with a contact before it going first."""
    customer, product = codes(rows["customer_id"]), codes(rows["product_id"])
    offer = codes(rows["offer_id"])
    ranked = np.lexsort((offer, order, is_after, bought, product, customer))
    same = np.ones(max(len(ranked) - 1, 0), dtype=np.bool_)
    for key in (customer, product, bought):
        same &= key[ranked][1:] == key[ranked][:-1]
    found = np.zeros(len(ranked), dtype=np.bool_)
    found[ranked[np.append(~same, True)[: len(ranked)]]] = True
    return found
