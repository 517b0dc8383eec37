"""Which pairs make a package, and the lines for offers.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import conf
from conf.errors import ConfigError
from conf.load import load_config
from measurement.association import Estimate
from measurement.combinations import Combination
from measurement.packages import YOURS, Orders, needs, package_lines, proposals, reason
from measurement.purchase_order import Sequel

CONFIG = load_config("local")
HOLDERS = dict.fromkeys(CONFIG.products, 1_000)
NONE_FIRST = {(a, b): 0 for a in CONFIG.products for b in CONFIG.products}


def pair(one: str, other: str, *, low: float = 1.5, is_sure: bool = True) -> Combination:
    lift = Estimate(low + 0.5, low, low + 1)
    parts = ((one, other), 400, 0.1, (one,), (other,))
    return Combination(*parts, lift, lift, 0.05, 0.001, 0.01, is_sure)


def orders(first=(), sequels=()) -> Orders:
    return Orders(
        NONE_FIRST | dict(first),
        {
            (one, then): Sequel(one, then, 60, 5.0, Estimate(lift, 1.1, 9.0), 0.01, True)
            for one, then, lift in sequels
        },
    )


def proposed(*pairs: Combination, order: Orders | None = None):
    return proposals(pairs, HOLDERS, order or orders(), CONFIG)


def test_only_pairs_that_are_surely_held_together_often_enough_are_looked_at() -> None:
    least = CONFIG.combinations.min_package_lift
    found, others = proposed(
        pair("investment_fund", "term_deposit"),
        pair("mortgage", "pension_plan", is_sure=False),
        pair("car_leasing", "pension_plan", low=least),
    )
    assert [(one.core, one.periphery) for one in found] == [("investment_fund", "term_deposit")]
    assert not others


def test_the_core_is_what_the_other_is_bought_after() -> None:
    one, other = "investment_fund", "term_deposit"
    had_it = {(one, other): 300, (other, one): 100}
    [by_holding], _ = proposed(pair(one, other), order=orders(had_it))
    assert (by_holding.core, by_holding.had_core_first) == (one, 0.75)
    order = orders(had_it, [(other, one, 4.0), (one, other, 2.0)])
    [by_purchase], _ = proposed(pair(one, other), order=order)
    assert by_purchase.core == other
    assert by_purchase.sequel is order.sequels[other, one]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("credit_card", "current_account", "credit_card needs current_account"),
        ("credit_card", "gold_card", "credit_card excludes gold_card"),
        ("credit_card", "travel_insurance", "already together in travel_package_2026"),
    ],
)
def test_what_stands_in_the_way_is_told(one: str, other: str, told: str) -> None:
    found, [refused] = proposed(pair(one, other))
    assert not found
    assert told in refused.why


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("products.mortgage.eligibility.excludes=[pension_plan]",), "mortgage excludes pension"),
        (("products.pension_plan.upgrade_of=mortgage",), "takes the place of mortgage"),
        (
            ("offers.pension_plan_2026.trigger={event: large_credit, within_days: 60}",),
            "no offer sells pension_plan alone",
        ),
        (("offers.pension_plan_2026.channels=[phone]",), "no channel offers both"),
    ],
)
def test_terms_and_offers_may_stand_in_the_way(changes: tuple[str, ...], told: str) -> None:
    config = load_config("local", changes)
    found, [refused] = proposals([pair("mortgage", "pension_plan")], HOLDERS, orders(), config)
    assert not found
    assert told in refused.why


def test_partner_and_credit_are_among_what_it_needs() -> None:
    [one], _ = proposed(pair("mortgage", "pension_plan"))
    price, credit, partner = needs(one, CONFIG)
    assert "mortgage (mortgage_2026) and pension_plan (pension_plan_2026)" in price
    assert "assessment" in credit and "mortgage" in credit
    assert "marketing_partner" in partner and "Horizon Pensions" in partner


def test_the_reason_has_counts_and_the_interval() -> None:
    order = orders(sequels=[("mortgage", "pension_plan", 4.0)])
    [one], _ = proposed(pair("mortgage", "pension_plan"), order=order)
    names = {name: product.named("en") for name, product in CONFIG.products.items()}
    assert reason(one, names) == (
        "Of 1,000 clients with Mortgage, 400 (40%) hold Pension plan as well, 2.00 times"
        " [1.50, 2.50] as many as usual among clients alike. After Mortgage, Pension plan is bought"
        " 4.00 times [1.10, 9.00] as often as by all who could."
    )


def test_the_lines_are_an_offer_once_the_bank_has_said_its_prices(tmp_path: Path) -> None:
    [one], _ = proposed(pair("investment_fund", "pension_plan"))
    text = "\n".join(["offers:", *package_lines(one, CONFIG)]) + "\n"
    folder = tmp_path / "conf"
    shutil.copytree(Path(conf.__file__).parent, folder)
    (folder / "prod" / "offers.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config("prod", (), folder)
    assert all(f".{name}" in str(refused.value) for name in ("price", "talking_point_id"))
    said = iter(["TP-PKG-02", "9.00", "5.00", "6.00"])
    lines = [
        line.replace(YOURS, next(said)) if YOURS in line else line for line in text.splitlines()
    ]
    (folder / "prod" / "offers.yaml").write_text("\n".join(lines), encoding="utf-8")
    offer = load_config("prod", (), folder).offers[one.offer_id]
    assert offer.products == (one.core, one.periphery)
    assert offer.channels == ("branch", "phone")
    assert offer.bundle is not None
    assert offer.bundle.named("en") == "Investment fund + Pension plan"
    assert {*offer.bundle.client_benefit} == {"en", "it", "ro", "ru"}
