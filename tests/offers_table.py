"""Tiny tables of offers with what followed, for tests of what is measured from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from measurement.offers import OFFERS, Campaign

OCTOBER, NOVEMBER = "run-october", "run-november"


def campaign(run_id: str = OCTOBER, as_of: date = date(2023, 10, 1), **changed: Any) -> Campaign:
    """A campaign whose outcome window is over, unless it is said otherwise."""
    usual = {
        "run_id": run_id, "campaign_id": "monthly", "as_of": as_of, "control_share": 0.1,
        "opens": as_of.replace(day=8), "ends": date(2023, 12, 8), "is_matured": True,
        "has_deliveries": True,
    }  # fmt: skip
    return Campaign(**(usual | changed))


def offers(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Offers made by an advisor of branch B1, about which nothing followed, unless said."""
    usual = {
        "campaign": OCTOBER, "offer_id": "card_2023", "product_id": "card", "is_treated": True,
        "is_exploration": False, "move": "cross_sell_internal", "kind": "internal",
        "business_line": "cards", "combination": "account → card", "branch_id": "B1",
        "advisor_id": "A1", "channel": "phone", "margin": 9_000, "contact_cost": 400,
        "lever_cost": 0, "credit_owner": "A1", "credit_share": 1.0, "contacts": 0,
        "is_cancelled": False, "revenue": 0, "cost": 0, "other_revenue": 0,
        "has_opted_out": False, "has_complained": False,
    }  # fmt: skip
    complete = [
        {"customer_id": f"C{number:05d}"} | usual | dict(row) for number, row in enumerate(rows)
    ]
    plain = pa.schema(
        pa.field(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type)
        for one in OFFERS
    )
    return pa.Table.from_pylist(complete, schema=plain).cast(OFFERS)


def sold(on: date, contacted: date | None = None, revenue: int = 9_000) -> dict[str, Any]:
    """That an offer was followed by a sale, after a contact if there was one."""
    return {
        "bought_on": on, "revenue": revenue, "contacted_on": contacted,
        "contacts": int(contacted is not None),
    }  # fmt: skip
