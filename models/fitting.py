"""One booster on the training cohorts, stopped by customers it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.model_settings import ModelSettings
from models.matrix import Folds, Integers, Outcomes
from models.training_set import FOLDS

if TYPE_CHECKING:
    from lightgbm import Dataset

ENOUGH_BUYERS = 400  # to tell by their log loss when a booster should stop
Splits = list[tuple[Integers, Integers]]


@dataclass(frozen=True)
class Unseen:
    """A booster of the cross-validation, and who took no part in its training.

    Attributes:
        model_text: With as many trees as the final booster.
        positions: Rows of the dataset that it has not seen.
    """

    model_text: str
    positions: Integers


@dataclass(frozen=True)
class Fitted:
    """A booster trained on all rows, and those that told when to stop.

    Attributes:
        model_text: The booster.
        rounds: Its trees.
        unseen: None where the buyers were too few to judge by.
    """

    model_text: str
    rounds: int
    unseen: tuple[Unseen, ...]


def fit(
    dataset: Dataset,
    positions: Integers,
    fold: Folds,
    parameters: Mapping[str, Any],
    settings: ModelSettings,
) -> Fitted:
    """Find the number of rounds by cross-validation over customers, then train on all of them.

    Only training cohorts take part: calibration and test never see where training stopped.

    Args:
        dataset: Binned, labelled.
        positions: Rows of ``dataset`` to train on.
        fold: Of each position's customer.
        parameters: LightGBM's.
        settings: Most rounds, and patience.
    """
    import lightgbm

    bought = np.asarray(dataset.get_label())[positions] > 0
    judged = splits(bought, positions, fold, range(FOLDS))
    rounds, unseen = settings.rounds, tuple[Unseen, ...]()
    if judged:
        rounds, unseen = _cross_validated(dataset, judged, parameters, settings)
    booster = lightgbm.train(dict(parameters), dataset.subset(positions.tolist()), rounds)
    return Fitted(booster.model_to_string(), rounds, unseen)


def _cross_validated(
    dataset: Dataset, judged: Splits, parameters: Mapping[str, Any], settings: ModelSettings
) -> tuple[int, tuple[Unseen, ...]]:
    import lightgbm

    stop = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
    history = lightgbm.cv(
        dict(parameters),
        dataset,
        settings.rounds,
        folds=judged,
        callbacks=[stop],
        return_cvbooster=True,
    )
    rounds = len(history["valid binary_logloss-mean"])
    texts = (one.model_to_string(num_iteration=rounds) for one in history["cvbooster"].boosters)
    unseen = (Unseen(text, judges) for text, (_, judges) in zip(texts, judged, strict=True))
    return rounds, tuple(unseen)


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
