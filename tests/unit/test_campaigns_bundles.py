"""Packages: every gate of every product in them, what they are worth, and what they exclude."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import Row as SparkRow, SparkSession

from campaigns.candidates import candidates
from campaigns.choice import choose
from campaigns.competition import Terms
from campaigns.links import Links, joined
from conf.load import load_config
from tests.campaign_bank import AS_OF, KNOWN, Bank, Row

CONFIG = load_config("local")
PACKAGE = "travel_package_2026"
PURPOSES = ("marketing_internal", "marketing_partner", "profiling")
SCORES = {"credit_card": 0.20, "travel_insurance": 0.30}
# Everybody may have the package but for what is said here.
PEOPLE: dict[str, dict[str, Any]] = {
    "fits": {},
    "has_card": {"held": ("current_account", "credit_card"), "income": "0.00"},
    "has_cover": {"held": ("current_account", "travel_insurance")},
    "has_gold": {"held": ("current_account", "gold_card")},
    "no_account": {"held": ()},
    "low_income": {"income": "2399.99"},
    "too_old": {"born": date(1948, 2, 1)},
    "no_partner": {"purposes": ("marketing_internal", "profiling")},
    "no_internal": {"purposes": ("marketing_partner", "profiling")},
    "other_way": {"partner_by": "phone", "internal_by": "branch"},
    "full_class": {"contacts": [("pension_plan", None), ("home_insurance", None)] * 2},
    "full_core_class": {"contacts": [("personal_loan", None), ("mortgage", None)]},
    "refused_card": {"contacts": [("credit_card", "refused")]},
    "refused_package": {"contacts": [("travel_insurance", "refused")], "offer_id": PACKAGE},
    "in_difficulty": {"flags": ("financial_difficulty",), "inflow": 9.0},
    "cover_unscored": {"scores": {"credit_card": 0.20}},
    "unscored": {"scores": {"travel_insurance": 0.30}},
}


def person(name: str, **said: Any) -> dict[str, list[Row]]:
    """The rows of one customer."""
    of = {"customer_id": name, "recorded_at": KNOWN}
    channels = {f"marketing_{kind}": said.get(f"{kind}_by") for kind in ("partner", "internal")}
    income, opened_on = Decimal(said.get("income", "9000.00")), date(2021, 1, 1)
    return {
        "customers": [
            of | {"birth_date": said.get("born", date(1990, 1, 1)), "branch_id": "B1",
                  "joined_on": date(2020, 1, 1), "is_employee": False}
        ],
        "holdings": [
            of | {"holding_id": f"{name}-{product}", "product_id": product, "opened_on": opened_on}
            for product in said.get("held", ("current_account",))
        ],
        "consents": [
            of | {"purpose": purpose, "channel": channel, "is_granted": True,
                  "changed_at": datetime(2023, 1, 1, tzinfo=UTC)}
            for purpose in said.get("purposes", PURPOSES)
            for channel in ("branch", "phone")
            if channels.get(purpose) in (None, channel)
        ],
        "flags": [
            of | {"flag": flag, "valid_from": date(2024, 2, 1)} for flag in said.get("flags", ())
        ],
        "contacts": [
            of | {"contact_id": f"{name}-{index}", "product_id": product, "channel": "phone",
                  "offer_id": said.get("offer_id"), "contacted_on": date(2024, 1, 5),
                  "disposition": result}
            for index, (product, result) in enumerate(said.get("contacts", ()))
        ],
        "customer_features": [
            of | {"income_amount_3m": income, "balance_amount": Decimal(5000),
                  "largest_credit_to_inflow_1m": said.get("inflow")}
        ],
        "propensity_scores": [
            of | {"as_of": AS_OF, "product_id": product, "propensity": value}
            for product, value in said.get("scores", SCORES).items()
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> dict[tuple[str, str], SparkRow]:
    everybody = [person(name, **said) for name, said in PEOPLE.items()]
    bank = Bank(**{name: [row for one in everybody for row in one[name]] for name in everybody[0]})
    found = candidates(bank.sources(spark), CONFIG, AS_OF).collect()
    return {(row.customer_id, row.offer_id): row for row in found}


@pytest.mark.parametrize(
    ("customer", "failed"),
    [
        ("fits", []),
        ("has_card", []),
        ("has_cover", ["eligibility.already_held"]),
        ("has_gold", ["eligibility.holds_excluded_product"]),
        ("no_account", ["eligibility.lacks_required_product"]),
        ("low_income", ["eligibility.income_too_low"]),
        ("too_old", ["eligibility.too_old"]),
        ("no_partner", ["consent.no_consent"]),
        ("no_internal", ["consent.no_consent"]),
        ("other_way", ["consent.no_consent"]),
        ("full_class", ["contact_policy.fatigue_cap"]),
        ("full_core_class", ["contact_policy.fatigue_cap"]),
        ("refused_card", ["contact_policy.cool_off"]),
        ("refused_package", ["contact_policy.cool_off"]),
        ("in_difficulty", ["care.in_care"]),
        ("cover_unscored", ["value.not_profitable"]),
        ("unscored", ["value.not_profitable"]),
    ],
)
def test_a_package_needs_every_gate_of_every_product(
    rows: dict[tuple[str, str], SparkRow], customer: str, failed: list[str]
) -> None:
    row = rows[customer, PACKAGE]
    assert row.failed_gates == failed
    assert row.is_eligible is not any(code.startswith("eligibility.") for code in failed)


def test_nothing_that_happens_pushes_an_offer_on_who_is_in_difficulty(
    rows: dict[tuple[str, str], SparkRow],
) -> None:
    due = rows["in_difficulty", "investment_fund_inflow_2026"]
    assert (due.event, due.care_treatment) == ("large_credit", "restructuring_talk")
    assert "trigger.not_triggered" not in due.failed_gates
    for (name, _), row in rows.items():
        assert (name == "in_difficulty") is ("care.in_care" in row.failed_gates)


def test_a_contact_about_a_package_is_one_about_each_of_its_products(
    rows: dict[tuple[str, str], SparkRow],
) -> None:
    cooling = {
        offer_id
        for (name, offer_id), row in rows.items()
        if name == "refused_package" and "contact_policy.cool_off" in row.failed_gates
    }
    alone = {"credit_card_2026", "travel_insurance_2026", "travel_insurance_renewal_2026"}
    assert cooling == {PACKAGE, *alone}


def test_a_package_is_worth_the_least_response_and_what_it_saves_is_a_cost(
    rows: dict[tuple[str, str], SparkRow],
) -> None:
    both, cover = rows["fits", PACKAGE], rows["has_card", PACKAGE]
    card, insurance = (CONFIG.products[name].expected_margin for name in SCORES)
    assert (both.response, both.response_basis) == (0.20, "least_component")
    assert both.margin == card + insurance - 6
    assert both.expected_profit == Decimal("0.20") * both.margin - 5
    assert (cover.response, cover.margin) == (0.30, insurance - 6)
    assert both.expected_profit < sum(
        rows["fits", f"{name}_2026"].expected_profit + 4 for name in SCORES
    ), "never more than its products bring each by itself"
    assert (both.move, both.product_id, both.class_contacts_left) == (
        "bundle",
        "travel_insurance",
        2,
    )
    assert both.consent_basis == "marketing_internal/branch, marketing_partner/branch"


def options(*rows: tuple[str, str, int], left: int = 9) -> pa.Table:
    """What competes: customer, offer, profit in cents."""
    offers = [CONFIG.offers[offer_id] for _, offer_id, _ in rows]
    same = dict.fromkeys(("contacts_left_30d", "household_contacts_left"), [9] * len(rows))
    return pa.table(
        {
            "customer_id": [customer for customer, _, _ in rows],
            "offer_id": [offer_id for _, offer_id, _ in rows],
            "product_id": [offer.product for offer in offers],
            "fatigue_class": [CONFIG.products[offer.product].fatigue_class for offer in offers],
            "branch_id": ["B1"] * len(rows),
            "household_id": pa.nulls(len(rows), pa.string()),
            "channel": ["phone"] * len(rows),
            "event": ["x" if offer.trigger else None for offer in offers],
            "propensity": [0.5] * len(rows),
            "class_contacts_left": [left] * len(rows),
            **same,
            "profit_cents": [profit for _, _, profit in rows],
            "cost_cents": [400] * len(rows),
            "lever_cents": [0] * len(rows),
            "lever_code": pa.nulls(len(rows), pa.string()),
            "way": [0] * len(rows),
            "is_worth_it": [True] * len(rows),
            "exploration_hash": pa.nulls(len(rows), pa.string()),
            "is_withheld": [False] * len(rows),
            "advisor_id": pa.nulls(len(rows), pa.string()),
        }
    )


def chosen(table: pa.Table) -> list[tuple[str, str]]:
    settings = CONFIG.campaign.model_copy(
        update={"max_offers_per_customer": 3, "max_offers_per_household": 9}
    )
    terms = Terms.of(CONFIG.model_copy(update={"campaign": settings}))
    places = choose(table, terms).places.to_pylist()
    return sorted((row["customer_id"], row["offer_id"]) for row in places if row["made_cut"])


def test_a_package_and_an_offer_of_what_is_in_it_are_never_both_made() -> None:
    alone = [("credit_card_2026", 900), ("travel_insurance_2026", 800), ("pension_plan_2026", 10)]
    found = chosen(
        options(
            ("C1", PACKAGE, 1000),
            *(("C1", name, profit) for name, profit in alone),
            *(("C2", name, profit) for name, profit in alone),
        )
    )
    assert found == [
        ("C1", "pension_plan_2026"),
        ("C1", PACKAGE),
        ("C2", "credit_card_2026"),
        ("C2", "pension_plan_2026"),
        ("C2", "travel_insurance_2026"),
    ]


def test_a_package_uses_up_a_contact_of_each_of_its_classes() -> None:
    more = [("car_leasing_2026", 900), ("home_insurance_2026", 800), ("pension_plan_2026", 10)]
    table = options(("C1", PACKAGE, 1000), *(("C1", name, profit) for name, profit in more), left=1)
    assert chosen(table) == [("C1", "pension_plan_2026"), ("C1", PACKAGE)]


def test_of_two_offers_worth_the_same_that_with_an_event_is_made() -> None:
    table = options(("C1", "investment_fund_2026", 9), ("C1", "investment_fund_inflow_2026", 9))
    assert chosen(table) == [("C1", "investment_fund_inflow_2026")]
    dearer = options(("C1", "investment_fund_2026", 10), ("C1", "investment_fund_inflow_2026", 9))
    assert chosen(dearer) == [("C1", "investment_fund_2026")], "an event adds no worth"


def test_packages_that_share_a_product_are_linked() -> None:
    def offer(product: str, core: str) -> Any:
        return CONFIG.offers[PACKAGE].model_copy(
            update={
                "bundle": CONFIG.offers[PACKAGE].bundle.model_copy(  # type: ignore[union-attr]
                    update={"core": core, "periphery": (product,)}
                )
            }
        )

    offers = {
        "one": offer("pension_plan", "mortgage"),
        "two": offer("home_insurance", "car_leasing"),
        "three": offer("home_insurance", "mortgage"),
    }
    links = Links.of(offers, CONFIG.products)
    assert set(links.products.values()) == {"car_leasing"}
    assert set(links.classes.values()) == {"credit"}
    known, place = ("credit_card", "home_insurance", "mortgage"), np.array([0, 1, 2, 2])
    where = np.array([True, True, True, False])
    assert joined(known, place, links.products, where).tolist() == [0, 1, 1, 2]
