"""What clients had of the offers: fees saved, levers granted, and what they bought and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from measurement.association import Bools, Estimate
from measurement.group_rates import UNKNOWN, share
from measurement.offers import Campaign
from measurement.sales import Sales, bools
from measurement.small_cells import is_small, told_groups

Days = npt.NDArray[np.datetime64]
PACKAGE, LEVER = "package", "lever"
KEPT, KEPT_UNASKED = "kept", "kept_without_offer"
OFFERED = "offered"
ALL = "all"

# Grain: product that was bought since the first of the measured campaigns.
BOUGHT = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),  # the person
        pa.field("product_id", pa.string(), nullable=False),
        pa.field("opened_on", pa.date32(), nullable=False),
        pa.field("closed_on", pa.date32()),
        # Of the first months after, in how many bookings show its use; null: nobody can say.
        pa.field("months_used", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Worth:
    """What clients had of something.

    Attributes:
        kind: package, lever, kept, or kept_without_offer (bought by clients of the control); or
            one of `measurement/client_use.py`.
        name: Which package, lever or product; or all.
        clients: Who had it, or bought it; None: not told, for a small group's sake.
        cents: What they saved in a year, or what it cost the bank; of packages and levers.
        count: Of what was bought, still held so many months later, or used.
        of: Bought so long ago.
        share: Of these, with an interval.
    """

    kind: str
    name: str
    clients: int | None = None
    cents: int | None = None
    count: int | None = None
    of: int | None = None
    share: Estimate = UNKNOWN


def client_worth(
    offers: pa.Table,
    campaigns: Sequence[Campaign],
    savings: Mapping[str, int],
    bought: pa.Table,
    *,
    as_of: date,
    kept_months: int,
    least: int,
) -> list[Worth]:
    """Packages, levers, and what was kept.

    Args:
        offers: Shaped ``OFFERS``.
        campaigns: Those that are measured.
        savings: By offer of a package, what a client saves by it in a year, in cents.
        bought: Shaped ``BOUGHT``.
        as_of: What was known before it counts.
        kept_months: What is held so long counts as kept.
        least: Of fewer clients nothing is told.
    """
    known = [one for one in campaigns if one.has_deliveries]
    sales = Sales.of(offers, known)
    withheld = Sales.of(offers, known, treated=False)
    given = [*_packages(sales, savings), *_levers(sales)]
    return [
        *(one if _is_told(one, least) else Worth(one.kind, one.name) for one in given),
        *told_shares(KEPT, purchases(sales, bought, as_of, kept_months), "is_held", least),
        *told_shares(
            KEPT_UNASKED, purchases(withheld, bought, as_of, kept_months), "is_held", least
        ),
    ]


def _packages(sales: Sales, savings: Mapping[str, int]) -> Iterator[Worth]:
    for name, cents in sorted(savings.items()):
        is_one = sales.is_sale & bools(pc.equal(sales.rows["bundle_id"], name))
        if clients := _clients(sales, is_one):
            yield Worth(PACKAGE, name, clients, cents * int(is_one.sum()))


def _levers(sales: Sales) -> Iterator[Worth]:
    """Granted with the sale, or, of what is given whatever comes of it, with the contact."""
    rows = sales.rows
    is_at_once = bools(pc.equal(rows["lever_cost_when"], OFFERED))
    has_contact = bools(pc.is_valid(rows["contacted_on"]))
    is_granted = np.where(is_at_once, has_contact, sales.is_sale)
    for name in pc.unique(rows["lever_code"]).drop_null().sort().to_pylist():
        is_one = is_granted & bools(pc.equal(rows["lever_code"], name))
        if clients := _clients(sales, is_one):
            cents = pc.sum(rows["lever_cost"].filter(pa.array(is_one))).as_py()
            yield Worth(LEVER, name, clients, int(cents))


def purchases(sales: Sales, bought: pa.Table, as_of: date, months: int) -> pa.Table:
    """What was bought long enough ago, by whom.

    Args:
        sales: After offers, or of who was withheld.
        bought: Shaped ``BOUGHT``.
        as_of: What was known before it counts.
        months: So long ago.

    Returns:
        Customer, product, day, ``months_used`` as of ``BOUGHT``, and ``is_held``: so many months
        later still.
    """
    keys = ["customer_id", "product_id", "opened_on"]
    closed_on = pc.fill_null(bought["closed_on"], date.max)
    holdings = bought.select([*keys, "months_used"]).append_column("closed_on", closed_on)
    last = holdings.group_by(keys).aggregate([("closed_on", "max"), ("months_used", "max")])
    rows = sales.rows.filter(pa.array(sales.is_purchase))
    rows = rows.select(["customer_id", "product_id", "bought_on"])
    rows = rows.rename_columns(keys).join(last, keys, join_type="inner")
    ends = _later(_days64(rows["opened_on"]), months)
    is_held = _days64(rows["closed_on_max"]) >= ends
    held = rows.append_column("is_held", pa.array(is_held))
    held = held.append_column("months_used", held["months_used_max"])
    names = [*keys, "months_used", "is_held"]
    return held.filter(pa.array(ends <= np.datetime64(as_of))).select(names)


def told_shares(kind: str, bought: pa.Table, column: str, least: int) -> Iterator[Worth]:
    """Of all products together, and of each.

    Args:
        kind: Of what is told.
        bought: Purchases, as ``purchases`` gives them.
        column: Whether it holds of a purchase.
        least: Of fewer clients nothing is told.
    """
    products, clients, told = clients_by_product(bought, least)
    parts = [bought.filter(pc.equal(bought["product_id"], name)) for name in products]
    together = pc.count_distinct(bought["customer_id"]).as_py()
    is_told = not is_small(np.array([together]), least)[0]
    for name, part, number, may in zip(
        [ALL, *products], [bought, *parts], [together, *clients], [is_told, *told], strict=True
    ):
        if not may:
            yield Worth(kind, name)
        elif number:
            count = int(bools(part[column]).sum())
            of = part.num_rows
            yield Worth(kind, name, number, count=count, of=of, share=share(count, of))


def clients_by_product(
    bought: pa.Table, least: int
) -> tuple[Sequence[str], Sequence[int], Sequence[bool]]:
    """Products in order, how many clients bought each, and whether that may be told.

    Args:
        bought: Purchases, as ``purchases`` gives them.
        least: Of fewer clients nothing is told.
    """
    products = pc.unique(bought["product_id"]).sort().to_pylist()
    clients = [
        pc.count_distinct(
            bought["customer_id"].filter(pc.equal(bought["product_id"], name))
        ).as_py()
        for name in products
    ]
    return products, clients, told_groups(np.array(clients, dtype=np.int64), least).tolist()


def _days64(column: pa.ChunkedArray) -> Days:
    return np.asarray(column.to_numpy(), dtype="datetime64[D]")


def _later(day: Days, months: int) -> Days:
    """So many months later; in a shorter month its last day."""
    month = day.astype("datetime64[M]")
    then = month + np.timedelta64(months, "M")
    last = (then + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    same_day = then.astype("datetime64[D]") + (day - month.astype("datetime64[D]"))
    return np.asarray(np.minimum(same_day, last))


def _clients(sales: Sales, among: Bools) -> int:
    return int(pc.count_distinct(sales.rows["customer_id"].filter(pa.array(among))).as_py())


def _is_told(one: Worth, least: int) -> bool:
    return not is_small(np.array([one.clients or 0]), least)[0]
