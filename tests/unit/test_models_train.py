"""Training: repeatable on any number of processes, blind to later cohorts, honest afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.baselines import segment_rates
from models.evaluate import evaluate, flat
from models.pooled import (
    pooled_candidate,
    pooled_sample,
    product_attributes,
    train_pooled,
    with_base_rates,
)
from models.scorer import Scorer
from models.search import recorded
from models.segment_rate import train_segment_rate
from models.train import Candidate, Plan, share_binned, train_booster
from models.training_set import CALIBRATION, TEST, TRAIN, TrainingSet
from models.workers import in_processes
from tables.errors import UserError
from tests.model_data import ATTRIBUTES, PRODUCTS, SEGMENTS, plan_of, sampled, small_bank
from tests.unit.test_models_labels import product

CARD, LOAN, BOAT = map(list(PRODUCTS).index, ("card", "loan", "boat"))


def trained(folder: Path, data: TrainingSet, **changes: object) -> Candidate:
    return train_booster(plan_of(data, folder, **changes), "card")


def trained_card(plan: Plan) -> Candidate:
    return train_booster(plan, "card")


def pooled_card(plan: Plan) -> Candidate:
    return pooled_candidate(plan, train_pooled(plan), "card")


def test_a_booster_finds_what_drives_purchases_and_is_calibrated(tmp_path: Path) -> None:
    found = trained(tmp_path, small_bank(4000), bootstrap_samples=100)
    assert found.scorer.kind == "booster"
    assert found.metrics["auc"].value > 0.82
    assert found.metrics["ece"].value <= max(0.02, found.metrics["ece_by_chance"].high)
    assert found.metrics["log_loss_gain_over_segment_rate"].low > 0
    assert found.metrics["logistic_regression_auc"].value > 0.82
    assert (
        found.facts["test_positives"]
        == ((small_bank(4000).outcomes[:, CARD] == 1) & (small_bank(4000).part == TEST)).sum()
    )


def test_the_mean_propensity_is_the_rate_in_spite_of_dropped_negatives(tmp_path: Path) -> None:
    data = small_bank(4000)
    found = trained(tmp_path, data, negatives_per_positive=1)
    rows = data.rows(CARD, TEST)
    rate = (data.outcomes[rows, CARD] == 1).mean()
    assert found.facts["negative_share"] < 0.3
    assert found.scorer.propensities_of(data.features[rows]).mean() == pytest.approx(rate, rel=0.15)


def test_the_text_of_a_model_is_the_same_on_one_process_and_on_two(tmp_path: Path) -> None:
    data = small_bank()
    found = {"trials": 3}  # a search has draws of its own
    plans = [
        plan_of(data, tmp_path / str(count), processes=count, search=found) for count in (1, 2)
    ]
    alone, shared = (dict(in_processes(train_booster, plan, ["card", "loan"])) for plan in plans)
    assert alone.keys() == shared.keys()
    assert {p: c.scorer for p, c in alone.items()} == {p: c.scorer for p, c in shared.items()}
    assert flat(alone["card"].metrics) == flat(shared["card"].metrics)
    assert recorded(alone["card"].found) == recorded(shared["card"].found) != {}


def test_a_matrix_that_was_binned_for_all_gives_the_same_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small_bank()
    alone, reading = plan_of(data, tmp_path / "alone"), plan_of(data, tmp_path / "reading")
    expected = train_booster(alone, "card")
    share_binned(reading)
    monkeypatch.delattr("models.train.binned")  # it is read, not made again
    assert train_booster(reading, "card").scorer == expected.scorer


def killed(_plan: Plan, _product_id: str) -> Candidate:
    os._exit(9)


def test_a_training_process_that_is_killed_is_reported_with_what_to_do(tmp_path: Path) -> None:
    plan = plan_of(small_bank(50), tmp_path, processes=2)
    with pytest.raises(UserError, match=r"killed.*models\.processes below 2"):
        list(in_processes(killed, plan, ["card", "loan"]))


def test_the_text_of_a_model_does_not_depend_on_which_product_is_trained_first(
    tmp_path: Path,
) -> None:
    data = small_bank()
    first, last = plan_of(data, tmp_path / "first"), plan_of(data, tmp_path / "last")
    train_booster(last, "loan")
    assert train_booster(first, "card").scorer == train_booster(last, "card").scorer


def test_outcomes_of_later_cohorts_never_reach_the_booster(tmp_path: Path) -> None:
    data = small_bank()
    poisoned = data.outcomes.copy()
    later = data.part != TRAIN
    poisoned[later] = np.where(poisoned[later] < 0, -1, 1 - poisoned[later])
    before = trained(tmp_path / "before", data)
    after = trained(tmp_path / "after", replace(data, outcomes=poisoned))
    assert after.scorer.model_text == before.scorer.model_text
    assert after.facts["rounds"] == before.facts["rounds"]


def test_outcomes_of_the_test_cohort_never_reach_the_calibration(tmp_path: Path) -> None:
    data = small_bank()
    poisoned = data.outcomes.copy()
    poisoned[data.part == TEST] = 0
    before = trained(tmp_path / "before", data)
    after = trained(tmp_path / "after", replace(data, outcomes=poisoned))
    assert after.scorer == before.scorer
    assert not after.metrics["auc"].is_known


def test_a_constant_and_an_empty_feature_do_no_harm(tmp_path: Path) -> None:
    data = small_bank()
    features = data.features.copy()
    features[:, 2], features[:, 3] = 1.0, np.nan
    found = trained(tmp_path, replace(data, features=features))
    assert found.metrics["auc"].value > 0.8
    assert np.isfinite(found.metrics["logistic_regression_log_loss"].value)


def test_a_calibration_cohort_without_buyers_leaves_the_booster_as_it_is(tmp_path: Path) -> None:
    data = small_bank()
    outcomes = data.outcomes.copy()
    outcomes[data.part == CALIBRATION] = 0
    assert trained(tmp_path, replace(data, outcomes=outcomes)).scorer.calibration.kind == "identity"


def segment_rate(plan: Plan, product_id: str) -> Scorer:
    return train_segment_rate(plan, product_id).scorer


def test_a_segments_rate_lies_between_its_own_and_the_products(tmp_path: Path) -> None:
    data = small_bank()
    scorer = segment_rate(plan_of(data, tmp_path), "card")
    known = (data.part < TEST) & (data.outcomes[:, CARD] >= 0)
    overall = (data.outcomes[known, CARD] == 1).mean()
    own = (data.outcomes[known & (data.segment == 0), CARD] == 1).mean()
    low, high = sorted([own, overall])
    assert list(scorer.segment_rates) == [*SEGMENTS, ""]
    assert low - 1e-4 <= scorer.segment_rates[SEGMENTS[0]] <= high + 1e-4


def test_a_product_without_any_buyer_has_a_small_rate_but_not_zero(tmp_path: Path) -> None:
    plan = plan_of(small_bank(), tmp_path)
    boat = segment_rate(plan, "boat").segment_rates
    loan = segment_rate(plan, "loan").segment_rates
    assert all(0 < boat[name] < loan[name] for name in boat)


def test_a_product_that_nobody_may_have_gets_the_rate_of_all_products(tmp_path: Path) -> None:
    data = small_bank()
    outcomes = data.outcomes.copy()
    outcomes[:, LOAN] = -1
    rates = segment_rate(plan_of(replace(data, outcomes=outcomes), tmp_path), "loan").segment_rates
    known = outcomes[data.part < TEST]
    overall = (known == 1).sum() / (known >= 0).sum()
    assert list(rates.values()) == [pytest.approx(overall, rel=0.01)] * len(rates)


def test_the_pooled_model_ranks_customers_of_a_product_with_few_buyers(tmp_path: Path) -> None:
    data = small_bank(4000)
    plan = plan_of(data, tmp_path)
    pooled = train_pooled(plan)
    loan, card = (pooled_candidate(plan, pooled, product_id) for product_id in ("loan", "card"))
    assert loan.scorer.kind == "pooled"
    assert loan.metrics["auc"].value > 0.75
    rows = data.rows(LOAN, TEST)
    told_apart = [c.scorer.propensities_of(data.features[rows]).mean() for c in (loan, card)]
    assert told_apart[0] < 0.3 * told_apart[1]
    assert loan.metrics["ece"].value <= max(0.02, loan.metrics["ece_by_chance"].high)


def test_base_rates_follow_the_purchases_of_the_training_cohorts_only() -> None:
    data = small_bank()
    poisoned = data.outcomes.copy()
    poisoned[data.part != TRAIN] = 1
    rates = with_base_rates(ATTRIBUTES, data)
    assert with_base_rates(ATTRIBUTES, replace(data, outcomes=poisoned)) == rates
    ordered = [rates[p]["product__base_rate"] for p in ("card", "loan", "boat")]
    assert ordered == sorted(ordered, reverse=True)


def test_rates_of_a_sample_are_those_of_all_customers(tmp_path: Path) -> None:
    everybody = small_bank(20_000)
    data = sampled(everybody, 0.3)
    rates = [with_base_rates(ATTRIBUTES, one) for one in (everybody, data)]
    of_segments = [segment_rates(one, CARD, len(SEGMENTS)) for one in (everybody, data)]
    of_boats = [segment_rates(one, BOAT, len(SEGMENTS)) for one in (everybody, data)]
    for product_id in PRODUCTS:
        of_all, found = (one[product_id]["product__base_rate"] for one in rates)
        assert found == pytest.approx(of_all, abs=0.03)
    assert of_segments[1] == pytest.approx(of_segments[0], rel=0.03)
    assert of_boats[1] == pytest.approx(of_boats[0], rel=0.03)


def test_rates_are_exact_where_everybody_is_drawn() -> None:
    everybody = small_bank()
    data = sampled(everybody, 1.0)
    assert with_base_rates(ATTRIBUTES, data) == with_base_rates(ATTRIBUTES, everybody)
    known = everybody.part < TEST
    outcomes = everybody.outcomes[known]
    anything = ((outcomes == 1).sum() + 0.5) / ((outcomes >= 0).sum() + 1)
    bought, could_buy = (outcomes[:, LOAN] == 1).sum(), (outcomes[:, LOAN] >= 0).sum()
    product = (bought + anything) / (could_buy + 1)
    of_first = outcomes[everybody.segment[known] == 0, LOAN]
    expected = ((of_first == 1).sum() + 200 * product) / ((of_first >= 0).sum() + 200)
    assert segment_rates(data, LOAN, len(SEGMENTS))[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("negatives_per_positive", [1, 1000])
def test_the_pooled_sample_has_drawn_negatives_and_their_share_of_all(
    negatives_per_positive: int,
) -> None:
    everybody = small_bank(20_000)
    data = sampled(everybody, 0.3)
    sample, rows, places = pooled_sample(data, negatives_per_positive)
    negatives = rows[data.outcomes[rows, places] == 0]
    others = (everybody.outcomes[everybody.part == TRAIN] == 0).sum()
    assert data.is_drawn[negatives].all()
    assert sample.negative_share == pytest.approx(len(negatives) / others, rel=0.02)
    assert sample.negative_share < 0.31
    buyers = (data.outcomes[data.part == TRAIN] == 1).sum()
    assert len(rows) - len(negatives) == buyers


@pytest.mark.parametrize("train", [trained_card, pooled_card])
def test_a_model_of_a_sample_predicts_the_rate_of_all_customers(
    tmp_path: Path, train: Callable[[Plan], Candidate]
) -> None:
    data = small_bank(6000)
    outcomes = data.outcomes.copy()
    outcomes[data.part == CALIBRATION] = 0  # so that nothing repairs a wrong prior
    data = sampled(replace(data, outcomes=outcomes), 0.3)
    found = train(plan_of(data, tmp_path, negatives_per_positive=1000))
    assert found.scorer.calibration.kind == "identity"
    rows = data.rows(CARD, TEST)
    rate = (data.outcomes[rows, CARD] == 1).mean()
    assert found.scorer.propensities_of(data.features[rows]).mean() == pytest.approx(rate, rel=0.12)


def test_products_are_described_by_the_same_attributes_in_the_same_order() -> None:
    told = product_attributes({"card": product(), "gold": product(min_age=18)})
    assert list(told["card"]) == list(told["gold"])
    assert told["card"]["product__line_cards"] == 1.0


def test_figures_of_a_candidate_are_those_of_its_scorer(tmp_path: Path) -> None:
    data = small_bank()
    found = trained(tmp_path, data)
    rows = data.rows(CARD, TEST)
    again = evaluate(
        found.scorer.propensities_of(data.features[rows]), data.outcomes[rows, CARD] == 1, 20, 7
    )
    assert {name: found.metrics[name] for name in again} == again
