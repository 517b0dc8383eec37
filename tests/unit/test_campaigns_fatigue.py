"""Contacts after the campaign: of clients, of households, by fatigue class."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import SparkSession

from campaigns.channel_caps import channel_caps
from campaigns.contact_policy import contact_facts
from campaigns.fatigue import CLIENTS_30D, CLIENTS_90D, HOUSEHOLDS_30D, contact_counts, fatigue
from conf.load import load_config
from tables.sources import CONTACTS, CUSTOMERS
from tests.campaign_bank import AS_OF, KNOWN, frame

CONFIG = load_config(
    "local",
    [
        "contact_policy.max_contacts_30d=2",
        "contact_policy.max_household_contacts_30d=3",
        "contact_policy.max_contacts_90d_by_fatigue_class.credit=1",
        "contact_policy.max_contacts_30d_by_channel.phone=1",
    ],
)


def test_offers_come_on_top_of_the_contacts_there_were(spark: SparkSession) -> None:
    homes = {"C1": "H1", "C2": "H1", "C3": None, "C4": None}
    people = frame(
        spark, CUSTOMERS, [{"customer_id": c, "household_id": h} for c, h in homes.items()]
    )
    days = {"C1": (1, 29), "C2": (40,), "C3": ()}
    contacts = frame(
        spark,
        CONTACTS,
        [
            {
                "contact_id": f"{customer}-{ago}",
                "customer_id": customer,
                "product_id": "credit_card",
                "contacted_on": AS_OF - timedelta(days=ago),
                "recorded_at": KNOWN,
            }
            for customer, ago_all in days.items()
            for ago in ago_all
        ],
    )
    offered = spark.createDataFrame(
        [
            ("C2", "credit_card", "phone"),
            ("C3", "mortgage", "branch"),
            ("C3", "investment_fund", "phone"),
        ],
        "customer_id string, product_id string, channel string",
    )
    policy = CONFIG.contact_policy
    facts = contact_facts(
        people, contacts, CONFIG.products, policy, AS_OF, channel_caps=channel_caps(CONFIG)
    )
    counts = contact_counts(
        facts, people.where("customer_id <> 'C4'"), offered, CONFIG.products, policy
    )
    found = fatigue(counts, policy)

    assert found.spreads[CLIENTS_30D].before == (2, 0, 1, 0, 0, 0)
    assert found.spreads[CLIENTS_30D].after == (0, 1, 2, 0, 0, 0)
    assert found.spreads[CLIENTS_90D].before == (1, 1, 1, 0, 0, 0)
    assert found.spreads[CLIENTS_90D].after == (0, 0, 3, 0, 0, 0)
    assert found.spreads[HOUSEHOLDS_30D].before == (1, 0, 1, 0, 0, 0)
    assert found.spreads[HOUSEHOLDS_30D].after == (0, 0, 1, 1, 0, 0)
    caps = {name: (cap.cap, cap.before, cap.after, cap.of) for name, cap in found.at_caps.items()}
    assert caps["client"] == (2, 1, 2, 3)
    assert caps["household"] == (3, 0, 1, 2)
    assert CONFIG.products["mortgage"].fatigue_class == "credit"
    assert caps["credit"] == (1, 2, 3, 3), "C3 is at the cap by the mortgage alone"
    assert caps["wealth"] == (2, 0, 0, 3)
    assert caps["by phone"] == (1, 0, 2, 3), "earlier contacts were by another channel"
