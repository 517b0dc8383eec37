"""CoIL 2000: which 800 of 4,000 customers hold a caravan policy? Judged on the labelled half.

The features of its own come from what is known of this challenge (a car and a fire policy of a
certain size go with a caravan) and were tried on the folds that are reported: optimistic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from public import FEW_SAMPLES, SEED, Line, Problem, by_booster, by_regression
from sklearn.model_selection import StratifiedKFold

from models.evaluate import Estimate, bootstrapped, resampled
from models.matrix import Integers, Matrix, Vector

FOLDER, TRAIN, UNLABELLED = "coil2000", "ticdata2000_train", "ticeval2000_unlabelled"
LIST = "coil2000_top800.csv"
REPEATS, FOLDS, SHARE, LISTED, BUYERS = 3, 5, 0.2, 800, 238
PUBLISHED = "winner 121, linear 118, neural net 105, random 42 (on the other half)"
BAR = 115.0
AVERAGE_FIRE, LARGE_CAR = (3, 4), 6  # contribution bands

Recipe = Callable[[Integers, Integers], Vector]


def coil(read: Callable[[str, str], pd.DataFrame], folder: Path) -> list[Line]:
    """Figures of each recipe; the list of 800 is that of the last."""
    labelled, unlabelled = read(FOLDER, TRAIN), read(FOLDER, UNLABELLED)
    has_bought = labelled["CARAVAN"].to_numpy() == 1
    plain = _plain(labelled, unlabelled, has_bought)
    own = plain.told(np.vstack([_own_features(half) for half in (labelled, unlabelled)]))
    recipes = _recipes(plain, own)
    lines = [
        Line(f"coil_{key}hits", "CoIL 2000", what, _hits(recipe, has_bought), PUBLISHED, BAR, 1)
        for (key, what), recipe in recipes.items()
    ]
    *_, best = recipes.values()
    known, unknown = np.arange(len(labelled)), len(labelled) + np.arange(len(unlabelled))
    chosen = np.argsort(-best(known, unknown), kind="stable")[:LISTED]
    pd.DataFrame({"row": np.sort(chosen)}).to_csv(folder / LIST, index=False)
    return lines


def _plain(labelled: pd.DataFrame, unlabelled: pd.DataFrame, has_bought: Vector) -> Problem:
    names = [name for name in unlabelled.columns if name != "customer_id"]
    features = pd.concat([labelled[names], unlabelled[names]]).to_numpy(dtype=np.float32)
    nobody = np.zeros(len(unlabelled), dtype=bool)
    return Problem(features, np.r_[has_bought, nobody])


def _recipes(plain: Problem, own: Problem) -> Mapping[tuple[str, str], Recipe]:
    def both(train: Integers, rows: Integers) -> Vector:
        return np.asarray((by_booster(own, train, rows) + by_regression(own, train, rows)) / 2)

    return {
        ("", "buyers of 238: booster, production"): lambda *at: by_booster(plain, *at),
        ("logistic_", "buyers of 238: logistic regression, production"): lambda *at: by_regression(
            plain, *at
        ),
        ("own_features_", "buyers of 238: both, own features (optimistic); the list"): both,
    }


def _hits(recipe: Recipe, has_bought: Vector) -> Estimate:
    """Buyers in the best fifth of each fold, scaled; mean over repeats, bootstrap of customers."""
    folds = [
        StratifiedKFold(FOLDS, shuffle=True, random_state=repeat).split(has_bought, has_bought)
        for repeat in range(REPEATS)
    ]
    ranked = [
        [rows[np.argsort(-recipe(train, rows), kind="stable")] for train, rows in repeat]
        for repeat in folds
    ]

    def hits(weights: Vector) -> float:
        caught = [_caught(rows, weights, has_bought) for repeat in ranked for rows in repeat]
        return BUYERS * sum(caught) / REPEATS / float(weights @ has_bought)

    drawn = [hits(weights) for weights in resampled(len(has_bought), FEW_SAMPLES, SEED)]
    return bootstrapped(hits(np.ones(len(has_bought))), np.array(drawn))


def _caught(ranked: Integers, weights: Vector, has_bought: Vector) -> float:
    reached = np.r_[0, weights[ranked].cumsum()]
    buyers = np.r_[0, (weights * has_bought)[ranked].cumsum()]
    return float(np.interp(SHARE * reached[-1], reached, buyers))


def _own_features(customers: pd.DataFrame) -> Matrix:
    """How much is held, and what a car policy goes with."""
    policies = customers.filter(regex="^A")
    contributions = customers.filter(regex="^P")
    car, fire, power = (customers[name] for name in ("PPERSAUT", "PBRAND", "MKOOPKLA"))
    has_large_car, has_average_fire = car == LARGE_CAR, fire.between(*AVERAGE_FIRE)
    leisure = [customers[name] > 0 for name in ("PPLEZIER", "PZEILPL", "PFIETS")]
    columns = [
        (policies > 0).sum(axis=1),
        policies.sum(axis=1),
        contributions.sum(axis=1),
        car * power,
        car * fire,
        car * customers["PWAPART"],
        has_large_car,
        has_large_car * power,
        has_average_fire,
        has_large_car & has_average_fire,
        customers["APERSAUT"] * customers["MINKGEM"],
        sum(one.astype(int) for one in leisure),
        has_large_car * customers["MOPLHOOG"],
        power * (9 - customers["MOPLLAAG"]),
    ]
    return np.column_stack(columns).astype(np.float32)
