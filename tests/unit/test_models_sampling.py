"""Who is sampled: by what was bought and by a hash, before any feature is known."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from conf.load import load_config
from models import sampling
from models.labels import outcome_column
from models.sampling import (
    buyers_and_others,
    draw_of,
    evaluation_sample,
    fold_of,
    training_sample,
    training_share,
    without_money_rules,
)
from models.training_set import FOLDS

COHORT = date(2024, 2, 1)
PRODUCTS = ("card", "loan")
OUTCOMES = ", ".join(f"{outcome_column(product)} boolean" for product in PRODUCTS)


def people(spark, count, *, cohort=COHORT, seed=1):
    ids = spark.createDataFrame([(f"C{number}",) for number in range(count)], "customer_id string")
    return ids.select("customer_id", draw_of(cohort, seed).alias("draw"), fold_of(seed))


def population(spark, *rows):
    return spark.createDataFrame(list(rows), f"customer_id string, draw double, {OUTCOMES}")


def by_customer(frame):
    return {row["customer_id"]: row.asDict() for row in frame.collect()}


def test_a_draw_is_uniform_and_the_same_on_every_machine(spark):
    draws = {row["customer_id"]: row["draw"] for row in people(spark, 2000).collect()}
    digest = hashlib.sha256(b"draw 1 2024-02-01 C7").hexdigest()
    assert draws["C7"] == int(digest[:13], 16) / 2**52
    assert 0 <= min(draws.values()) < 0.01
    assert 0.99 < max(draws.values()) < 1
    assert sum(draw < 0.3 for draw in draws.values()) == pytest.approx(600, abs=60)


def test_a_draw_follows_the_cohort_and_the_seed(spark):
    frames = [people(spark, 1), people(spark, 1, cohort=date(2024, 3, 1)), people(spark, 1, seed=2)]
    assert len({frame.first()["draw"] for frame in frames}) == 3


def test_a_fold_follows_the_customer_whatever_the_cohort(spark):
    folds = [[row[2] for row in frame.collect()] for frame in (
        people(spark, 2000), people(spark, 2000, cohort=date(2024, 3, 1)),
        people(spark, 2000, seed=2),
    )]  # fmt: skip
    assert folds[0] == folds[1] != folds[2]
    assert all(folds[0].count(fold) == pytest.approx(500, abs=80) for fold in range(FOLDS))


def test_rules_that_need_a_feature_are_put_off_and_no_others():
    products = without_money_rules(load_config("local").products)
    card = products["credit_card"].eligibility
    assert card.min_monthly_income is None
    assert (card.min_age, card.requires_any, card.excludes) == (
        18, ("current_account",), ("gold_card",),
    )  # fmt: skip
    assert products["term_deposit"].eligibility.min_balance is None


def test_buyers_and_others_are_those_who_could_buy(spark):
    rows = population(
        spark, ("C1", 0.1, True, None), ("C2", 0.2, False, None), ("C3", 0.3, False, True)
    )
    assert buyers_and_others(rows, PRODUCTS) == [(1, 2), (1, 0)]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([(10, 2000), (5, 250)], 0.4),  # the second product wants 100 of 250
        ([(10, 100), (0, 1000)], 1.0),
        ([(0, 1000)], 0.01),  # nobody bought anything, and yet rates need customers
        ([(3, 0)], 0.01),
    ],
)
def test_the_share_drawn_is_what_the_most_demanding_product_wants(monkeypatch, counts, expected):
    monkeypatch.setattr(sampling, "MIN_DRAWN", 100)
    share = training_share(counts, customers=10_000, negatives_per_positive=20)
    assert share == pytest.approx(expected)


def test_of_a_small_bank_everybody_is_drawn():
    assert training_share([(1, 5000)], customers=5001, negatives_per_positive=1) == 1.0


def test_a_training_sample_has_all_buyers_and_those_drawn(spark):
    rows = population(
        spark, ("C1", 0.1, False, None), ("C2", 0.24, False, True), ("C3", 0.25, False, False),
        ("C4", 0.9, True, False), ("C5", 0.9, None, None), ("C6", 0.0, None, None),
    )  # fmt: skip
    found = by_customer(training_sample(rows, PRODUCTS, 0.25))
    assert {name: (row["is_drawn"], row["weight"]) for name, row in found.items()} == {
        "C1": (True, 4.0), "C2": (True, 1.0), "C4": (False, 1.0), "C6": (True, 4.0),
    }  # fmt: skip


def test_weights_add_up_to_all_customers_on_average(spark):
    everybody = [(f"C{number}", number % 7 == 0, number % 5 == 0 or None) for number in range(3000)]
    frame = spark.createDataFrame(everybody, f"customer_id string, {OUTCOMES}")
    estimates = []
    for seed in range(5):
        drawn = frame.select("*", draw_of(COHORT, seed).alias("draw"))
        rows = training_sample(drawn, PRODUCTS, 0.2).collect()
        assert sum(row["weight"] == 1 for row in rows) == sum(bool(a or b) for _, a, b in everybody)
        estimates.append(sum(row["weight"] for row in rows))
    assert sum(estimates) / 5 == pytest.approx(3000, rel=0.03)
    assert len(set(estimates)) == 5


def test_an_evaluation_sample_is_drawn_whatever_was_bought(spark):
    everybody = people(spark, 100)
    smallest = sorted(row["draw"] for row in everybody.collect())[:40]
    found = evaluation_sample(everybody, 100, 40).collect()
    assert sorted(row["draw"] for row in found) == smallest
    assert {(row["is_drawn"], row["weight"]) for row in found} == {(True, 2.5)}
    assert {row["weight"] for row in evaluation_sample(everybody, 100, 100).collect()} == {1.0}
    assert evaluation_sample(everybody, 100, 1000).count() == 100
