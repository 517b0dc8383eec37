"""Which product is missing: learned from what goes together, never one that is held."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.metrics import log_loss

from models.matrix import Folds, Matrix, Outcomes
from models.next_product import (
    NextProduct,
    removal_losses,
    removals,
    train_next_product,
)
from models.training_set import FOLDS
from tests.model_data import model_settings

CURRENT, CARD, PENSION, BOAT = range(4)
SETTINGS = model_settings(rounds=40, num_leaves=4)


def customers(count: int = 1500) -> tuple[Matrix, Outcomes, Folds]:
    """All have an account; the young a card, the old a pension; nobody a boat."""
    random = np.random.default_rng(8)
    age = random.uniform(20, 70, count)
    holds = np.zeros((count, 4), dtype=bool)
    holds[:, CURRENT] = True
    holds[:, CARD] = random.random(count) < np.where(age < 45, 0.8, 0.05)
    holds[:, PENSION] = random.random(count) < np.where(age < 45, 0.05, 0.8)
    profile = np.column_stack([age, random.normal(size=count)]).astype(np.float32)
    return profile, holds, random.integers(0, FOLDS, count, dtype=np.int8)


@cache
def trained() -> NextProduct:
    return train_next_product(*customers(), SETTINGS)


def with_account(*ages: float) -> tuple[Matrix, Outcomes]:
    profile = np.array([[age, 0.0] for age in ages], dtype=np.float32)
    holds = np.tile(np.arange(4) == CURRENT, (len(ages), 1))
    return profile, holds


def test_what_others_of_the_kind_hold_is_what_is_missing() -> None:
    young, old = trained().probabilities(*with_account(25, 65))
    assert young[CARD] > 0.8
    assert old[PENSION] > 0.8
    assert max(young[BOAT], old[BOAT]) < 0.01


def test_probabilities_are_of_what_is_not_held_and_add_up_to_one() -> None:
    profile, holds, _ = customers(200)
    found = trained().probabilities(profile, holds)
    assert (found[holds] == 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(200))
    assert trained().probabilities(profile[:0], holds[:0]).shape == (0, 4)


def test_who_holds_everything_misses_nothing() -> None:
    profile, holds = with_account(30)
    assert (trained().probabilities(profile, np.ones_like(holds)) == 0).all()


def test_each_holding_is_taken_away_once_and_customers_weigh_the_same() -> None:
    holds = np.array([[True, True, False], [True, False, False]])
    taken = removals(holds)
    assert list(zip(taken.customer, taken.product, strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert taken.weight.tolist() == [0.5, 0.5, 1.0]
    left = [[False, True, False], [True, False, False], [False, False, False]]
    assert taken.holds(holds).tolist() == left
    assert holds.tolist() == [[True, True, False], [True, False, False]]


def test_the_loss_is_that_of_a_yes_or_no_per_product_averaged_over_removals() -> None:
    taken = removals(np.array([[True, True, False], [False, False, True]]))
    found = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])
    was_taken = np.eye(3)[taken.product]
    each = [log_loss(was, said) for was, said in zip(was_taken, found, strict=True)]
    losses = removal_losses(found, taken, 2)
    assert losses == pytest.approx([(each[0] + each[1]) / 2, each[2]])


def test_the_same_customers_give_the_same_model_and_one_fold_stops_it() -> None:
    again = train_next_product(*customers(), SETTINGS)
    assert again == trained()
    profile, holds, fold = customers()
    alone = train_next_product(profile, holds, np.zeros_like(fold), SETTINGS)
    assert alone.rounds == SETTINGS.rounds  # nobody is left to judge by
    noisy = train_next_product(profile[:300], holds[:300], fold[:300], model_settings(rounds=200))
    assert noisy.rounds < 200
