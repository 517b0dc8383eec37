"""Search: repeatable, blind to whoever judges it, and used only where it is surely better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import search as search_module
from models.evaluate import UNKNOWN
from models.pooled import train_pooled
from models.search import CHOOSING, JUDGING, Found, gain_per_row, recorded
from models.train import Candidate, booster_parameters, train_booster
from models.training_set import TRAIN, TrainingSet
from tests.model_data import model_settings, plan_of, small_bank

SETTINGS = {"search": {"trials": 8}, "bootstrap_samples": 100}


def crossed(customers: int = 1500) -> TrainingSet:
    """A bank in which only two features together say who buys: no stump can see it."""
    data = small_bank(customers)
    random = np.random.default_rng(5)
    first, second = np.nan_to_num(data.features[:, :2]).T
    buys = random.random(len(data.part)) < np.where(first * second > 0, 0.5, 0.02)
    outcomes = data.outcomes.copy()
    outcomes[:, 0] = np.where(outcomes[:, 0] < 0, -1, buys)
    return replace(data, outcomes=outcomes)


def trained(folder: Path, data: TrainingSet, **changes: object) -> Candidate:
    return train_booster(plan_of(data, folder, **(SETTINGS | changes)), "card")


def found_in(candidate: Candidate) -> Found:
    assert candidate.found is not None
    return candidate.found


@pytest.fixture(scope="module")
def of_crossed(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    """Where production's trees are stumps, and something better is there to be found."""
    return trained(tmp_path_factory.mktemp("crossed"), crossed(), num_leaves=2)


def test_parameters_that_are_surely_better_are_used_and_recorded(
    of_crossed: Candidate, tmp_path: Path
) -> None:
    found = found_in(of_crossed)
    assert found.gain.low > 0 and found.used == found.best
    leaves = found.best["num_leaves"]
    assert leaves > 2
    assert f"[num_leaves: {leaves}]" in of_crossed.scorer.model_text
    assert recorded(found)["num_leaves"] == str(leaves)
    assert recorded(found)["search_result"].startswith("found by search in 8 trials: ")
    without = trained(tmp_path, crossed(), num_leaves=2, search={"trials": 0})
    assert of_crossed.metrics["log_loss"].value < without.metrics["log_loss"].value - 0.01


def test_what_is_not_surely_better_leaves_production_s_model_as_it_is(tmp_path: Path) -> None:
    data = small_bank(300)
    candidate, plain = (
        trained(tmp_path / str(trials), data, search={"trials": trials}) for trials in (8, 0)
    )
    found = found_in(candidate)
    assert found.best and not found.gain.low > 0
    assert found.used == {} and list(recorded(found)) == ["search_result"]
    assert "nothing was surely better; the best, " in found.in_words()
    assert candidate.scorer == plain.scorer
    assert plain.found is None and recorded(None) == {}


def test_what_the_choosing_customers_do_not_like_better_is_not_judged() -> None:
    found = Found(5, {}, UNKNOWN)
    assert found.used == {}
    assert found.in_words() == "production's: in 5 trials nothing was better"


def test_no_row_of_a_later_cohort_reaches_the_search(of_crossed: Candidate, tmp_path: Path) -> None:
    data = crossed()
    later = data.part != TRAIN
    outcomes, features = data.outcomes.copy(), data.features.copy()
    outcomes[later] = np.where(outcomes[later] < 0, -1, 1 - outcomes[later])
    features[later] = -3 * features[later]
    poisoned = replace(data, outcomes=outcomes, features=features)
    after = trained(tmp_path, poisoned, num_leaves=2)
    assert after.scorer.model_text == of_crossed.scorer.model_text
    assert after.found == of_crossed.found


Trials = list[tuple[dict[str, Any], float]]


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    """What each trial was given, and its loss, unless it was given up."""
    seen: Trials = []
    honest = search_module._loss

    def watched(dataset: Any, judged: Any, parameters: dict[str, Any], *rest: Any) -> float:
        seen.append((parameters, np.inf))
        loss = honest(dataset, judged, parameters, *rest)
        seen[-1] = (parameters, loss)
        return loss

    monkeypatch.setattr(search_module, "_loss", watched)
    return seen


def test_judging_customers_have_no_say_in_what_is_chosen(tmp_path: Path, trials: Trials) -> None:
    data = crossed()
    judges = (data.part == TRAIN) & np.isin(data.fold, JUDGING) & (data.outcomes[:, 0] >= 0)
    outcomes = data.outcomes.copy()
    # Turned around among themselves, so that as many buy, and everybody is sampled.
    outcomes[judges, 0] = np.random.default_rng(2).permutation(outcomes[judges, 0])
    everybody = {"num_leaves": 2, "negatives_per_positive": 1000}
    honest = found_in(trained(tmp_path / "honest", data, **everybody))
    before = list(trials)
    found = found_in(trained(tmp_path, replace(data, outcomes=outcomes), **everybody))
    assert trials[len(before) :] == before
    assert found.best == honest.best
    assert honest.used and not found.used


def test_what_is_found_does_not_depend_on_which_product_is_trained_first(tmp_path: Path) -> None:
    data = crossed()
    plans = [plan_of(data, tmp_path / name, **SETTINGS, num_leaves=2) for name in ("first", "last")]
    first = train_booster(plans[0], "card")
    train_booster(plans[1], "loan")
    last = train_booster(plans[1], "card")
    assert first.scorer == last.scorer
    assert first.found == last.found
    assert found_in(first).used


def test_production_is_tried_first_and_the_budget_is_a_number_of_trials(
    tmp_path: Path, trials: Trials
) -> None:
    trained(tmp_path, small_bank(800))
    assert len(trials) == 8
    tried = [parameters for parameters, _ in trials]
    assert tried[0] == booster_parameters(model_settings())
    assert {parameters["seed"] for parameters in tried} == {7}
    assert len({str(parameters) for parameters in tried}) > 5


def test_every_customer_either_chooses_or_judges() -> None:
    assert sorted(CHOOSING + JUDGING) == [0, 1, 2, 3]


def test_rows_of_one_customer_do_not_make_a_gain_surer() -> None:
    gains = np.random.default_rng(1).normal(0.02, 0.2, 400)
    customers = np.arange(400)
    once = gain_per_row(gains, customers, 300, 1)
    repeated = gain_per_row(np.tile(gains, 4), np.tile(customers, 4), 300, 1)
    assert vars(repeated) == pytest.approx(vars(once))
    mistaken = gain_per_row(np.tile(gains, 4), np.arange(1600), 300, 1)
    assert mistaken.high - mistaken.low < 0.7 * (once.high - once.low)


def test_a_pooled_model_is_not_searched_for(tmp_path: Path) -> None:
    data = small_bank(800)
    texts = [
        train_pooled(plan_of(data, tmp_path / str(trials), search={"trials": trials})).model_text
        for trials in (0, 8)
    ]
    assert texts[0] == texts[1]


def test_buyers_too_few_to_share_out_leave_production_s_parameters(tmp_path: Path) -> None:
    data = small_bank(800)
    outcomes = data.outcomes.copy()
    chooses = (data.part == TRAIN) & np.isin(data.fold, CHOOSING)
    outcomes[chooses & (outcomes[:, 0] == 1), 0] = 0
    candidate = trained(tmp_path, replace(data, outcomes=outcomes))
    assert candidate.found is None and candidate.scorer.kind == "booster"
