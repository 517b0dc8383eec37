"""Random options of a made-up bank as the choice takes them, under every kind of limit."""

from __future__ import annotations

import hashlib
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa

from campaigns.choice import Choice
from campaigns.competition import Terms
from conf.load import load_config
from conf.schema import CampaignSettings, Quota
from conf.way_settings import ChannelSettings, Lever

CONFIG = load_config("local", ())
OFFERS = {
    offer_id: CONFIG.offers[offer_id].product
    for offer_id in (
        "current_account_2026", "credit_card_2026", "mortgage_2026", "home_insurance_2026",
        "travel_insurance_2026", "car_leasing_2026", "travel_package_2026",
    )
}  # fmt: skip
LEVERS = ("discount", "evening")
TYPES = {
    **dict.fromkeys(
        ("customer_id", "offer_id", "product_id", "fatigue_class", "branch_id", "household_id",
         "event", "exploration_hash", "channel", "lever_code", "advisor_id"), pa.string()
    ),
    **dict.fromkeys(
        ("class_contacts_left", "contacts_left_30d", "household_contacts_left", "way"), pa.int32()
    ),
    **dict.fromkeys(("profit_cents", "cost_cents", "lever_cents"), pa.int64()),
    "propensity": pa.float64(), "is_withheld": pa.bool_(), "is_worth_it": pa.bool_(),
}  # fmt: skip
SCHEMA = pa.schema(TYPES.items())


def make_rows(seed: int, customers: int) -> pa.Table:
    """Options of customers, most of whom live with others; ties are common."""
    chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(customers):
        customer = _customer(chance, number, customers)
        for offer_id, product_id in OFFERS.items():
            if chance.random() < 0.5:
                found += _ways(chance, customer, offer_id, product_id)
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _customer(chance: random.Random, number: int, customers: int) -> dict[str, Any]:
    name = f"C{number}"
    home = f"H{chance.randrange(customers // 2 + 1)}" if chance.random() < 0.7 else None
    is_drawn = chance.random() < 0.2
    return {
        "customer_id": name,
        "household_id": home,
        "branch_id": f"B{chance.randrange(3)}",
        "advisor_id": chance.choice((None, "A1", "A2")),
        "contacts_left_30d": chance.randrange(1, 4),
        "household_contacts_left": 2 if home and home.endswith("1") else 3,
        "is_withheld": chance.random() < 0.2,
        "exploration_hash": hashlib.sha256(name.encode()).hexdigest() if is_drawn else None,
    }


def _ways(
    chance: random.Random, customer: dict[str, Any], offer_id: str, product_id: str
) -> list[dict[str, Any]]:
    offer = {
        **customer,
        "offer_id": offer_id,
        "product_id": product_id,
        "fatigue_class": CONFIG.products[product_id].fatigue_class,
        "class_contacts_left": 2,
        "event": chance.choice((None, None, "maturity")),
        "propensity": chance.choice((0.25, 0.5, chance.random())),
    }
    return [
        {
            **offer,
            "way": way,
            "channel": chance.choice(("branch", "phone")),
            "lever_code": chance.choice((None, *LEVERS)) if way else None,
            "profit_cents": chance.choice((100 * chance.randrange(8), chance.randrange(-50, 900))),
            "cost_cents": chance.choice((200, 400)),
            "lever_cents": 30 * way,
            "is_worth_it": "exploration_hash" not in offer or chance.random() < 0.9,
        }
        for way in range(chance.randrange(1, 4))
    ]


def make_terms(seed: int, customers: int) -> Terms:
    """Limits of which about every one binds now and then, each with minima and levers."""
    chance = random.Random(seed)
    some = max(2, customers // 8)
    limits: dict[str, Any] = {
        "advisor_capacity": some,
        "branch_minutes": 20 * some,
        "contact_minutes": {"branch": 30, "phone": 10},
        "budget": Decimal(3 * some),
        "max_offers": 2 * some,
        "product_quotas": {"mortgage": Quota(min=2, max=some), "credit_card": Quota(max=some)},
    }
    kept = {name: value for name, value in limits.items() if chance.random() < 0.7}
    if "branch_minutes" in kept:
        kept["contact_minutes"] = limits["contact_minutes"]
    settings = CampaignSettings(**{
        "campaign_id": "made-up", "max_offers_per_customer": 2, "max_offers_per_household": 3,
        "branch_capacity": some, "branch_capacity_overrides": {"B2": 1},
        "min_expected_profit": Decimal("0.01"), "control_share": 0.2, "global_holdout_share": 0.0,
        "salt": "salt", "exploration_share": chance.choice((0.0, 0.3)), **kept,
    })  # fmt: skip
    levers = {code: _lever(chance, code, some) for code in LEVERS}
    phone = ChannelSettings(max_contacts=chance.choice((None, some)))
    return Terms(settings, CONFIG.products, CONFIG.offers, levers, {"phone": phone})


def _lever(chance: random.Random, code: str, some: int) -> Lever:
    return Lever(
        name={"en": code},
        kind="discount",
        offers=tuple(OFFERS),
        cost=Decimal(1),
        cost_when="offered",
        budget=chance.choice((None, Decimal(some) / 10)),
        seats=chance.choice((None, some // 2)),
        minutes=5,
        made_by=chance.choice(("advisor", "branch_director")),
        effect_source="made up",
        response_factor=1.1,
    )


def told(choice: Choice) -> dict[str, Any]:
    """All that is known of a choice, however its parts were looked at."""
    plan = choice.plan
    places = choice.places.to_pylist()
    return {
        "places": sorted(places, key=lambda row: (row["customer_id"], row["offer_id"])),
        "chosen": plan.chosen.tolist(),
        "worth": (plan.value, plan.bound, plan.unit),
        "prices": [price.tolist() for price in plan.prices],
        "used": [used.tolist() for used in plan.used],
        "lacking": (plan.shortages, plan.clash),
        "limits": [(one.name, one.labels, one.most.tolist()) for one in choice.limits],
        "explored": (choice.explored, choice.explored_value),
    }
