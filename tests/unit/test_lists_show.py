"""`lists show`: filters combine, counts are told, and a role sees its columns only."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from campaigns.list_query import ListQuery
from conf.load import load_config
from jobs.lists.command import NOTHING, list_lines
from tables.errors import UserError
from tests.unit.test_campaigns_lists import CONFIG, decision, listed

CARD = {"offer_id": "credit_card_2026", "product_id": "credit_card", "move": "cross_sell_internal"}
LISTS = listed(
    decision("C1", 1, expected_profit=Decimal("30.00")),
    decision("C2", 2, expected_profit=Decimal("20.00"), **CARD),
    decision("C3", 1, branch_id="B2", expected_profit=Decimal("25.00"), channel="branch", **CARD),
    decision("C4", 2, branch_id="B2", expected_profit=Decimal("9.99"), **CARD),
)


def clients(query: ListQuery, most: int = 10) -> list[str]:
    """Which clients are shown, in order."""
    lines = list_lines(LISTS, CONFIG, query, most)
    return re.findall(r"\bC\d\b", "\n".join(lines[2:]))


def test_the_list_of_a_branch_as_text() -> None:
    lines = list_lines(LISTS, CONFIG, ListQuery(), 1)
    assert lines[0] == "Branch B1: 1 of 2 offers"
    assert " ".join(lines[2].split()) == (
        "1 C1 Travel insurance phone 2024-04-21 Spent 900 EUR on travel"
    )
    assert len(lines) == 3
    assert list_lines(LISTS, CONFIG, ListQuery({"branch": "B2"}), 9)[0] == (
        "Branch B2: 2 of 2 offers"
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ListQuery({"product": "credit_card"}), ["C3", "C2", "C4"]),
        (ListQuery({"product": "credit_card", "branch": "B2"}), ["C3", "C4"]),
        (ListQuery({"product": "credit_card"}, Decimal("20.00")), ["C3", "C2"]),
        (ListQuery({"offer": "travel_insurance_2026"}), ["C1"]),
        (ListQuery({"channel": "phone", "move": "cross_sell_internal"}), ["C2", "C4"]),
        (ListQuery({"advisor": "A1", "customer": "C4"}), ["C4"]),
        (ListQuery(min_profit=Decimal("9.99")), ["C1", "C3", "C2", "C4"]),
        (ListQuery(min_profit=Decimal("10.00")), ["C1", "C3", "C2"]),
    ],
)
def test_filters_combine_and_the_most_valuable_comes_first(
    query: ListQuery, found: list[str]
) -> None:
    assert clients(query) == found
    assert clients(query, 1) == found[:1]


def test_the_headline_tells_how_many_there_are() -> None:
    query = ListQuery({"product": "credit_card"}, Decimal("9.99"))
    assert list_lines(LISTS, CONFIG, query, 2)[0] == (
        "Product credit_card, expected profit 9.99 or more: 2 of 3 offers in 2 branches;"
        " 4 on all lists"
    )
    nobody = list_lines(LISTS, CONFIG, ListQuery({"product": "mortgage"}), 2)
    assert nobody[0] == "Product mortgage: 0 of 0 offers in 0 branches; 4 on all lists"
    assert len(nobody) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (ListQuery({"branch": "B9"}), "branch B9 has no list; there are B1, B2"),
        (ListQuery({"product": "mortgag"}), "did you mean mortgage"),
        (ListQuery({"move": "upsell"}), "did you mean up_sell"),
        (ListQuery({"channel": "fax"}), "there are app, branch, email"),
        (ListQuery({"advisor": "A9"}), "advisor A9 is on no list; there are A1"),
        (ListQuery(columns=("chanel",)), "no column chanel; did you mean channel"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(query: ListQuery, said: str) -> None:
    with pytest.raises(UserError, match=said):
        list_lines(LISTS, CONFIG, query, 10)


def test_an_unknown_client_is_not_told_who_the_others_are() -> None:
    with pytest.raises(UserError) as told:
        list_lines(LISTS, CONFIG, ListQuery({"customer": "C99"}), 10)
    assert "C99" not in str(told.value)
    assert "C1" not in str(told.value)


def test_the_campaign_manager_sees_what_an_offer_is_worth() -> None:
    lines = list_lines(LISTS, CONFIG, ListQuery({"product": "credit_card"}, Decimal(0)), 1)
    assert lines[1].split()[-6:-3] == ["until", "Expected", "profit"]
    assert "25.00" in lines[2]
    shown = list_lines(LISTS, CONFIG, ListQuery(columns=("customer_id", "propensity")), 1)
    assert [line.split() for line in shown[1:]] == [["Client", "Propensity"], ["C1", "0.4321"]]


@pytest.mark.parametrize(
    "query",
    [
        ListQuery({"branch": "B1"}, Decimal(1), role="branch"),
        ListQuery({"branch": "B1"}, role="branch", columns=("customer_id", "expected_profit")),
        ListQuery({"branch": "B1"}, role="branch", columns=("propensity",)),
    ],
)
def test_a_branch_may_neither_see_nor_ask_what_a_client_is_worth(query: ListQuery) -> None:
    with pytest.raises(UserError, match=r"role branch may not see (expected_profit|propensity)"):
        list_lines(LISTS, CONFIG, query, 10)


def test_a_branch_sees_its_own_clients_only() -> None:
    with pytest.raises(UserError, match="say --branch"):
        list_lines(LISTS, CONFIG, ListQuery({"product": "credit_card"}, role="branch"), 10)
    assert clients(ListQuery({"branch": "B2"}, role="branch")) == ["C3", "C4"]


def test_a_data_scientist_tells_offers_apart_by_the_log_and_sees_no_client() -> None:
    query = ListQuery({"product": "credit_card"}, role="science")
    titles, *rows = list_lines(LISTS, CONFIG, query, 9)[1:]
    assert len(rows) == 3
    for row in LISTS.to_pylist():
        if row["product_id"] == "credit_card":
            assert any(row["log_leaf"] in line for line in rows)
    assert "0.4321" in rows[0]
    assert "Client" not in titles
    assert not re.search(r"\bC\d\b", "\n".join(rows))
    seen = set(CONFIG.roles.science.list_columns)
    assert not seen & {
        "customer_id", "advisor_id", "credit_owner", "referral_owner", "reason_1", "reason_2",
        "reason_3", "client_benefit", "rank_in_branch",
    }  # fmt: skip
    for asked in (
        ListQuery({"customer": "C1"}, role="science"),
        ListQuery({"advisor": "A1"}, role="science"),
        ListQuery(role="science", columns=("log_leaf", "customer_id")),
        ListQuery(role="science", columns=("reason_1",)),
    ):
        with pytest.raises(UserError, match="role science may not see"):
            list_lines(LISTS, CONFIG, asked, 9)


def test_a_compliance_reviewer_sees_every_column() -> None:
    assert sorted(CONFIG.roles.compliance.list_columns) == sorted(LISTS.column_names)
    query = ListQuery(role="compliance", columns=tuple(LISTS.column_names))
    assert "0.4321" in list_lines(LISTS, CONFIG, query, 9)[2]


def test_columns_that_a_role_may_not_see_are_left_out_unasked() -> None:
    config = load_config("local", ["roles.branch.list_columns=[branch_id, customer_id]"])
    lines = list_lines(LISTS, config, ListQuery({"branch": "B1"}, role="branch"), 1)
    assert lines[1:] == ["Client", "C1"]


def test_a_campaign_that_offers_nothing_says_so() -> None:
    assert list_lines(listed(), CONFIG, ListQuery(), 10) == [NOTHING]
