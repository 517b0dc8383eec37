"""A ranking is judged by what happened, next to what luck and a simple rule would have reached."""

import math

import numpy as np
import pyarrow as pa
import pytest

from jobs.extracts.backtest import RANDOM, back_test, column_by_customer, flat_report, report_lines
from tables.errors import ContractViolation

CUSTOMERS = [f"C{number:04}" for number in range(1000)]
BOUGHT = {customer: number < 100 for number, customer in enumerate(CUSTOMERS)}
PERFECT = {customer: float(-number) for number, customer in enumerate(CUSTOMERS)}
CONSTANT = dict.fromkeys(CUSTOMERS, 0.5)


def judged(ranking, baseline=CONSTANT, samples=50):
    return back_test({"propensity": ranking, "balance": baseline}, BOUGHT, samples, seed=1)


def test_a_perfect_ranking_catches_every_buyer_first():
    figures = judged(PERFECT).results["propensity"]

    assert figures["top_decile"].value == 100
    assert figures["top_200"].value == 100
    assert figures["auc"].value == figures["auc"].low == figures["auc"].high == 1
    assert figures["decile_lift"].value == pytest.approx(10)


def test_customers_of_one_score_share_the_places_they_take():
    figures = judged(CONSTANT).results["propensity"]

    assert figures["top_decile"].value == pytest.approx(10)
    assert figures["top_200"].value == pytest.approx(20)
    assert figures["auc"].value == pytest.approx(0.5)


def test_a_reversed_ranking_is_as_bad_as_the_perfect_one_is_good():
    reversed_ranking = {customer: -score for customer, score in PERFECT.items()}

    figures = judged(reversed_ranking).results["propensity"]

    assert (figures["auc"].value, figures["top_200"].value) == (0, 0)


def test_random_order_is_right_on_average_and_its_interval_shows_luck():
    random = judged(PERFECT, samples=400).results[RANDOM]

    assert random["top_decile"].value == pytest.approx(10)
    # hypergeometric: standard deviation 2.85
    assert 3 <= random["top_decile"].low <= 6
    assert 14 <= random["top_decile"].high <= 18


def test_gains_over_a_baseline_are_paired():
    noisy = np.random.default_rng(5).normal(0, 300, len(CUSTOMERS))
    ranking = {one: PERFECT[one] + noise for one, noise in zip(CUSTOMERS, noisy, strict=True)}

    gain = judged(ranking, baseline=ranking).gains["balance"]

    assert gain["auc"].value == gain["auc"].low == gain["auc"].high == 0


def test_an_interval_holds_its_estimate():
    noisy = np.random.default_rng(5).normal(0, 300, len(CUSTOMERS))
    ranking = {one: PERFECT[one] + noise for one, noise in zip(CUSTOMERS, noisy, strict=True)}

    for figure in judged(ranking, samples=200).results["propensity"].values():
        assert figure.low < figure.value < figure.high


def test_the_order_of_customers_changes_nothing():
    backwards = dict(reversed(list(BOUGHT.items())))

    again = back_test({"propensity": PERFECT, "balance": CONSTANT}, backwards, 50, seed=1)

    assert again == judged(PERFECT)


def test_a_customer_without_a_score_is_an_error_without_the_customer_s_name():
    lacking = {customer: 1.0 for customer in CUSTOMERS[1:]}

    with pytest.raises(ContractViolation, match=r"1 of 1000 .* have no propensity") as found:
        judged(lacking)
    assert "C0000" not in str(found.value)


def test_an_unknown_balance_ranks_last():
    rows = pa.table({"customer_id": ["C1", "C2"], "balance": pa.array([None, "-3.50"]).cast(
        pa.decimal128(18, 2))})  # fmt: skip

    assert column_by_customer(rows, "balance") == {"C1": -math.inf, "C2": -3.5}


def test_the_report_shows_every_figure_to_people_and_programs():
    found = judged(PERFECT)

    flat = flat_report(found)
    text = "\n".join(report_lines(found, "loans"))

    assert flat["propensity_top_decile"] == 100
    assert {"propensity_auc_low", "balance_auc_high", "random_order_top_200",
            "more_than_balance_auc"} <= set(flat)  # fmt: skip
    assert "100 of 1000 customers bought (10.0%)" in text
    assert "100 [" in text
