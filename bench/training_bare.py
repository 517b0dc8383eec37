"""Nothing but the boosters, as a script would fit them: `training_bare.py ARRAYS`."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import lightgbm
import numpy as np

from conf.load import load_config
from models.fitting import ENOUGH_BUYERS
from models.train import booster_parameters
from models.training_set import FOLDS, TrainingSet

PROCESSES = 2


def main() -> None:
    """Fit one booster per product."""
    products = load_config("local", ()).products
    with ProcessPoolExecutor(PROCESSES) as pool:
        folders = [Path(sys.argv[1])] * len(products)
        rounds = list(pool.map(_fit, folders, range(len(products))))
    print("rounds", *rounds)


def _fit(folder: Path, place: int) -> int:
    settings = load_config("local", ()).models
    parameters = booster_parameters(settings)
    data = TrainingSet.load(folder)
    rows = data.sampled_rows(place, settings.negatives_per_positive).rows
    bought, fold = data.outcomes[rows, place] == 1, data.fold[rows]
    dataset = lightgbm.Dataset(data.features[rows], label=bought, params=parameters)
    splits, judging = [], 0
    for left_out in range(FOLDS):
        if judging < ENOUGH_BUYERS:
            judges = fold == left_out
            splits.append((np.flatnonzero(~judges), np.flatnonzero(judges)))
            judging += int(bought[judges].sum())
    stop = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
    found = lightgbm.cv(parameters, dataset, settings.rounds, folds=splits, callbacks=[stop])
    rounds = len(found["valid binary_logloss-mean"])
    lightgbm.train(parameters, dataset, rounds)
    return rounds


if __name__ == "__main__":
    main()
