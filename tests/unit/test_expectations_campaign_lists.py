"""The contract of the campaign lists."""

import pytest

from conf.load import load_config
from expectations.campaign_lists import campaign_lists_suite
from expectations.check import check
from tables.derived import CAMPAIGN_LISTS
from tests.unit.expectation_rows import failures, only_facts, only_rules, rows_with, warnings

GOOD = {
    "run_id": "'r1'",
    "campaign_id": "'monthly'",
    "as_of": "date'2024-04-01'",
    "branch_id": "if(id < 25, 'B1', 'B2')",
    "customer_id": "concat('C', id)",
    "offer_id": "'loan_2024'",
    "product_id": "'loan'",
    "kind": "'internal'",
    "move": "'cross_sell_internal'",
    "rank_in_branch": "if(id < 25, id + 1, id - 24)",
    "propensity": "0.2",
    "expected_profit": "3.10",
    "reason_1": "'Spent 120 on travel in the last 3 months'",
    "client_benefit": "'One fixed instalment'",
    "talking_point_id": "'TP-1'",
    "channel": "'phone'",
    "consent_basis": "'marketing_internal:phone'",
    "consent_checked_at": "timestamp'2024-04-01 00:00:00'",
    "contacts_left_30d": "1",
    "valid_from": "date'2024-04-08'",
    "valid_to": "date'2024-05-08'",
    "log_leaf": "sha2('x', 256)",
    "caller": "'advisor'",
    "credit_owner": "'A1'",
    "credit_share": "1.0",
    "is_exploration": "false",
}
REFERRAL = "whoever refers a client is not who closes the sale, and both make a whole"


@pytest.fixture(scope="module")
def suite():
    config = load_config(
        "local",
        [
            "campaign.branch_capacity=20",
            "campaign.branch_capacity_overrides={B1: 25}",
            "campaign.exploration_share=0.05",
        ],
    )
    return campaign_lists_suite(config.campaign)


def test_good_lists_keep_every_rule(spark, suite):
    report = check(suite, rows_with(spark, CAMPAIGN_LISTS, GOOD))
    assert failures(report) == warnings(report) == {}


def test_every_broken_rule_about_a_row_is_told(spark, suite):
    told = [
        (column.name, "null", f"{column.name} is never null")
        for column in CAMPAIGN_LISTS.columns
        if not column.is_nullable
    ]
    told += [
        ("reason_1", "' '", "reason_1 is not blank"),
        ("client_benefit", "''", "client_benefit is not blank"),
        ("valid_to", "date'2024-04-07'", "valid_to is not before valid_from"),
        ("propensity", "1", "propensity lies strictly between 0 and 1"),
        (
            "expected_profit",
            "9000000000000000",
            "expected_profit lies strictly between -1000000000000000 and 1000000000000000",
        ),
        ("move", "'gift'", "move is a known code"),
        ("caller", "'robot'", "caller is a known code"),
        ("kind", "'gift'", "kind is a known code"),
        ("valid_from", "date'2024-03-31'", "valid_from is not before as_of"),
        ("contacts_left_30d", "0", "contacts_left_30d lies between 1 and 1000"),
        ("log_leaf", "'ABC'", "log_leaf is a SHA-256 in hex"),
    ]
    rows = rows_with(spark, CAMPAIGN_LISTS, GOOD, [broken[:2] for broken in told], count=40)
    assert failures(check(only_rules(suite), rows)) == {sentence: 1 for *_, sentence in told}


@pytest.mark.parametrize(
    ("breaks", "sentences"),
    [
        (
            [("expected_profit", "0")],
            {"every offer earns at least 0.01": 1,
             "every offer but those of chance is worth something": 1},
        ),
        ([("credit_share", "0.7")], {REFERRAL: 1}),
        ([("referral_owner", "'A1'")], {REFERRAL: 1}),
        ([("kind", "'partner'")], {"a partner's offer names the partner, an own one none": 1,
                                  "a cross-sell is of the kind that its move says": 1}),
        ([("partner_id", "'velo'")], {"a partner's offer names the partner, an own one none": 1}),
        ([("run_id", "'r2'")], {"all rows are of one run": 1}),
        ([("customer_id", "'C0'"), ("offer_id", "'card_2024'")],
         {"nobody gets more than 1 offers": 1, "no offer is made to a customer twice": 1}),
        ([("rank_in_branch", "1")],
         {"the ranks of a branch are 1, 2, 3, …": 1, "no key occurs twice": 1}),
        ([("rank_in_branch", "0")], {"the ranks of a branch are 1, 2, 3, …": 1}),
        ([("rank_in_branch", "99")], {"the ranks of a branch are 1, 2, 3, …": 1}),
    ],
)  # fmt: skip
def test_a_broken_rule_about_the_lists_as_a_whole_is_told(spark, suite, breaks, sentences):
    rows = rows_with(spark, CAMPAIGN_LISTS, GOOD, breaks)
    assert failures(check(only_facts(suite), rows)) == sentences


def test_ranks_from_zero_are_told(spark, suite):
    rows = rows_with(spark, CAMPAIGN_LISTS, GOOD | {"rank_in_branch": "if(id < 25, id, id - 25)"})
    assert failures(check(only_facts(suite), rows)) == {"the ranks of a branch are 1, 2, 3, …": 2}


def test_a_branch_gets_no_more_than_its_own_capacity(spark, suite):
    more = GOOD | {"branch_id": "if(id < 26, 'B1', 'B2')"}
    more["rank_in_branch"] = "if(id < 26, id + 1, id - 25)"
    told = failures(check(only_facts(suite), rows_with(spark, CAMPAIGN_LISTS, more)))
    assert told == {"no branch has more offers than its capacity": 1}
    other = GOOD | {"branch_id": "'B3'", "rank_in_branch": "id + 1"}
    rows = rows_with(spark, CAMPAIGN_LISTS, other, count=21)
    assert failures(check(only_facts(suite), rows)) == {
        "no branch has more offers than its capacity": 1
    }


def test_offers_of_chance_need_not_be_worth_it_and_credit_may_be_split(spark, suite):
    shown = GOOD | {
        "is_exploration": "id = 30",
        "expected_profit": "if(id = 30, -2, 3.10)",
        "referral_owner": "if(id < 9, 'A2', null)",
        "credit_share": "if(id < 9, 0.7, 1.0)",
        "referral_share": "if(id < 9, 0.3, null)",
    }
    assert failures(check(only_facts(suite), rows_with(spark, CAMPAIGN_LISTS, shown))) == {}


def test_chance_gets_no_more_than_its_share_of_a_branch(spark, suite):
    shown = GOOD | {"is_exploration": "id in (0, 1, 30)"}
    told = failures(check(only_facts(suite), rows_with(spark, CAMPAIGN_LISTS, shown)))
    assert told == {"chance chooses at most 0.05 of a branch's capacity": 1}


def test_an_empty_list_is_a_warning(spark, suite):
    report = check(only_rules(suite), rows_with(spark, CAMPAIGN_LISTS, GOOD, count=0))
    assert failures(report) == {}
    assert warnings(report) == {"there is at least one row": 0}
