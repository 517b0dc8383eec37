"""A small random bank for campaign tests: raw rows, and the same as DataFrames."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from campaigns.sources import CampaignSources
from conf.schema import RunConfig
from tables.base import Table, columns
from tables.derived import PROPENSITY_SCORES
from tables.sources import CONSENTS, CONTACTS, CUSTOMERS, FLAGS, HOLDINGS

AS_OF = date(2024, 3, 1)
KNOWN = datetime(2024, 2, 1, tzinfo=UTC)
CHANNELS = ("branch", "phone", "email")
PURPOSES = ("marketing_internal", "marketing_partner", "profiling")
DISPOSITIONS = (None, "no_answer", "refused", "sold", "unsuitable", "opt_out", "interested")
SEGMENTS = (None, "mass", "affluent", "vip")
FLAG_NAMES = ("financial_difficulty", "vulnerable", "complaint_open", "fraud_watch", "bereavement")
AMOUNTS = Table(
    name="amounts",
    grain="one row per active customer",
    key=("customer_id",),
    kind="derived",
    columns=columns(
        "customer_id string -- whose",
        "income_amount_3m decimal(18,2)? -- income of three months",
        "balance_amount decimal(18,2)? -- balance of all accounts",
        "income_months_12m int? -- months with income",
        "days_since_last_income int? -- days since the last one",
        "largest_credit_to_inflow_1m double? -- largest credit of a month ÷ usual inflow",
        "has_branch_changed_6m boolean? -- another branch than half a year before",
        "segment string? -- mass, affluent, private or vip",
    ),
)
OFFERED = Table(
    name="levers_offered",
    grain="one row per lever on a past list",
    key=("customer_id", "lever_code", "offered_on"),
    kind="derived",
    columns=columns(
        "customer_id string -- to whom",
        "lever_code string -- which",
        "offered_on date -- as-of date of that list",
    ),
)
Row = dict[str, Any]


@dataclass
class Bank:
    """Raw rows by table."""

    customers: list[Row]
    holdings: list[Row]
    consents: list[Row]
    flags: list[Row]
    contacts: list[Row]
    customer_features: list[Row]
    propensity_scores: list[Row]
    levers_offered: list[Row] = field(default_factory=list)

    def sources(self, spark: SparkSession) -> CampaignSources:
        """The same as DataFrames."""
        return CampaignSources(
            **{
                item.name: frame(spark, TABLES[item.name], getattr(self, item.name))
                for item in fields(self)
            }
        )


TABLES = {
    "customers": CUSTOMERS,
    "holdings": HOLDINGS,
    "consents": CONSENTS,
    "flags": FLAGS,
    "contacts": CONTACTS,
    "customer_features": AMOUNTS,
    "propensity_scores": PROPENSITY_SCORES,
    "levers_offered": OFFERED,
}


def frame(spark: SparkSession, table: Table, rows: Iterable[Row]) -> DataFrame:
    """Rows as a DataFrame of the table's types; what a row leaves out is null."""
    values = [tuple(row.get(name) for name in table.column_names) for row in rows]
    return spark.createDataFrame(values, table.ddl)


def make_bank(seed: int, customers: int, config: RunConfig) -> Bank:
    """A bank in which every rule has customers on both sides of its boundary."""
    chance = random.Random(seed)
    people = [_customer(chance, number, customers) for number in range(customers)]
    return Bank(
        customers=people,
        holdings=[row for person in people for row in _holdings(chance, person, config)],
        consents=[row for person in people for row in _consents(chance, person)],
        flags=[row for person in people for row in _flags(chance, person)],
        contacts=[row for person in people for row in _contacts(chance, person, config)],
        customer_features=[_amounts(chance, person) for person in people],
        propensity_scores=[
            _score(chance, person, product) for person in people for product in config.products
        ],
    )


def _near(chance: random.Random, *days_before: int) -> date:
    """A day next to one of the boundaries."""
    return AS_OF - timedelta(days=chance.choice(days_before) + chance.choice((-1, 0, 1)))


def _customer(chance: random.Random, number: int, count: int) -> Row:
    age = chance.choice((17, 18, 21, 35, 50, 60, 76))
    born_on = date(AS_OF.year - age, 3, chance.choice((1, 2)))
    return {
        "customer_id": f"C{number:04d}",
        "birth_date": None if chance.random() < 0.05 else born_on,
        "branch_id": f"B{chance.randrange(3)}",
        "joined_on": _near(chance, 0) if chance.random() < 0.05 else date(2020, 1, 1),
        "left_on": _near(chance, 0) if chance.random() < 0.05 else None,
        "deceased_on": date(2024, 1, 5) if chance.random() < 0.03 else None,
        "is_employee": chance.random() < 0.05,
        "advisor_id": chance.choice((None, "A1", "A2")),
        "household_id": None if chance.random() < 0.3 else f"H{chance.randrange(1 + count // 3)}",
        "recorded_at": KNOWN,
    }


def _holdings(chance: random.Random, person: Row, config: RunConfig) -> list[Row]:
    held = [product for product in config.products if chance.random() < 0.25]
    if chance.random() < 0.8:
        held.append("current_account")
    return [
        {
            "holding_id": f"{person['customer_id']}-{index}",
            "customer_id": person["customer_id"],
            "product_id": product,
            "opened_on": _near(chance, 0, 400),
            "closed_on": _near(chance, 0) if chance.random() < 0.2 else None,
            "matures_on": _matures_on(f"{person['customer_id']}-{index}"),
            "recorded_at": KNOWN,
        }
        for index, product in enumerate(held)
    ]


def _matures_on(holding_id: str) -> date | None:
    """Next to a boundary of the days of renewal, or never; by a chance of its own."""
    chance = random.Random(holding_id)
    days = chance.choice((None, 0, 7, 20, 66))
    return None if days is None else AS_OF + timedelta(days=days + chance.choice((-1, 0, 1)))


def _consents(chance: random.Random, person: Row) -> list[Row]:
    changes = [
        (purpose, channel, datetime(2023, month, 1, 12, tzinfo=UTC))
        for purpose in PURPOSES
        for channel in CHANNELS
        for month in (3, 9)
        if chance.random() < 0.75
    ]
    return [
        {
            "customer_id": person["customer_id"],
            "purpose": purpose,
            "channel": channel,
            "changed_at": changed_at,
            "is_granted": chance.random() < 0.8,
            "recorded_at": KNOWN,
        }
        for purpose, channel, changed_at in changes
    ]


def _flags(chance: random.Random, person: Row) -> list[Row]:
    return [
        {
            "customer_id": person["customer_id"],
            "flag": flag,
            "valid_from": _near(chance, 0, 60),
            "valid_to": _near(chance, 0) if chance.random() < 0.4 else None,
            "recorded_at": KNOWN,
        }
        for flag in FLAG_NAMES
        if chance.random() < 0.03
    ]


def _contacts(chance: random.Random, person: Row, config: RunConfig) -> list[Row]:
    return [
        {
            "contact_id": f"{person['customer_id']}-{index}",
            "customer_id": person["customer_id"],
            "product_id": chance.choice(sorted(config.products)),
            "channel": "branch",
            "contacted_on": _near(chance, 7, 30, 90, 180),
            "disposition": (result := chance.choice(DISPOSITIONS)),
            "disposition_on": _near(chance, 30, 90) if result and chance.random() < 0.5 else None,
            "recorded_at": KNOWN,
        }
        for index in range(chance.choice((0, 0, 0, 1, 1, 2, 4)))
    ]


def _amounts(chance: random.Random, person: Row) -> Row:
    incomes = (None, "2399.99", "2400.00", "5400.00", "7500.00", "20000.00")
    balances = (None, "999.99", "1000.00", "2000.00", "50000.00")
    income, balance = chance.choice(incomes), chance.choice(balances)
    return {
        "customer_id": person["customer_id"],
        "income_amount_3m": income and Decimal(income),
        "balance_amount": balance and Decimal(balance),
        "segment": SEGMENTS[int(person["customer_id"][1:]) % len(SEGMENTS)],
        **_events(random.Random(person["customer_id"])),
    }


def _events(chance: random.Random) -> Row:
    """What offers wait for, by a chance of its own."""
    return {
        "income_months_12m": chance.choice((None, 1, 1, 2)),
        "days_since_last_income": chance.choice((None, 1, 31, 32)),
        "largest_credit_to_inflow_1m": chance.choice((None, 0.0, 1.99, 2.0, 7.5)),
        "has_branch_changed_6m": chance.random() < 0.3,
    }


def _score(chance: random.Random, person: Row, product: str) -> Row:
    return {
        "as_of": AS_OF,
        "customer_id": person["customer_id"],
        "product_id": product,
        # Few different values: ties must be decided.
        "propensity": chance.choice((0.001, 0.05, 0.125, 0.3, chance.random())),
        "model_name": f"propensity_{product}",
        "model_version": 1,
        "model_kind": "booster",
        "feature_version": 1,
    }
