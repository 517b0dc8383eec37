"""Whether clients use what they bought after an offer, as far as the bank's own data show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from conf.measurement_settings import ClientSideSettings
from conf.schema import Product
from measurement.client_value import Worth, clients_by_product, purchases, told_shares
from measurement.offers import Campaign
from measurement.sales import Sales

USED, USED_UNASKED = "used", "used_without_offer"
USED_BY_HOLDING = "used_by_holding"
USE_SHARED, USE_UNSEEN = "use_on_shared_account", "use_not_seen"


def client_use(
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    products: Mapping[str, Product],
    bought: pa.Table,
    *,
    as_of: date,
    settings: ClientSideSettings,
    least: int,
) -> list[Worth]:
    """How much of what was bought is used, and of how much nobody can say.

    What was given back within the months in which use is looked for counts as not used.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: Those that are measured.
        products: What shows the use of each.
        bought: Shaped ``BOUGHT``.
        as_of: What was known before it counts.
        settings: How long use is looked for, and how much of it is enough.
        least: Of fewer clients nothing is told.
    """
    known = [one for one in campaigns if one.has_deliveries]
    arms = {USED: Sales.of(offers, known), USED_UNASKED: Sales.of(offers, known, treated=False)}
    found: list[Worth] = []
    for kind, sales in arms.items():
        rows = purchases(sales, bought, as_of, settings.used_months)
        seen = rows.filter(pc.is_valid(rows["months_used"]))
        is_used = pc.greater_equal(seen["months_used"], settings.used_in_months)
        used = seen.append_column("is_used", pc.and_(is_used, seen["is_held"]))
        found += told_shares(kind, used, "is_used", least)
        if kind == USED:
            found += _not_seen(rows.filter(pc.is_null(rows["months_used"])), products, least)
    return found


def _not_seen(rows: pa.Table, products: Mapping[str, Product], least: int) -> Iterator[Worth]:
    """Clients who bought what is used by being held, and what nobody sees the use of."""
    why = {name: _why(one) for name, one in products.items()}
    whys = pa.array([why.get(name, USE_UNSEEN) for name in rows["product_id"].to_pylist()])
    for kind in (USED_BY_HOLDING, USE_SHARED, USE_UNSEEN):
        part = rows.filter(pc.equal(whys.cast(pa.string()), kind))
        for name, clients, is_told in zip(*clients_by_product(part, least), strict=True):
            yield Worth(kind, name, clients if is_told else None)


def _why(product: Product) -> str:
    """Why no bookings tell the use of one that was bought."""
    if product.use is None:
        return USE_UNSEEN
    return USE_SHARED if product.use.is_booked else USED_BY_HOLDING
