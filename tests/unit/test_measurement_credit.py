"""Whose sales they were, and whose look unlike the others': by hand, planted, and by chance."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom, hypergeom

from conf.load import load_config
from measurement.credit_checks import (
    BANK,
    BEFORE_CONTACT,
    CANCELLED,
    MONTH_END,
    NO_CONSENT,
    NO_CONTACT,
    NOT_CONFIRMED,
    RETURNED,
    check_rows,
    check_sentences,
    credit_checks,
)
from measurement.credit_table import (
    ADVISOR,
    BRANCH,
    PARTNER,
    WHOLE,
    credit_rows,
    credit_sentences,
    credit_table,
)
from measurement.stratified_chance import exact_excess
from tests.offers_table import NOVEMBER, OCTOBER, campaign, offers, sold

SETTINGS = load_config("local").measurement.credit
CALLED, BOUGHT = date(2023, 10, 12), date(2023, 10, 20)
SPLIT = {"credit_share": 0.7, "referral_share": 0.3}
BY_DESK = {"partner_id": "P1", "credit_owner": "P1", "kind": "partner"} | SPLIT
NOTHING_RETURNED = RETURNED.empty_table()
BANK_ROWS = [
    sold(BOUGHT, CALLED),
    BY_DESK | {"referral_owner": "A1"} | sold(BOUGHT, CALLED, revenue=1_005),
    SPLIT | {"credit_owner": "B1", "referral_owner": "A1"} | sold(BOUGHT, CALLED),
    {"advisor_id": None, "credit_owner": "B1"} | sold(BOUGHT, BOUGHT),
    {"branch_id": "B2", "advisor_id": "A2", "credit_owner": "A2"} | sold(BOUGHT),
    sold(BOUGHT, BOUGHT + timedelta(days=1)),
    {"is_cancelled": True} | sold(BOUGHT, CALLED, revenue=0),
    {"contacted_on": CALLED, "contacts": 2},
    {"is_treated": False} | sold(BOUGHT, CALLED),
]


def by_name(found, level):
    return {one.name: one for one in found.level(level)}


def test_goals_and_assists_of_a_tiny_bank_are_those_counted_by_hand() -> None:
    found = credit_table(offers(BANK_ROWS), [campaign()])
    branch, advisor = by_name(found, BRANCH), by_name(found, ADVISOR)
    assert (found.sales, found.without_contact, found.before_contact, found.cancelled) == (
        4,
        1,
        1,
        1,
    )
    assert (branch["B1"].goals, branch["B1"].assists) == (2_700_000, 600_000)
    assert (advisor["A1"].goals, advisor["A1"].assists, advisor["A1"].sales) == (
        1_000_000, 600_000, 3,
    )  # fmt: skip
    assert by_name(found, PARTNER)["P1"].goals == 700_000
    # 1,005 cents: three parts in ten are 301.5, the closer has what rounding leaves
    assert by_name(found, PARTNER)["P1"].goal_revenue == 703
    assert branch["B1"].assist_revenue == 302 + 2_700
    assert (branch["B2"].goals, branch["B2"].without_contact) == (0, 1)
    assert (branch["B1"].offers, branch["B1"].contacted, branch["B1"].contacts) == (7, 7, 8)
    assert advisor["A1"].branch_id == "B1"


def test_parts_of_branches_and_partners_desks_are_all_sales_and_all_their_revenue() -> None:
    random = np.random.default_rng(1)
    rows = [
        {
            "branch_id": f"B{random.integers(3)}", "advisor_id": None, "credit_share": share,
            "referral_share": 1 - share, "partner_id": "P1",
            "credit_owner": "P1", "referral_owner": f"B{random.integers(3)}",
        }
        | sold(BOUGHT, CALLED, int(random.integers(10_000)))
        for share in random.random(200).round(3).tolist()
    ]  # fmt: skip
    found = credit_table(offers(rows), [campaign()])
    all_parts = [one for one in found.rows if one.level != ADVISOR]
    assert found.sales == 200
    assert sum(one.goals + one.assists for one in all_parts) == 200 * WHOLE
    assert sum(one.goal_revenue + one.assist_revenue for one in all_parts) == sum(
        row["revenue"] for row in rows
    )


def test_one_purchase_in_the_windows_of_two_campaigns_is_credited_once_to_the_later_offer() -> None:
    later = campaign(NOVEMBER, date(2023, 11, 1), ends=date(2024, 1, 8))
    bought = sold(date(2023, 11, 20), date(2023, 11, 10)) | {"customer_id": "C1"}
    both = offers(
        [bought, bought | {"campaign": NOVEMBER, "advisor_id": "A9", "credit_owner": "A9"}]
    )
    found = by_name(credit_table(both, [campaign(), later]), ADVISOR)
    assert (found["A9"].goals, found["A1"].goals) == (WHOLE, 0)
    # Without a contact about the later offer before it, it is that of the earlier one.
    never = {"contacted_on": None, "contacts": 0}
    rows = [bought, bought | never | {"campaign": NOVEMBER, "credit_owner": "A9"}]
    found = credit_table(offers(rows), [campaign(), later])
    assert (found.sales, found.without_contact) == (1, 0)


def test_a_campaign_without_a_delivery_since_is_told_and_not_credited() -> None:
    found = credit_table(offers(BANK_ROWS), [campaign(has_deliveries=False)])
    assert (found.sales, found.rows) == (0, ())
    assert "Campaign of 2023-10-01: no delivery since" in credit_sentences(found)[-1]


def test_tables_and_sentences_do_not_depend_on_the_order_of_rows() -> None:
    forwards = offers(BANK_ROWS)
    backwards = forwards.take(list(range(len(BANK_ROWS) - 1, -1, -1)))
    one, other = (credit_table(rows, [campaign()]) for rows in (forwards, backwards))
    assert one == other
    assert credit_rows(one).to_pylist()[0]["goals"] == pytest.approx(2.7)
    assert credit_sentences(one) == [
        "4 sales after a contact are credited: 3.4 as goals to who closed them, 0.6 as assists to"
        " who referred the client.",
        "2 more products were bought with no contact before, as far as is known (1 of them before"
        " the first contact); they are credited to nobody.",
        "1 were given back so soon that they count as no sale.",
    ]


def test_chance_within_strata_is_that_of_fishers_test_and_of_their_sum() -> None:
    of, all_count, all_of = np.array([8]), np.array([10]), np.array([50])
    assert exact_excess(5, of, all_count, all_of) == pytest.approx(hypergeom.sf(4, 50, 10, 8))
    two = [np.array([3, 2]), np.array([2, 1]), np.array([6, 5])]
    by_hand = sum(
        hypergeom.pmf(a, 6, 2, 3) * hypergeom.pmf(b, 5, 1, 2)
        for a in range(3)
        for b in range(2)
        if a + b >= 2
    )
    assert exact_excess(2, *two) == pytest.approx(by_hand)
    # A stratum in which everybody has it says nothing.
    more = [np.append(one, extra) for one, extra in zip(two, (4, 9, 9), strict=True)]
    assert exact_excess(6, *more) == pytest.approx(by_hand)


def network(seed, branches=12, each=40, odd=None):
    """Offers of branches that are alike; those of branch B00 as ``odd`` makes them."""
    random = np.random.default_rng(seed)
    rows = []
    for place in range(branches * each):
        branch = place // each
        product = ("card", "loan")[random.integers(2)]
        called = date(2023, 10, 9) + timedelta(days=int(random.integers(10)))
        bought = called + timedelta(days=int(random.integers(25)))
        row = {
            "branch_id": f"B{branch:02d}", "advisor_id": f"A{branch:02d}{place % 2}",
            "product_id": product,
            "is_cancelled": random.random() < (0.25 if product == "loan" else 0.1),
        }  # fmt: skip
        row |= sold(bought, called if random.random() < 0.8 else None)
        if row["contacted_on"] and random.random() < 0.1:
            row["contacted_on"] = bought + timedelta(days=2)
        rows.append((row | (odd(random, row) or {})) if odd and not branch else row)
    return offers(rows)


def flagged(table, returned=NOTHING_RETURNED):
    found = credit_checks(table, [campaign()], returned, SETTINGS)
    return {(one.check, one.level, one.name) for one in found if one.is_flagged}


@pytest.mark.parametrize(
    ("check", "odd"),
    [
        (NO_CONTACT, lambda random, row: sold(row["bought_on"]) if random.random() < 0.6 else None),
        (
            BEFORE_CONTACT,
            lambda random, row: (
                sold(row["bought_on"], row["bought_on"] + timedelta(days=1))
                if random.random() < 0.5
                else None
            ),
        ),
        (CANCELLED, lambda random, row: {"is_cancelled": random.random() < 0.6}),
        (MONTH_END, lambda random, row: sold(date(2023, 10, 30), CALLED)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_planted_oddity_is_found_where_it_is_and_nowhere_else(check, odd) -> None:
    found = {one for one in flagged(network(3, odd=odd)) if one[1] != BANK}
    assert (check, BRANCH, "B00") in found
    assert {one[0] for one in found} == {check}
    assert {one[2][1:3] for one in found} == {"00"}


def test_a_branch_that_sells_what_is_often_given_back_is_not_flagged_for_it() -> None:
    def loans(random, row):
        return {"product_id": "loan", "is_cancelled": bool(random.random() < 0.25)}

    found = credit_checks(network(5, odd=loans), [campaign()], NOTHING_RETURNED, SETTINGS)
    told = next(one for one in found if one.check is CANCELLED and one.name == "B00")
    assert told.expected == pytest.approx(0.25 * told.of, rel=0.25)
    assert not told.is_flagged


def test_reported_sales_that_no_holding_confirms_count_only_when_they_should_be_known() -> None:
    said = {"disposition": "sold", "disposition_on": CALLED}
    real = [said | sold(BOUGHT, CALLED) | {"branch_id": "B2"} for _ in range(60)]
    late = {"disposition_on": date(2023, 12, 1)}
    rows = [*real, *[said] * 15, *[said | late] * 15]
    [found] = [
        one
        for one in credit_checks(offers(rows), [campaign()], NOTHING_RETURNED, SETTINGS)
        if one.check is NOT_CONFIRMED and one.name == "B1"
    ]
    assert (found.count, found.of, found.is_flagged) == (15, 15, True)
    young = campaign(is_matured=False)
    told = credit_checks(offers(rows), [young], NOTHING_RETURNED, SETTINGS)
    assert not [one for one in told if one.check is NOT_CONFIRMED]


def test_contacts_without_a_known_consent_are_found_by_branch_and_by_who_made_them() -> None:
    def row(branch, consent):
        return {
            "campaign": OCTOBER, "product_id": "card", "branch_id": branch,
            "advisor_id": f"A{branch}", "partner_id": None, "has_consent": consent,
        }  # fmt: skip

    rows = [row("B1", place >= 8) for place in range(20)] + [row("B2", True)] * 200
    rows += [row("B1", None)] * 50
    plain = pa.schema([(name, pa.string()) for name in RETURNED.names[:-1]]).append(
        RETURNED.field(5)
    )
    returned = pa.Table.from_pylist(rows, schema=plain).cast(RETURNED)
    assert flagged(offers([]), returned) == {
        (NO_CONSENT, BRANCH, "B1"),
        (NO_CONSENT, ADVISOR, "AB1"),
    }


def test_what_all_branches_do_alike_at_the_end_of_the_month_is_seen_against_the_calendar() -> None:
    rows = [
        {"branch_id": f"B{place % 4}"} | sold(date(2023, 10, 29 + place % 3), CALLED)
        for place in range(80)
    ]
    found = credit_checks(offers(rows), [campaign()], NOTHING_RETURNED, SETTINGS)
    [bank] = [one for one in found if one.is_flagged]
    # of 61 days of the window, six are among the last three of a month
    assert (bank.level, bank.count, bank.expected) == (BANK, 80, pytest.approx(80 * 6 / 61))
    assert bank.sentence.startswith(
        "All branches together: 80 of 80 sales were made in the last days"
    )
    table = check_rows(found)
    assert table["sentence"].null_count == table.num_rows - 1
    assert "it says nothing about anybody's intent" in check_sentences(found, SETTINGS)[0]


def test_units_with_few_sales_are_not_held_against_others() -> None:
    rows = [{"branch_id": f"B{place // 9}"} | sold(BOUGHT) for place in range(18)]
    assert not [
        one
        for one in credit_checks(offers(rows), [campaign()], NOTHING_RETURNED, SETTINGS)
        if one.level == BRANCH
    ]
    assert "has enough sales" in check_sentences([], SETTINGS)[0]


@pytest.mark.parametrize(("runs", "most"), [(15, 4), pytest.param(200, 19, marks=pytest.mark.slow)])
def test_in_a_network_in_which_all_are_alike_few_runs_flag_anything(runs, most) -> None:
    # At a rate of one in twenty, more than so many come up less than one time in a hundred.
    assert binom.sf(most, runs, 0.05) < 0.01 <= binom.sf(most - 3, runs, 0.05)
    with_flags = sum(
        bool({one for one in flagged(network(seed)) if one[1] != BANK}) for seed in range(runs)
    )
    assert with_flags <= most
