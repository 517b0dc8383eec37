"""Where offers go, and what the control can be held against."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from campaigns.volume import COLUMNS, Volume, capacities, designs, offered_of, shares, volumes
from conf.load import load_config


def chosen(*rows: dict[str, Any]) -> pa.Table:
    usual = {
        "branch_id": "B1", "channel": "branch", "propensity": 0.1, "outcome": "offered",
        "expected_profit": Decimal("1.50"), "is_in_control_group": False,
        "lever_code": None, "acceptance": 0.1,
    }  # fmt: skip
    found = pa.Table.from_pylist([usual | row for row in rows])
    return found.select(list(COLUMNS))


ROWS = chosen(
    {"customer_id": "C1", "product_id": "card", "propensity": 0.2},
    {"customer_id": "C1", "product_id": "fund", "propensity": 0.5},
    {"customer_id": "C2", "product_id": "card", "channel": None, "branch_id": "B2"},
    {"customer_id": "C3", "product_id": "card", "outcome": "control", "is_in_control_group": True},
    {"customer_id": "C4", "product_id": "card", "outcome": "control"},
)


def test_volumes_count_offers_and_clients_and_name_who_has_none() -> None:
    offered = offered_of(ROWS)
    assert volumes(offered, "branch_id", ["B3"]) == (
        Volume("B1", 2, 1, 3.0), Volume("B2", 1, 1, 1.5), Volume("B3", 0, 0, 0.0),
    )  # fmt: skip
    assert [one.name for one in volumes(offered, "channel")] == ["branch", "unknown"]


def test_shares_are_of_clients() -> None:
    segments = pa.chunked_array([["mass", "mass", "vip", None]])
    ids = pa.chunked_array([["C1", "C2", "C3", "C4"]])
    found = shares(segments, ids, offered_of(ROWS))
    told = {one.name: (one.offered, one.clients) for one in found}
    assert told == {"mass": (2, 2), "vip": (0, 1), "unknown": (0, 1)}


def test_the_control_is_held_against_who_was_offered_the_same() -> None:
    found = designs(ROWS)
    assert list(found) == ["campaign", "card", "fund"]
    assert (found["card"].offered, found["card"].control) == (2, 1)
    assert found["card"].base_rate == pytest.approx((0.2 + 0.1 + 0.1) / 3)
    whole = found["campaign"]
    assert (whole.offered, whole.control) == (2, 1), "the holdout is in no control"
    assert whole.base_rate == pytest.approx((1 - 0.8 * 0.5 + 0.1 + 0.1) / 3)
    assert designs(ROWS.slice(0, 0))["campaign"].detectable is None


def test_the_order_of_decisions_changes_no_digit() -> None:
    chance = random.Random(7)
    rows = chosen(
        *({"customer_id": f"C{n}", "product_id": "card", "propensity": chance.random() ** 4}
          for n in range(2000))
    )  # fmt: skip
    rates = set()
    for _ in range(20):
        order = list(range(2000))
        chance.shuffle(order)
        rates.add(designs(rows.take(order))["campaign"].base_rate)
    assert len(rates) == 1


def test_a_branch_may_have_a_capacity_of_its_own() -> None:
    settings = load_config("local", ["campaign.branch_capacity_overrides={B2: 5}"]).campaign
    assert capacities(["B1", "B2"], settings) == {"B1": settings.branch_capacity, "B2": 5}
