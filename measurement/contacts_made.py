"""Contacts with clients, in the order in which each client had them, and what clients answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from measurement.association import Bools, Floats, Ints
from measurement.offers import NAME, Campaign
from measurement.sales import bools, codes, days

EPOCH = date(1970, 1, 1)
SPAN = 1 << 20  # days: more than lie between any two days of a bank's books
Packages = Mapping[str, tuple[str, ...]]  # products by offer

# Grain: contact with a client about a product, as delivered or returned; each once.
CONTACTS_MADE = pa.schema(
    [
        pa.field("contact_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),  # the person
        pa.field("product_id", NAME, nullable=False),
        pa.field("offer_id", NAME),
        pa.field("channel", NAME, nullable=False),
        pa.field("branch_id", NAME),
        pa.field("contacted_on", pa.date32(), nullable=False),
        pa.field("result", NAME),  # the most telling one; as dispositions tell it
        pa.field("result_on", pa.date32()),
        pa.field("is_in_care", pa.bool_(), nullable=False),  # on that day, as known by now
    ]
)
# Grain: objection or complaint of a client.
EVENTS = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("kind", NAME, nullable=False),  # objection or complaint
        pa.field("happened_on", pa.date32(), nullable=False),
    ]
)
OBJECTION, COMPLAINT = "objection", "complaint"
INTEREST, SALE, REFUSAL = "interest", "sale", "refusal"
# By measure the results that say so; the answer may also come later, as an event.
SAID = {
    INTEREST: ("interested", "sold"),
    SALE: ("sold",),
    REFUSAL: ("refused",),
    OBJECTION: ("opt_out",),
    COMPLAINT: ("complaint",),
}


class Contacts:
    """All contacts that a bank knows of, one place each, sorted by client and day.

    Args:
        table: Shaped ``CONTACTS_MADE``.
    """

    def __init__(self, table: pa.Table) -> None:
        plain = pa.schema(
            pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
            for one in CONTACTS_MADE
        )
        order = [(name, "ascending") for name in ("customer_id", "contacted_on", "contact_id")]
        self.rows: pa.Table = table.cast(plain).sort_by(order)
        self.day: Ints = days(self.rows["contacted_on"])
        self.client: Ints = codes(self.rows["customer_id"])

    def __len__(self) -> int:
        return len(self.day)

    @cached_property
    def clients(self) -> pa.Array:
        """Who was contacted at any time; the place of each is the number in ``client``."""
        return pc.unique(self.rows["customer_id"]).sort()

    def since(self, day: date, until: date) -> Bools:
        """Contacts of a time, its end exclusive."""
        return (self.day >= (day - EPOCH).days) & (self.day < (until - EPOCH).days)

    def is_in(self, column: str, values: Collection[str]) -> Bools:
        """Contacts that have one of these values."""
        wanted = pa.array(sorted(values), pa.string())
        return bools(pc.is_in(self.rows[column], value_set=wanted))

    def is_about(self, products: Collection[str], packages: Packages) -> Bools:
        """Contacts about one of these products, alone or in a package."""
        with_them = [name for name, parts in packages.items() if set(parts) & set(products)]
        return self.is_in("product_id", products) | self.is_in("offer_id", with_them)

    def before(self, within: int, among: Bools | None = None, group: Ints | None = None) -> Ints:
        """How many others came before each in so many days; of one day those that stand before it.

        Args:
            within: Days.
            among: Contacts that are looked at; the others get 0.
            group: Of each contact, whose contacts count together; None: the client's.
        """
        places = np.arange(len(self)) if among is None else np.flatnonzero(among)
        key = (self.client if group is None else group)[places] * SPAN + self.day[places]
        order = np.argsort(key, kind="stable")
        key = key[order]
        found = np.zeros(len(self), dtype=np.int64)
        found[places[order]] = np.arange(len(key)) - np.searchsorted(key, key - within, "left")
        return found

    def answered(self, measure: str, events: pa.Table, within: int) -> Bools:
        """Contacts to which the client answered so: in the result, or soon after as an event.

        An event belongs to the last contact before it, if that was at most so many days ago.

        Args:
            measure: One of ``SAID``.
            events: Shaped ``EVENTS``.
            within: Days.
        """
        found = self.is_in("result", SAID[measure])
        of_kind = events.filter(pc.equal(events["kind"].cast(pa.string()), measure))
        client = pc.index_in(of_kind["customer_id"], value_set=self.clients)
        is_known = pc.is_valid(client)
        client = np.asarray(client.filter(is_known).to_numpy(), dtype=np.int64)
        day = days(of_kind["happened_on"].filter(is_known))
        at = np.searchsorted(self.client * SPAN + self.day, client * SPAN + day, "right") - 1
        client, day, at = client[at >= 0], day[at >= 0], at[at >= 0]
        follows = (self.client[at] == client) & (day - self.day[at] <= within)
        found[at[follows]] = True
        return found

    def has_result(self) -> Bools:
        """What came of it is known."""
        return bools(pc.is_valid(self.rows["result"]))

    def propensity(self, offers: pa.Table, campaigns: Collection[Campaign]) -> Floats:
        """That of the newest campaign that offered the product before; NaN without one.

        Args:
            offers: Shaped ``OFFERS``.
            campaigns: Those that are measured.
        """
        made = {one.run_id: one for one in campaigns}
        is_known = pc.is_in(offers["campaign"].cast(pa.string()), pa.array(made, pa.string()))
        rows = offers.filter(pc.and_(is_known, offers["is_treated"]))
        if not rows.num_rows:
            return np.full(len(self), np.nan)
        of = [made[name] for name in rows["campaign"].cast(pa.string()).to_pylist()]
        opens = np.array([(one.as_of - EPOCH).days for one in of], dtype=np.int64)
        ends = np.array([(one.ends - EPOCH).days for one in of], dtype=np.int64)
        values = np.asarray(pc.fill_null(rows["propensity"], np.nan).to_numpy(), dtype=np.float64)
        offered, contacted = self._subject(rows), self._subject(self.rows)
        order = np.lexsort((ends, opens, offered))
        key = offered[order] * SPAN + opens[order]
        at = np.searchsorted(key, contacted * SPAN + self.day, "right") - 1
        at = order[np.maximum(at, 0)]
        is_offered = (offered[at] == contacted) & (opens[at] <= self.day) & (self.day < ends[at])
        return np.where(is_offered, values[at], np.nan)

    def _subject(self, rows: pa.Table) -> Ints:
        """A number for client and product of each row; -1 of who was never contacted."""
        products = pc.unique(self.rows["product_id"]).sort()
        client = pc.index_in(rows["customer_id"], value_set=self.clients)
        product = pc.index_in(rows["product_id"].cast(pa.string()), value_set=products)
        found = pc.add(pc.multiply(client.cast(pa.int64()), len(products)), product)
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)
