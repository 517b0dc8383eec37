"""One booster on the training cohorts, stopped by customers it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.model_settings import ModelSettings
from models.matrix import Folds, Integers, Outcomes
from models.training_set import FOLDS

if TYPE_CHECKING:
    from lightgbm import Dataset

ENOUGH_BUYERS = 400  # to tell by their log loss when a booster should stop
Splits = list[tuple[Integers, Integers]]


def fit(
    dataset: Dataset,
    positions: Integers,
    fold: Folds,
    parameters: Mapping[str, Any],
    settings: ModelSettings,
) -> tuple[str, int]:
    """Find the number of rounds by cross-validation over customers, then train on all of them.

    Only training cohorts take part: calibration and test never see where training stopped.

    Args:
        dataset: Binned, labelled.
        positions: Rows of ``dataset`` to train on.
        fold: Of each position's customer.
        parameters: LightGBM's.
        settings: Most rounds, and patience.

    Returns:
        The booster as text, and its rounds.
    """
    import lightgbm

    bought = np.asarray(dataset.get_label())[positions] > 0
    judged = splits(bought, positions, fold, range(FOLDS))
    rounds = settings.rounds
    if judged:
        stop = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
        history = lightgbm.cv(
            dict(parameters), dataset, settings.rounds, folds=judged, callbacks=[stop]
        )
        rounds = len(history["valid binary_logloss-mean"])
    booster = lightgbm.train(dict(parameters), dataset.subset(positions.tolist()), rounds)
    return booster.model_to_string(), rounds


def splits(bought: Outcomes, positions: Integers, fold: Folds, folds: Sequence[int]) -> Splits:
    """Rows to train on and rows to judge by; as few folds as together hold enough buyers.

    A fold without buyers, or without others, on either side has no log loss to stop by.

    Args:
        bought: Of each row.
        positions: Where each row is in a dataset.
        fold: Of each row's customer.
        folds: Which may judge.
    """
    found: Splits = []
    judging = 0
    for left_out in folds:
        judges = fold == left_out
        if judging < ENOUGH_BUYERS and all(_has_both(bought[part]) for part in (judges, ~judges)):
            found.append((positions[~judges], positions[judges]))
            judging += int(bought[judges].sum())
    return found


def _has_both(bought: Outcomes) -> bool:
    return bool(bought.any() and not bought.all())
