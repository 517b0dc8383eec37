"""A channel that was used enough is closed, alone of all channels, until its contacts are old."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession, functions as F

from campaigns.channel_caps import channel_caps
from campaigns.consent import ALL_PURPOSES, closed_channel_gates, consented_channel
from campaigns.contact_policy import contact_facts
from campaigns.gates import failed
from campaigns.rules import rules_in_force
from conf.load import load_config
from conf.schema import Offer
from tables.sources import CONTACTS, CUSTOMERS
from tests.gate_rules import AS_OF
from tests.tables import table_rows

CARD = "credit_card_2026"  # by branch or phone
CONFIG = load_config("local", ["contact_policy.max_contacts_30d_by_channel={phone: 2, branch: 1}"])
CAPS = channel_caps(CONFIG)
CODE = "contact_policy.channel_cap"


def decided(
    spark: SparkSession, contacts: str, leave: tuple[str, ...] = ("branch", "phone")
) -> dict[str, Any]:
    """What comes of the card for a client with these contacts and leave on these channels."""
    customers = table_rows(
        spark,
        CUSTOMERS,
        "customer_id\nC1",
        branch_id="B1",
        joined_on=date(2020, 1, 1),
        is_employee=False,
    )
    header = "contact_id | contacted_on | channel"
    rows = table_rows(
        spark, CONTACTS, f"{header}\n{contacts}", customer_id="C1", product_id="savings_account"
    )
    facts = contact_facts(
        customers, rows, CONFIG.products, CONFIG.contact_policy, AS_OF, channel_caps=CAPS
    )
    known = facts.select(
        "*",
        *(
            F.lit(channel in leave).alias(f"has_leave_{purpose}_{channel}")
            for purpose in ALL_PURPOSES
            for channel in ("branch", "phone")
        ),
    )
    offer, product = CONFIG.offers[CARD], CONFIG.products["credit_card"]
    gates = closed_channel_gates(offer, CAPS, product)
    [row] = known.select(
        consented_channel(offer.channels, product, caps=CAPS).alias("channel"),
        failed(gates, rules_in_force(CARD, CONFIG)).alias("failed"),
    ).collect()
    return {"channel": row.channel, "failed": [(one.code, one.passes_on) for one in row.failed]}


ONE_VISIT = "1 | 2024-02-10 | branch"


@pytest.mark.parametrize(
    ("contacts", "channel", "passes_on"),
    [
        ("", "branch", None),
        (ONE_VISIT, "phone", None),
        (f"{ONE_VISIT}\n2 | 2024-02-20 | phone", "phone", None),
        (f"{ONE_VISIT}\n2 | 2024-02-05 | phone\n3 | 2024-02-20 | phone", None, date(2024, 3, 7)),
        (f"{ONE_VISIT}\n2 | 2024-02-15 | phone\n3 | 2024-02-20 | phone", None, date(2024, 3, 12)),
        ("1 | 2024-01-30 | branch", "branch", None),
        ("1 | 2024-01-31 | branch", "phone", None),
        ("1 | 2024-02-10 | email\n2 | 2024-02-10 | app", "branch", None),
    ],
)
def test_a_channel_at_its_cap_is_closed_and_the_offer_waits_when_all_are(
    spark: SparkSession, contacts: str, channel: str | None, passes_on: date | None
) -> None:
    found = decided(spark, contacts)
    expected = [] if channel else [(CODE, passes_on)]
    assert found == {"channel": channel, "failed": expected}


def test_only_channels_with_leave_are_waited_for(spark: SparkSession) -> None:
    contacts = f"{ONE_VISIT}\n2 | 2024-02-05 | phone\n3 | 2024-02-20 | phone"
    by_branch = decided(spark, contacts, ("branch",))
    assert by_branch == {"channel": None, "failed": [(CODE, date(2024, 3, 12))]}
    assert decided(spark, ONE_VISIT, ("branch",))["failed"] == [(CODE, date(2024, 3, 12))]
    assert decided(spark, contacts, ()) == {"channel": None, "failed": []}, "consent tells that"


def test_a_cap_leaves_room_for_every_offer_that_a_campaign_may_make() -> None:
    two = load_config(
        "local",
        [
            "campaign.max_offers_per_customer=2",
            "contact_policy.max_contacts_30d_by_channel={phone: 3, email: 2, sms: 0}",
        ],
    )
    assert channel_caps(two) == {"phone": 2, "email": 1, "sms": 0}


def test_a_channel_capped_at_none_is_closed_for_good(spark: SparkSession) -> None:
    config = load_config("local", ["contact_policy.max_contacts_30d_by_channel={branch: 0}"])
    caps, offer = channel_caps(config), config.offers["mortgage_2026"]
    row = spark.createDataFrame([(0, None, True)], "n int, day date, leave boolean").select(
        F.col("n").alias("contacts_30d_by_branch"),
        F.col("day").alias("contacts_30d_by_branch_pass_on"),
        *(F.col("leave").alias(f"has_leave_{purpose}_branch") for purpose in ALL_PURPOSES),
    )
    gates = closed_channel_gates(offer, caps, config.products["mortgage"])
    [found] = row.select(failed(gates, rules_in_force("mortgage_2026", config))).collect()
    assert [(one.code, one.passes_on) for one in found[0]] == [(CODE, None)]


def test_offers_by_other_channels_have_no_such_rule() -> None:
    by_email = Offer(**(CONFIG.offers[CARD].model_dump() | {"channels": ("email",)}))
    assert closed_channel_gates(by_email, CAPS, CONFIG.products["credit_card"]) == []
    mortgage = rules_in_force("mortgage_2026", CONFIG)[CODE]
    assert mortgage.words("en").endswith("on every allowed channel: branch 1")
    assert CODE not in rules_in_force(CARD, load_config("local"))
