"""A model month by month: training cohorts are judged by boosters that had not seen them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from models.fitting import Unseen
from models.search import TrainingRows
from models.stability import month_fits
from models.train import Candidate, train_booster
from models.training_set import TRAIN, TrainingSet
from tests.model_data import PRODUCTS, plan_of, small_bank

CARD = list(PRODUCTS).index("card")


def trained(folder: Path, data: TrainingSet, **changes: object) -> Candidate:
    return train_booster(plan_of(data, folder, **changes), "card")


def test_each_training_customer_is_judged_by_the_booster_that_left_it_out(tmp_path: Path) -> None:
    data = small_bank(3000)
    upside_down = replace(data, outcomes=np.where(data.outcomes < 0, -1, 1 - data.outcomes))
    right, wrong = (
        trained(tmp_path / name, bank, negatives_per_positive=1000).scorer
        for name, bank in (("right", data), ("wrong", upside_down))
    )
    sample = data.sampled_rows(CARD, negatives_per_positive=1000)
    at = sample.rows
    halves = (data.customer[at] % 2).astype(np.int16)
    cohort = data.cohort.copy()
    cohort[at] = halves
    label = (data.outcomes[at, CARD] == 1).astype(np.float32)
    dataset = lightgbm.Dataset(data.features[at], label)
    rows = TrainingRows(dataset, np.arange(len(at)), replace(data, cohort=cohort), sample)
    unseen = [
        Unseen(scorer.model_text, np.flatnonzero(halves == half))
        for half, scorer in enumerate((right, wrong))
    ]
    first, second = month_fits(right, unseen, rows)
    assert first.auc.low > 0.8
    assert second.auc.high < 0.2


def test_training_months_are_judged_by_boosters_that_had_not_seen_the_customers(
    tmp_path: Path,
) -> None:
    data = small_bank(6000)
    # Two cohorts in training, in the second of which chance says who bought.
    cohort, outcomes = data.cohort.copy(), data.outcomes.copy()
    later = (data.part == TRAIN) & (data.customer % 4 == 0)
    cohort[later] += 1
    buyers = np.flatnonzero(later & (outcomes[:, CARD] == 1))
    others = np.flatnonzero(later & (outcomes[:, CARD] == 0))[: len(buyers)]
    outcomes[buyers, CARD], outcomes[others, CARD] = 0, 1
    cohort[data.part != TRAIN] += 1
    found = trained(tmp_path, replace(data, cohort=cohort, outcomes=outcomes))
    first, second = found.months
    assert (first.cohort, second.cohort) == (0, 1)
    assert first.auc.low > 0.8
    assert second.auc.value < 0.5
    rows = np.flatnonzero((data.part == TRAIN) & ~later & (outcomes[:, CARD] >= 0))
    bought = outcomes[rows, CARD] == 1
    rate = first.together.buyers / first.together.customers
    assert rate == pytest.approx(bought.mean(), rel=0.1)
    assert 0 < first.together.buyers <= bought.sum()


def test_too_few_buyers_to_judge_by_leave_the_training_months_out(tmp_path: Path) -> None:
    data = small_bank(300)
    outcomes = data.outcomes.copy()
    bought = np.flatnonzero((data.part == TRAIN) & (outcomes[:, CARD] == 1))
    outcomes[bought[1:], CARD] = 0
    assert trained(tmp_path, replace(data, outcomes=outcomes)).months == ()
