"""Which product would complete what a customer holds? One booster over all products at once.

For a bank that knows who holds what, but not since when: each product that somebody holds is taken
away in turn, and the booster learns which one it was. Where purchases have dates, the products' own
boosters say more (`models/train.py`): they know when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conf.model_settings import ModelSettings
from models.boosters import loaded_booster
from models.calibrate import EPSILON
from models.matrix import Folds, Integers, Matrix, Outcomes, Vector
from models.train import booster_parameters

# Classes have many rows and few ways to differ: thresholds are searched, and hardly held back.
ALL_PRODUCTS: Mapping[str, Any] = {
    "objective": "multiclass",
    "metric": "multi_logloss",
    "extra_trees": False,
    "max_bin": 255,
    "lambda_l2": 1.0,
}
JUDGING_FOLD = 0


@dataclass(frozen=True)
class NextProduct:
    """The trained booster.

    Attributes:
        model_text: As LightGBM's text; it reads the profile, what is held, and how many that are.
        rounds: Trees per product.
    """

    model_text: str
    rounds: int

    def probabilities(self, profile: Matrix, holds: Outcomes) -> Vector:
        """For each row, which product is the missing one: one column each, adding up to 1.

        What is held is not missing. Where everything is held, nothing is: a row of zeros.
        """
        if not len(profile):
            return np.empty(holds.shape)
        found = loaded_booster(self.model_text).predict(_matrix(profile, holds), num_threads=1)
        found = np.where(holds, 0, found)
        missing = found.sum(axis=1, keepdims=True)
        return np.asarray(found / np.where(missing > 0, missing, 1))


@dataclass(frozen=True)
class Removals:
    """Every holding taken away once.

    Attributes:
        customer: Row of the customer.
        product: Place of the product that was taken away.
        weight: 1 ÷ how many the customer holds, so that customers weigh the same.
    """

    customer: Integers
    product: Integers
    weight: Vector

    def holds(self, holds: Outcomes) -> Outcomes:
        """What each removal leaves."""
        left = holds[self.customer]
        left[np.arange(len(left)), self.product] = False
        return left


def removals(holds: Outcomes) -> Removals:
    """All of them, by customer and product."""
    customer, product = np.nonzero(holds)
    return Removals(customer, product, 1 / holds.sum(axis=1)[customer])


def train_next_product(
    profile: Matrix, holds: Outcomes, fold: Folds, settings: ModelSettings
) -> NextProduct:
    """Train on all removals; one fold of customers says how many rounds.

    Args:
        profile: What is known of each customer besides products.
        holds: One column per product.
        fold: Follows the customer.
        settings: Production's: rounds, patience, size of trees, seed.
    """
    import lightgbm

    taken = removals(holds)
    parameters = {
        **booster_parameters(settings),
        **ALL_PRODUCTS,
        "num_class": holds.shape[1],
    }
    dataset = lightgbm.Dataset(
        _matrix(profile[taken.customer], taken.holds(holds)),
        label=taken.product,
        weight=taken.weight,
        params=parameters,
    ).construct()
    judges = fold[taken.customer] == JUDGING_FOLD
    rounds = settings.rounds
    if judges.any() and not judges.all():
        stop = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
        split = (np.flatnonzero(~judges), np.flatnonzero(judges))
        history = lightgbm.cv(parameters, dataset, rounds, folds=[split], callbacks=[stop])
        rounds = len(history["valid multi_logloss-mean"])
    booster = lightgbm.train(parameters, dataset, rounds)
    return NextProduct(booster.model_to_string(), rounds)


def removal_losses(found: Vector, taken: Removals, customers: int) -> Vector:
    """Log loss of each customer: mean over products, and over which of them was taken away.

    Each product is a yes or no of its own, as in the Zimnat challenge. All removals of a customer
    count 1 ÷ their number: the expectation of taking one away at random, without that luck.

    Args:
        found: Probabilities of each removal's products.
        taken: What was really taken away.
        customers: Of whom the removals are.
    """
    was_taken = np.arange(found.shape[1]) == taken.product[:, None]
    kept = np.clip(np.where(was_taken, found, 1 - found), EPSILON, 1)
    losses = -np.log(kept).mean(axis=1)
    return np.asarray(np.bincount(taken.customer, taken.weight * losses, customers))


def _matrix(profile: Matrix, holds: Outcomes) -> Matrix:
    return np.column_stack([profile, holds, holds.sum(axis=1)]).astype(np.float32)
