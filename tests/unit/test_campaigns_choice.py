"""Which offers win: ties, limits, capacity, and who is withheld."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession, functions as F

from campaigns.choice import Choice, choose, competing, outcomes
from campaigns.competition import Terms
from campaigns.control_group import exploration_hash, in_campaign_control, in_global_holdout
from campaigns.limits_in_words import dearest_limits, shortages
from conf.fields import Channel
from conf.load import load_config
from conf.schema import CampaignSettings, Quota
from conf.way_settings import ChannelSettings, Lever

WAY = {
    "way": "int",
    "channel": "string",
    "consent_basis": "string",
    "lever_code": "string",
    "lever_limit": "decimal(18,2)",
    "lever_cost": "decimal(18,2)",
    "lever_cost_when": "string",
    "contact_cost": "decimal(18,2)",
    "acceptance": "double",
    "response": "double",
    "expected_profit": "decimal(18,2)",
    "is_worth_it": "boolean",
}
COLUMNS = {
    "customer_id": "string",
    "offer_id": "string",
    "product_id": "string",
    "fatigue_class": "string",
    "branch_id": "string",
    "household_id": "string",
    "propensity": "double",
    "event": "string",
    "exploration_hash": "string",
    **{name: kind for name, kind in WAY.items() if name not in ("way", "is_worth_it")},
    "ways": f"array<struct<{','.join(f'{name}:{kind}' for name, kind in WAY.items())}>>",
    "class_contacts_left": "int",
    "contacts_left_30d": "int",
    "household_contacts_left": "int",
    "is_eligible": "boolean",
    "failed_gates": "array<string>",
    "failed_rules": "array<string>",
    "is_in_global_holdout": "boolean",
    "is_drawn_for_control": "boolean",
}
DDL = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
CONFIG = load_config("local", ())


def settings(**changes: Any) -> CampaignSettings:
    values = {
        "campaign_id": "test",
        "max_offers_per_customer": 1,
        "max_offers_per_household": 9,
        "branch_capacity": 9,
        "branch_capacity_overrides": {},
        "min_expected_profit": Decimal("0.01"),
        "control_share": 0.0,
        "global_holdout_share": 0.0,
        "salt": "salt",
    }
    return CampaignSettings(**{**values, **changes})


def offer(customer: str, name: str, profit: str = "1.00", **changes: Any) -> dict[str, Any]:
    values = {
        "customer_id": customer,
        "offer_id": name,
        "product_id": f"product_{name}",
        "fatigue_class": "everyday",
        "branch_id": "B1",
        "propensity": 0.5,
        "class_contacts_left": 9,
        "contacts_left_30d": 9,
        "household_contacts_left": 9,
        "is_eligible": True,
        "failed_gates": [],
        "failed_rules": [],
        "is_in_global_holdout": False,
        "is_drawn_for_control": False,
    }
    given = {**values, "ways": [way(0, profit)], **changes}
    best = max(given["ways"], key=lambda one: one["expected_profit"])
    return {**best, **given}


def way(number: int, profit: str, **changes: Any) -> dict[str, Any]:
    values = {
        "way": number,
        "channel": "branch",
        "contact_cost": Decimal("2.00"),
        "acceptance": 0.5,
        "response": 0.5,
        "expected_profit": Decimal(profit),
        "is_worth_it": True,
    }
    return {**dict.fromkeys(WAY), **values, **changes}


def choice_of(
    spark: SparkSession,
    limits: CampaignSettings,
    *offers: dict[str, Any],
    levers: dict[str, Lever] | None = None,
    channels: dict[Channel, ChannelSettings] | None = None,
) -> tuple[Choice, DataFrame]:
    rows = spark.createDataFrame([tuple(o.get(name) for name in COLUMNS) for o in offers], DDL)
    advisors = {o["customer_id"]: o.get("advisor_id") for o in offers}
    customers = spark.createDataFrame(
        list(advisors.items()), "customer_id string, advisor_id string"
    )
    terms = Terms(limits, CONFIG.products, {}, levers or {}, channels or {})
    return choose(competing(rows, customers).toArrow(), terms), rows


def chosen(
    spark: SparkSession, limits: CampaignSettings, *offers: dict[str, Any], **more: Any
) -> dict[tuple[str, str], Row]:
    choice, rows = choice_of(spark, limits, *offers, **more)
    decided = outcomes(rows, spark.createDataFrame(choice.places)).collect()
    return {(row.customer_id, row.offer_id): row for row in decided}


def outcomes_of(
    spark: SparkSession, limits: CampaignSettings, *offers: dict[str, Any]
) -> dict[str, str]:
    found = chosen(spark, limits, *offers)
    return {f"{customer} {name}": row.outcome for (customer, name), row in found.items()}


def test_the_best_offer_of_a_customer_wins_and_ties_fall_to_propensity_then_name(
    spark: SparkSession,
) -> None:
    assert outcomes_of(
        spark,
        settings(),
        offer("C1", "a", "1.00"),
        offer("C1", "b", "2.00"),
        offer("C2", "a", propensity=0.4),
        offer("C2", "b", propensity=0.6),
        offer("C3", "a"),
        offer("C3", "b"),
    ) == {
        "C1 a": "outranked",
        "C1 b": "offered",
        "C2 a": "outranked",
        "C2 b": "offered",
        "C3 a": "offered",
        "C3 b": "outranked",
    }


def test_a_failed_gate_never_wins_and_eligibility_is_named_first(spark: SparkSession) -> None:
    both = ["consent.no_consent", "eligibility.too_old"]
    found = chosen(
        spark,
        settings(),
        offer("C1", "a", "9.00", failed_gates=["consent.no_consent"]),
        offer("C1", "b", "9.00", failed_gates=both, is_eligible=False),
        offer("C1", "c", "1.00"),
    )
    assert [row.outcome for row in found.values() if row.failed_gates == both] == ["ineligible"]
    assert found["C1", "a"].outcome == "suppressed"
    assert found["C1", "c"].outcome == "offered"
    assert found["C1", "c"].rank_in_customer == 1
    assert found["C1", "a"].rank_in_customer is None


def test_a_cap_that_has_room_for_one_more_gets_one_more(spark: SparkSession) -> None:
    two = settings(max_offers_per_customer=2)
    assert outcomes_of(
        spark,
        two,
        offer("class", "a", "3.00", class_contacts_left=1),
        offer("class", "b", "2.00", class_contacts_left=1),
        offer("class", "c", "1.00", fatigue_class="credit"),
        offer("customer", "a", "3.00", contacts_left_30d=1),
        offer("customer", "b", "2.00", contacts_left_30d=1),
        offer("product", "a", "3.00", product_id="p"),
        offer("product", "b", "2.00", product_id="p"),
    ) == {
        "class a": "offered",
        "class b": "outranked",
        "class c": "offered",
        "customer a": "offered",
        "customer b": "outranked",
        "product a": "offered",
        "product b": "outranked",
    }


@pytest.mark.parametrize(("limit", "left"), [(1, 9), (2, 1)])
def test_a_household_gets_no_more_than_its_limit_and_its_cap(
    spark: SparkSession, limit: int, left: int
) -> None:
    home = {"household_id": "H1", "household_contacts_left": left}
    assert outcomes_of(
        spark,
        settings(max_offers_per_household=limit),
        offer("C1", "a", "1.00", **home),
        offer("C2", "a", "2.00", **home),
        offer("C3", "a", "0.50"),
        offer("C4", "a", "0.40"),
    ) == {"C1 a": "outranked", "C2 a": "offered", "C3 a": "offered", "C4 a": "offered"}


def test_a_branch_gets_its_capacity_of_offers_although_some_are_withheld(
    spark: SparkSession,
) -> None:
    found = chosen(
        spark,
        settings(branch_capacity=2, branch_capacity_overrides={"B2": 0}),
        offer("C1", "a", "9.00"),
        offer("C2", "a", "8.00", is_drawn_for_control=True),
        offer("C3", "a", "7.00", is_in_global_holdout=True),
        offer("C3+", "a", "6.50", is_in_global_holdout=True, is_drawn_for_control=True),
        offer("C4", "a", "6.00"),
        offer("C5", "a", "5.00", is_drawn_for_control=True),
        offer("C6", "a", "4.00"),
        offer("C7", "a", "9.00", branch_id="B2"),
    )
    outcome = {customer: row.outcome for (customer, _), row in found.items()}
    assert outcome == {
        "C1": "offered",
        "C2": "control",
        "C3": "control",
        "C3+": "control",
        "C4": "offered",
        "C5": "over_capacity",
        "C6": "over_capacity",
        "C7": "over_capacity",
    }
    ranks = {customer: row.rank_in_branch for (customer, _), row in found.items()}
    assert ranks == {**dict.fromkeys(outcome), "C1": 1, "C4": 2}
    in_control = {customer for (customer, _), row in found.items() if row.is_in_control_group}
    assert in_control == {"C2"}, "the holdout is not part of a campaign's control"


def test_a_place_goes_to_who_gains_most_by_it_not_to_who_is_worth_most(spark: SparkSession) -> None:
    quota = settings(
        branch_capacity=2,
        product_quotas={"product_a": Quota(max=1)},
        max_offers_per_household=1,
    )
    offers = [
        offer("C1", "a", "10.00"),
        offer("C1", "b", "9.00"),
        offer("C2", "a", "8.00"),
        offer("C2", "b", "1.00"),
    ]
    found = outcomes_of(spark, quota, *offers)
    assert found == {
        "C1 a": "over_capacity",
        "C1 b": "offered",
        "C2 a": "offered",
        "C2 b": "outranked",
    }


def test_the_withheld_change_nobodys_offers(spark: SparkSession) -> None:
    home = {"household_id": "H1", "household_contacts_left": 1}
    contacted = [offer("C1", "a", "3.00", **home), offer("C2", "a", "2.00")]
    withheld = [
        offer("C3", "a", "5.00", is_drawn_for_control=True, **home),
        offer("C4", "a", "2.00", is_drawn_for_control=True),
        offer("C5", "a", "1.00", is_drawn_for_control=True, **home),
    ]
    without = outcomes_of(spark, settings(branch_capacity=2), *contacted)
    found = outcomes_of(spark, settings(branch_capacity=2), *contacted, *withheld)
    assert without == {"C1 a": "offered", "C2 a": "offered"}
    assert {name: found[name] for name in without} == without
    # C3 would have displaced its household's offer; C4 ties with C2 and loses, as names go
    assert [found[f"C{n} a"] for n in (3, 4, 5)] == ["control", "over_capacity", "outranked"]


def test_a_better_offer_of_the_household_keeps_the_withheld_out_of_control(
    spark: SparkSession,
) -> None:
    home = {"household_id": "H1", "household_contacts_left": 1}
    assert outcomes_of(
        spark,
        settings(),
        offer("C1", "a", "3.00", **home),
        offer("C2", "a", "1.00", is_drawn_for_control=True, **home),
    ) == {"C1 a": "offered", "C2 a": "outranked"}


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        ({"budget": Decimal("4.00")}, 2),
        ({"max_offers": 1}, 1),
        ({"advisor_capacity": 1}, 2),
        ({"branch_minutes": 59, "contact_minutes": {"branch": 20}}, 2),
        ({"partner_quotas": {"aurora_insurance": Quota(max=1)}}, 1),
        ({}, 3),
    ],
)
def test_every_limit_binds(spark: SparkSession, limits: dict[str, Any], count: int) -> None:
    insurance = {"product_id": "travel_insurance"}
    offers = [
        offer("C1", "a", "3.00", advisor_id="A1", **insurance),
        offer("C2", "a", "2.00", advisor_id="A1", **insurance),
        offer("C3", "a", "1.00", **insurance),
    ]
    choice, _ = choice_of(spark, settings(**limits), *offers)
    assert sum(choice.places["made_cut"].to_pylist()) == count


def test_limits_are_told_in_words(spark: SparkSession) -> None:
    offers = [offer(f"C{n}", "a", f"{n}.00") for n in (1, 2, 3)]
    limits = settings(branch_capacity=2, product_quotas={"product_a": Quota(min=3)})
    choice, _ = choice_of(spark, limits, *offers)
    assert shortages(choice.plan, choice.limits) == [
        "product product_a lacks 1 of at least 3 offers; it clashes with the contacts at"
        " branch B1: lower the minimum or raise one of these"
    ]
    choice, _ = choice_of(spark, settings(branch_capacity=2), *offers)
    assert dearest_limits(choice.plan, choice.limits, 3) == [
        "one more contact at branch B1 earns 1.00"
    ]
    nobody = settings(product_quotas={"product_a": Quota(min=4), "other": Quota(min=1)})
    choice, _ = choice_of(spark, nobody, *offers)
    assert [text.split(";")[0] for text in shortages(choice.plan, choice.limits)] == [
        "product product_a lacks 1 of at least 4 offers",
        "product other lacks 1 of at least 1 offers",
    ]


def drawn(spark: SparkSession, limits: CampaignSettings, as_of: date) -> set[str]:
    people = spark.createDataFrame([(f"C{n}",) for n in range(2000)], "customer_id string")
    return {row[0] for row in people.where(in_campaign_control(limits, as_of)).collect()}


def test_control_is_the_configured_share_and_another_one_every_month(spark: SparkSession) -> None:
    limits = settings(control_share=0.1)
    march, april = (drawn(spark, limits, date(2024, month, 1)) for month in (3, 4))
    assert march == drawn(spark, limits, date(2024, 3, 1))
    assert 150 < len(march) < 250
    assert 5 < len(march & april) < 40, "one in ten of one month's is in the next one's"
    assert march != drawn(spark, settings(control_share=0.1, salt="other"), date(2024, 3, 1))
    assert march < drawn(spark, settings(control_share=0.2), date(2024, 3, 1))


def test_control_of_all_and_of_none(spark: SparkSession) -> None:
    everyone, nobody = settings(control_share=1.0), settings(control_share=0.0)
    assert len(drawn(spark, everyone, date(2024, 3, 1))) == 2000
    assert drawn(spark, nobody, date(2024, 3, 1)) == set()


def test_who_is_drawn_for_exploration_keeps_the_hash_that_chooses(spark: SparkSession) -> None:
    people = spark.createDataFrame([(f"C{n}",) for n in range(200)], "customer_id string")
    as_of = date(2024, 3, 1)
    found = people.select("customer_id", exploration_hash(settings(exploration_share=0.1), as_of))
    text = "salt|test|2024-03-01|exploration|{}"
    hashes = {
        f"C{n}": hashlib.sha256(text.format(f"C{n}").encode()).hexdigest() for n in range(200)
    }
    drawn = {name: one for name, one in hashes.items() if int(one[:13], 16) < 0.1 * 16**13}
    assert {name: one for name, one in found.collect() if one} == drawn
    assert 5 < len(drawn) < 40
    nobody = people.select(exploration_hash(settings(), as_of)).distinct().collect()
    assert [row[0] for row in nobody] == [None]


def test_the_global_holdout_depends_on_the_customer_and_the_salt_only(spark: SparkSession) -> None:
    people = spark.createDataFrame([(f"C{n}",) for n in range(200)], "customer_id string")
    found = people.where(in_global_holdout(settings(global_holdout_share=0.1, campaign_id="x")))
    expected = {
        f"C{n}"
        for n in range(200)
        if int(hashlib.sha256(f"salt|global_holdout|C{n}".encode()).hexdigest()[:13], 16)
        < 0.1 * 16**13
    }
    assert {row[0] for row in found.select(F.col("customer_id")).collect()} == expected
