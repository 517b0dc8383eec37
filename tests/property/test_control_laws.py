"""Who is control, held against the exact choice with each withheld client in turn.

Limits are priced one by one, so that in a small choice the two may differ: ADR 10 tells how often.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from campaigns.choice import Choice, choose
from campaigns.competition import Terms
from tests.random_competition import make_rows, make_terms

CUSTOMERS, SEEDS = 60, range(20)
CERTAIN = 10**6  # cents: more than all others are worth together
SHARED = {
    "exploration_share": 0.0, "product_quotas": {}, "advisor_capacity": None,
    "branch_minutes": None, "contact_minutes": {}, "budget": None, "max_offers": None,
}  # fmt: skip


def terms_of(seed: int) -> Terms:
    """Branches and levers only, as by default."""
    terms = make_terms(seed, CUSTOMERS)
    return replace(terms, settings=terms.settings.model_copy(update=SHARED), channels={})


def contacted(rows: pa.Table, customer_id: str) -> pa.Table:
    """The options of all, and this client is no longer withheld."""
    others = pc.and_(rows["is_withheld"], pc.not_equal(rows["customer_id"], customer_id))
    return rows.set_column(rows.schema.get_field_index("is_withheld"), "is_withheld", others)


def at_any_price(rows: pa.Table, places: list[dict[str, Any]]) -> pa.Table:
    """These offers in these ways are worth so much that they are made."""
    wanted = {(one["customer_id"], one["offer_id"], one["chosen_way"]) for one in places}
    ways = zip(*(rows[name].to_pylist() for name in ("customer_id", "offer_id", "way")),
               strict=True)  # fmt: skip
    more = pa.array([CERTAIN if way in wanted else 0 for way in ways], pa.int64())
    name = "profit_cents"
    return rows.set_column(rows.schema.get_field_index(name), name, pc.add(rows[name], more))


def control(choice: Choice, withheld: set[str]) -> dict[str, list[dict[str, Any]]]:
    """What each client of the control would have been offered."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in choice.places.to_pylist():
        if one["made_cut"] and one["customer_id"] in withheld:
            found.setdefault(one["customer_id"], []).append(one)
    return found


def told_apart(rows: pa.Table, terms: Terms) -> Counter[str]:
    """How many withheld clients are rightly control or not, and how many are not."""
    withheld = set(rows.filter(rows["is_withheld"])["customer_id"].to_pylist())
    choice = choose(rows, terms)
    found, value = control(choice, withheld), choice.plan.value
    counts: Counter[str] = Counter()
    for customer_id in sorted(withheld):
        with_him = contacted(rows, customer_id)
        gains = choose(with_him, terms).plan.value > value
        offers = found.get(customer_id, [])
        if gains or not offers:
            counts["right" if gains == bool(offers) else "missed"] += 1
            continue
        # he may still take the place of what is worth the same
        forced = choose(at_any_price(with_him, offers), terms).plan.value
        counts["right" if forced - CERTAIN * len(offers) == value else "false"] += 1
    return counts + Counter(control=len(found))


@pytest.mark.slow
def test_control_is_nearly_always_who_the_exact_choice_would_offer_something() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        counts += told_apart(make_rows(seed, CUSTOMERS), terms_of(seed))
    assert counts["control"] > 50
    assert counts["false"] + counts["missed"] <= counts["control"] / 10, counts
