"""Rows of offers for tests of what campaigns caused: drawn, or written down."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from conf.load import load_config
from measurement.offers import CLIENTS, OFFERS, Campaign

SETTINGS = load_config("local").measurement.effect
OPENS, ENDS = date(2026, 10, 1), date(2026, 12, 1)
ORDINARY = {
    "offer_id": "offer",
    "product_id": "card",
    "is_exploration": False,
    "move": "cross_sell",
    "kind": "internal",
    "business_line": "cards",
    "combination": "account → card",
    "branch_id": "B1",
    "margin": 9_000,
    "contact_cost": 800,
    "lever_cost": 0,
    "contacts": 0,
    "is_cancelled": False,
    "revenue": 0,
    "cost": 0,
    "other_revenue": 0,
    "later_revenue": 0,
    "has_opted_out": False,
    "has_complained": False,
}


def campaign(run_id: str = "run", **changes: object) -> Campaign:
    known: dict[str, object] = {
        "run_id": run_id,
        "campaign_id": "monthly",
        "as_of": OPENS,
        "control_share": 0.1,
        "opens": OPENS,
        "ends": ENDS,
        "is_matured": True,
        "has_deliveries": True,
    }
    return Campaign(**{**known, **changes})  # type: ignore[arg-type]


def offers(clients: int, **columns: object) -> pa.Table:
    """One row per client; a column is a value for all or an array."""
    given = {
        "campaign": "run",
        "customer_id": [f"C{at:07d}" for at in range(clients)],
        **ORDINARY,
        **columns,
    }

    def column(field: pa.Field) -> pa.Array:
        values = given.get(field.name)
        if values is None or isinstance(values, str | int | float | date):
            values = [values] * clients
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        array = pa.array(values, plain, from_pandas=True)
        return array.dictionary_encode() if plain != field.type else array

    return pa.table({field.name: column(field) for field in OFFERS}, schema=OFFERS)


def sold(
    is_treated: np.ndarray, is_bought: np.ndarray, margin: int | np.ndarray = 9_000
) -> dict[str, object]:
    """Columns of who was offered something and who bought; each contact costs 8.00."""
    margins = np.broadcast_to(margin, is_bought.shape)
    return {
        "is_treated": is_treated,
        "bought_on": np.where(is_bought, np.datetime64("2026-10-20"), np.datetime64("NaT")),
        "contacted_on": np.where(is_treated, np.datetime64("2026-10-05"), np.datetime64("NaT")),
        "revenue": np.where(is_bought, margins, 0),
        "margin": margins,
        "cost": np.where(is_treated, 800, 0),
    }


def clients(is_holdout: np.ndarray, revenue: np.ndarray, **columns: object) -> pa.Table:
    """All clients of a bank, with what they bought."""
    several = len(is_holdout)
    given = {
        "customer_id": [f"C{at:07d}" for at in range(several)],
        "is_holdout": is_holdout,
        "segment": ["mass"] * several,
        "expected": np.zeros(several, dtype=np.int64),
        "revenue": revenue,
        "cost": np.zeros(several, dtype=np.int64),
        "has_opted_out": np.zeros(several, dtype=bool),
        "has_complained": np.zeros(several, dtype=bool),
        **columns,
    }
    table = pa.table(given)
    return table.select(CLIENTS.names).cast(CLIENTS)


def drawn(seed: int, several: int = 3000, uplift: float = 0.0) -> pa.Table:
    """A campaign of three products, a mortgage among them, with a control of a tenth."""
    random = np.random.default_rng(seed)
    product = random.choice(3, several, p=(0.3, 0.5, 0.2))
    base = np.array([0.04, 0.12, 0.3])[product]
    is_treated = random.random(several) >= 0.1
    is_bought = random.random(several) < base + uplift * is_treated
    names = np.array(["mortgage", "fund", "card"])
    return offers(
        several,
        **sold(is_treated, is_bought, np.array([180_000, 27_000, 9_000])[product]),
        product_id=names[product],
        propensity=base,
        branch_id=[f"B{at % 5}" for at in range(several)],
    )
