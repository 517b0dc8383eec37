"""What an offer would have had to be worth: with that much it is chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from campaigns.choice import Choice, choose
from campaigns.competition import Terms
from campaigns.displaced import OPTIONS, Refused, worth_needed
from conf.schema import Quota
from tests.random_competition import CONFIG, make_rows, make_terms

SEEDS, CUSTOMERS = range(8), 14
Key = tuple[str, str]


def options_of(seed: int) -> pa.Table:
    """One way of each offer, of clients who may be chosen; nothing is left to chance."""
    rows = make_rows(seed, CUSTOMERS)
    free = rows.filter(pc.and_(pc.invert(rows["is_withheld"]), rows["is_worth_it"]))
    first: dict[tuple[str, str], dict] = {}
    for row in free.to_pylist():
        first.setdefault((row["customer_id"], row["offer_id"]), row)
    return pa.Table.from_pylist(list(first.values()), rows.schema)


def terms_of(seed: int) -> Terms:
    """Without chance and minima, of which nothing is said here."""
    terms = make_terms(seed, CUSTOMERS)
    quotas = {name: Quota(max=quota.max) for name, quota in terms.settings.product_quotas.items()}
    settings = terms.settings.model_copy(
        update={"exploration_share": 0.0, "product_quotas": quotas}
    )
    return replace(terms, settings=settings)


def made_of(choice: Choice) -> set[Key]:
    places = choice.places
    chosen = places.filter(places["made_cut"]).to_pylist()
    return {(row["customer_id"], row["offer_id"]) for row in chosen}


def key_of(row: dict[str, Any]) -> Key:
    return row["customer_id"], row["offer_id"]


def as_option(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in OPTIONS.names} | {"is_exploration": False}


def needed_for(row: dict[str, Any], rows: list[dict[str, Any]], choice: Choice, terms: Terms):
    made = made_of(choice)
    offers = [as_option(one) for one in rows if key_of(one) in made]
    left = min(row["contacts_left_30d"], row["household_contacts_left"])
    refused = Refused(as_option(row), left, CONFIG.offers[row["offer_id"]].products)
    short = math.ceil(choice.plan.bound - choice.plan.value)
    return worth_needed(refused, pa.Table.from_pylist(offers, OPTIONS), short, terms)


@pytest.mark.parametrize("seed", SEEDS)
def test_worth_that_much_it_is_chosen(seed):
    table, terms = options_of(seed), terms_of(seed)
    rows, choice = table.to_pylist(), choose(table, terms)
    made = made_of(choice)
    refused = [row for row in rows if key_of(row) not in made]
    assert made
    assert refused
    found = {key_of(row): needed_for(row, rows, choice, terms) for row in refused}
    for row in refused:
        needed = found[key_of(row)]
        if needed is None:
            continue
        dearer = [one | {"profit_cents": needed} if one is row else one for one in rows]
        again = choose(pa.Table.from_pylist(dearer, table.schema), terms)
        assert key_of(row) in made_of(again), (row, needed)
        assert needed > row["profit_cents"]
    assert any(needed is not None for needed in found.values())


def test_what_chance_chose_gives_way_to_nothing():
    """A branch whose only place is taken by chance has none for anybody, at any price."""
    table, terms = options_of(1), terms_of(1)
    rows, choice = table.to_pylist(), choose(table, terms)
    made = made_of(choice)
    row = next(one for one in rows if key_of(one) not in made and one["branch_id"] == "B2")
    others = [one for one in rows if key_of(one) in made and one["branch_id"] == "B2"]
    offers = [as_option(one) | {"is_exploration": True} for one in others]
    assert offers
    refused = Refused(as_option(row), 3, CONFIG.offers[row["offer_id"]].products)
    assert worth_needed(refused, pa.Table.from_pylist(offers, OPTIONS), 0, terms) is None
