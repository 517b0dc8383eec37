"""The contract of the scores."""

import pytest

from conf.load import load_config
from expectations.check import check
from expectations.propensity_scores import propensity_scores_suite
from tables.derived import PROPENSITY_SCORES
from tests.unit.expectation_rows import failures, only_facts, only_rules, rows_with, warnings

PRODUCTS = ["card", "loan"]
GOOD = {
    "as_of": "date'2024-04-01'",
    "customer_id": "concat('C', floor(id / 2))",
    "product_id": "if(id % 2 = 0, 'card', 'loan')",
    "propensity": "0.01 + id / 1000",
    "model_name": "'propensity_loan'",
    "model_version": "3",
    "model_kind": "'booster'",
    "feature_version": "7",
}
COVERAGE = "every active customer, and nobody else, has every active product exactly once"
CHECKS = load_config("local").checks


@pytest.fixture(scope="module")
def customers(spark):
    return spark.range(15).selectExpr("concat('C', id) as customer_id")


@pytest.fixture(scope="module")
def suite(customers):
    return propensity_scores_suite(customers, PRODUCTS, CHECKS)


@pytest.fixture(scope="module")
def scores(spark):
    return rows_with(spark, PROPENSITY_SCORES, GOOD)


def test_good_scores_keep_every_rule(suite, scores):
    report = check(suite, scores)
    assert failures(report) == warnings(report) == {}


def test_every_broken_rule_is_told(spark, suite):
    told = [
        (column.name, "null", f"{column.name} is never null")
        for column in PROPENSITY_SCORES.columns
        if column.name not in ("customer_id", "product_id") and not column.is_nullable
    ]
    told += [
        ("model_name", "' '", "model_name is not blank"),
        ("model_kind", "'oracle'", "model_kind is a known code"),
    ]
    rows = rows_with(spark, PROPENSITY_SCORES, GOOD, [broken[:2] for broken in told])
    assert failures(check(suite, rows)) == {sentence: 1 for *_, sentence in told}


@pytest.mark.parametrize("value", ["0", "1", "-0.1", "1.1", "double('NaN')", "double('Infinity')"])
def test_a_propensity_that_is_no_probability_stops_publication(spark, suite, value):
    rows = rows_with(spark, PROPENSITY_SCORES, GOOD, [("propensity", value)])
    told = failures(check(only_rules(suite), rows))
    assert told["propensity lies strictly between 0 and 1"] == 1


WITH_UPLIFT = GOOD | {"uplift": "id / 1000 - 0.01", "uplift_version": "2"}
IN_USE = "each row has an uplift of the model in use, and none if there is no such model"


@pytest.mark.parametrize("value", ["-1.001", "1.001", "double('NaN')", "double('Infinity')"])
def test_an_uplift_outside_its_range_stops_publication(spark, customers, value):
    suite = only_rules(propensity_scores_suite(customers, PRODUCTS, CHECKS, uplift_version=2))
    assert failures(check(suite, rows_with(spark, PROPENSITY_SCORES, WITH_UPLIFT))) == {}
    rows = rows_with(spark, PROPENSITY_SCORES, WITH_UPLIFT, [("uplift", value)])
    assert failures(check(suite, rows)) == {"uplift lies between -1 and 1": 1}


def test_uplift_is_there_for_all_or_for_nobody_as_the_registry_says(spark, customers, scores):
    in_use = only_facts(propensity_scores_suite(customers, PRODUCTS, CHECKS, uplift_version=2))
    none = only_facts(propensity_scores_suite(customers, PRODUCTS, CHECKS))
    whole = rows_with(spark, PROPENSITY_SCORES, WITH_UPLIFT)
    breaks = [("uplift", "null"), ("uplift_version", "1"), ("uplift_version", "null")]
    part = rows_with(spark, PROPENSITY_SCORES, WITH_UPLIFT, breaks)
    assert failures(check(in_use, whole)) == {}
    assert failures(check(in_use, part)) == {IN_USE: 3}
    assert failures(check(in_use, scores)) == {IN_USE: 30}
    assert failures(check(none, whole)) == {IN_USE: 30}


@pytest.mark.parametrize(
    ("break_", "customers_concerned"),
    [
        (("product_id", "'card'"), 1),  # C0 has card twice and no loan
        (("product_id", "'boat'"), 1),
        (("product_id", "null"), 1),
        (("customer_id", "'C1'"), 2),  # C0 lacks loan, C1 has it twice
        (("customer_id", "'C77'"), 2),  # C0 lacks loan, C77 is not active
        (("customer_id", "null"), 2),
    ],
)
def test_each_active_customer_has_each_product_exactly_once(
    spark, suite, break_, customers_concerned
):
    rows = rows_with(spark, PROPENSITY_SCORES, GOOD, [break_])
    assert failures(check(only_facts(suite), rows))[COVERAGE] == customers_concerned


def test_missing_customers_and_empty_scores_stop_publication(suite, scores):
    told = failures(check(only_facts(suite), scores.where("customer_id <> 'C3'")))
    assert told == {COVERAGE: 1}
    told = failures(check(suite, scores.limit(0)))
    assert told["there are at least 2 rows"] == 0
    assert told[COVERAGE] == 15


def test_scores_of_a_customer_who_is_not_active_stop_publication(customers, scores):
    active = customers.where("customer_id <> 'C3'")
    suite = propensity_scores_suite(active, PRODUCTS, CHECKS)
    assert failures(check(only_facts(suite), scores)) == {COVERAGE: 1}


def test_rows_of_two_months_or_snapshots_stop_publication(spark, suite):
    breaks = [("as_of", "date'2024-03-01'"), ("feature_version", "6")]
    rows = rows_with(spark, PROPENSITY_SCORES, GOOD, breaks)
    told = failures(check(only_facts(suite), rows))
    assert told == {"all rows are of one as-of date": 1, "all rows score one snapshot": 1}


def test_a_product_whose_mean_propensity_is_out_of_bounds_stops_publication(spark, suite):
    low = GOOD | {"propensity": "if(id % 2 = 0, 0.000001, 0.1)"}
    (told,) = failures(check(only_facts(suite), rows_with(spark, PROPENSITY_SCORES, low)))
    assert told == "the lowest mean propensity of a product is at least 1e-05"
    high = GOOD | {"propensity": "if(id % 2 = 0, 0.6, 0.1)"}
    (told,) = failures(check(only_facts(suite), rows_with(spark, PROPENSITY_SCORES, high)))
    assert told == "the highest mean propensity of a product is at most 0.5"


def test_drift_since_last_month_is_a_warning_with_the_index_of_the_worst_product(
    spark, customers, scores
):
    last_month = rows_with(
        spark, PROPENSITY_SCORES, GOOD | {"propensity": "if(id % 2 = 0, 0.01 + id / 1000, 0.3)"}
    )
    suite = propensity_scores_suite(customers, PRODUCTS, CHECKS, last_month)
    report = check(only_facts(suite), scores)
    assert failures(report) == {}
    (psi,) = warnings(report).values()
    # loan: 5 of 15 in [0.01, 0.02), 10 in [0.02, 0.05) now; all in [0.2, 0.5) then
    assert psi == pytest.approx(_psi([5 / 15, 10 / 15, 0], [0, 0, 1]))
    same = propensity_scores_suite(customers, PRODUCTS, CHECKS, scores)
    assert warnings(check(only_facts(same), scores)) == {}


def _psi(now, then):
    import math

    pairs = [(max(p, 1e-4), max(q, 1e-4)) for p, q in zip(now, then, strict=True)]
    return sum((p - q) * math.log(p / q) for p, q in pairs)
