"""The contract of the campaign results."""

import pytest

from expectations.campaign_results import campaign_results_suite
from expectations.check import check
from tables.derived import CAMPAIGN_RESULTS
from tests.unit.expectation_rows import failures, only_facts, only_rules, rows_with, warnings

GOOD = {
    "as_of": "date'2024-04-01'",
    "run_id": "'r1'",
    "campaign": "'all'",
    "against": "'campaign_control'",
    "cut": "if(id = 0, 'all', 'branch')",
    "value": "concat('B', id)",
    "measure": "'response'",
    "state": "if(id < 28, 'measured', 'too_few')",
    "treated": "if(id = 0, 300, 10)",
    "control": "if(id = 0, 30, 1)",
    "treated_mean": "0.3",
    "control_mean": "0.1",
    "effect": "if(id < 28, 0.2, null)",
    "effect_low": "if(id < 28, 0.1, null)",
    "effect_high": "if(id < 28, double(0.3), null)",
    "total": "if(id < 28, 2.0, null)",
    "total_low": "if(id < 28, 1.0, null)",
    "total_high": "if(id < 28, 3.0, null)",
    "p_value": "0.02",
    "q_value": "double(0.04)",
    "is_sure": "id < 28",
    "note": "if(id < 28, null, 'fewer clients than are needed')",
}


@pytest.fixture(scope="module")
def suite():
    return campaign_results_suite()


def test_good_results_keep_every_rule(spark, suite):
    report = check(suite, rows_with(spark, CAMPAIGN_RESULTS, GOOD))
    assert failures(report) == warnings(report) == {}


def test_every_broken_rule_about_a_row_is_told(spark, suite):
    breaks = [
        ("state", "'unknown'"), ("against", "'nobody'"), ("cut", "'weather'"),
        ("measure", "'luck'"), ("campaign", "' '"), ("treated", "-1"), ("control", "-1"),
        ("p_value", "1.1"), ("q_value", "double('nan')"), ("value", "null"),
    ]  # fmt: skip
    found = failures(check(only_rules(suite), rows_with(spark, CAMPAIGN_RESULTS, GOOD, breaks)))
    assert found == {
        "state is a known code": 1, "against is a known code": 1, "cut is a known code": 1,
        "measure is a known code": 1, "campaign is not blank": 1,
        "treated lies between 0 and 1000000000000": 1,
        "control lies between 0 and 1000000000000": 1, "p_value lies between 0 and 1": 1,
        "q_value lies between 0 and 1": 1, "value is never null": 1,
    }  # fmt: skip


def test_every_broken_rule_about_the_whole_is_told(spark, suite):
    breaks = [
        ("value", "'B2'"), ("note", "null"), ("run_id", "'r2'"), ("as_of", "date'2024-05-01'"),
        ("effect", "null"), ("state", "'too_few'"), ("effect_low", "0.25"),
        ("effect_high", "double('nan')"), ("effect_low", "null"), ("total_high", "1.5"),
        ("treated_mean", "1.5"), ("control_mean", "-0.1"), ("control", "31"), ("treated", "301"),
    ]  # fmt: skip
    found = failures(check(only_facts(suite), rows_with(spark, CAMPAIGN_RESULTS, GOOD, breaks)))
    assert found == {
        "no key occurs twice": 1,
        "all rows are of one run": 1,
        "all rows are of one as-of date": 1,
        "an effect is told where it was measured, and nowhere else": 2,
        "where nothing was measured, it is said why": 1,
        "only what was measured is told as sure": 1,
        "an effect lies within its interval": 3,
        "what was caused in all lies within its interval": 1,
        "a share of clients is one": 2,
        "no part has more clients than the whole": 2,
    }
