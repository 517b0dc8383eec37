"""Parameters that are surely better than production's: chosen by some customers, judged by others.

The best of many trials looks better than it is to the customers it was chosen by. So half of the
training customers choose, by their log loss out of fold, and the other half, of whom no trial knew
anything, say whether the chosen parameters beat production's beyond chance. Calibration and test
cohorts take no part.

The budget is a number of trials, never time: the same inputs must give the same model on any
machine, however busy it is, and on any number of processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.model_settings import ModelSettings
from models.calibrate import log_losses
from models.evaluate import UNKNOWN, Estimate, mean_estimate
from models.fitting import Splits, fit, splits
from models.matrix import Folds, Integers, Outcomes, Vector
from models.training_set import Sample, TrainingSet

if TYPE_CHECKING:
    from lightgbm import Dataset
    from lightgbm.callback import CallbackEnv
    from optuna import Study, Trial

CHOOSING, JUDGING = (0, 1), (2, 3)  # folds of customers
# Steps rather than ranges: a person can read what was found, and the last bits in which processors
# differ change nothing. The learning rate is not among them: the number of trees, which early
# stopping finds, makes up for it.
STEPS: Mapping[str, tuple[float, ...]] = {
    "num_leaves": (2, 3, 4, 6, 8, 12, 16, 24, 32),  # 2: no feature depends on another
    "min_data_in_leaf": (10, 20, 40, 80, 160, 320),
    "feature_fraction": (0.1, 0.2, 0.34, 0.5, 0.7, 1.0),  # few: many features say the same
    "lambda_l2": (0.0, 1.0, 3.0, 10.0, 30.0, 100.0),  # much: little is believed of few buyers
    "extra_trees": (False, True),
}
# A trial that does worse than half of those before it, with as many trees, is given up.
JUDGED_FROM, JUDGED_EVERY = 30, 10


@dataclass(frozen=True)
class TrainingRows:
    """What one product's booster is trained on.

    Attributes:
        dataset: Binned and labelled, with rows of other products among them.
        positions: Of this product's rows in it.
        data: The training set.
        sample: The same rows there.
    """

    dataset: Dataset
    positions: Integers
    data: TrainingSet
    sample: Sample

    @property
    def at(self) -> Integers:
        """Rows of the training set."""
        return self.sample.rows

    @property
    def fold(self) -> Folds:
        """Of each row's customer."""
        return self.data.fold[self.at]

    @property
    def has_bought(self) -> Outcomes:
        """What happened."""
        return np.asarray(self.dataset.get_label())[self.positions] > 0


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes:
        trials: Sets of parameters tried, production's among them.
        best: What differs from production in the set that the choosing customers liked best.
        gain: By how much its log loss is below production's, per row of the judging customers;
            unknown if the choosing customers liked nothing better than production.
    """

    trials: int
    best: Mapping[str, float]
    gain: Estimate

    @property
    def used(self) -> Mapping[str, float]:
        """What the booster is trained with instead of production's: all of it or nothing."""
        return self.best if self.gain.low > 0 else {}

    def in_words(self) -> str:
        """What was found, and whether it is used."""
        if not self.best:
            return f"production's: in {self.trials} trials nothing was better"
        found = ", ".join(f"{name} {json.dumps(value)}" for name, value in self.best.items())
        gain = f"log loss gain {self.gain.in_words(5, sign=True)} on customers no trial has seen"
        if self.used:
            return f"found by search in {self.trials} trials: {found}; {gain}"
        return (
            f"production's: in {self.trials} trials nothing was surely better; the best, {found},"
            f" has a {gain}"
        )


def recorded(found: Found | None) -> dict[str, str]:
    """Parameters of one model's run in MLflow; those that were found replace the configured."""
    if found is None:
        return {}
    used = {name: json.dumps(value) for name, value in found.used.items()}
    return {**used, "search_result": found.in_words()}


def search(
    rows: TrainingRows, parameters: Mapping[str, Any], settings: ModelSettings
) -> Found | None:
    """Try sets of parameters, production's first, and hold the best one beside production's.

    Args:
        rows: Of the training cohorts.
        parameters: Production's.
        settings: Trials, most trees, patience, seed and bootstrap samples.

    Returns:
        None without trials, and where the buyers are too few to be shared out.
    """
    if not settings.search.trials:
        return None
    chooses = np.isin(rows.fold, CHOOSING)
    bought, positions, fold = rows.has_bought, rows.positions, rows.fold
    judged = splits(bought[chooses], positions[chooses], fold[chooses], CHOOSING)
    if not judged:
        return None
    best = _best(rows.dataset, judged, parameters, settings)
    differing = {name: value for name, value in best.items() if value != parameters[name]}
    gain = _gain(rows, parameters, differing, settings) if differing else UNKNOWN
    return Found(settings.search.trials, differing, gain)


def gain_per_row(gains: Vector, customer: Integers, samples: int, seed: int) -> Estimate:
    """Mean over rows, with an interval over customers: rows of one customer are much alike."""
    _, place = np.unique(customer, return_inverse=True)
    of_customers = np.asarray(np.bincount(place, weights=gains), dtype=np.float64)
    return mean_estimate(of_customers * (len(of_customers) / len(gains)), samples, seed)


def _best(
    dataset: Dataset, judged: Splits, parameters: Mapping[str, Any], settings: ModelSettings
) -> dict[str, float]:
    """The parameters that were best of all trials."""
    steps = {name: sorted({*of_name, parameters[name]}) for name, of_name in STEPS.items()}

    def loss(trial: Trial) -> float:
        places = {name: trial.suggest_int(name, 0, len(of) - 1) for name, of in steps.items()}
        chosen = {name: steps[name][place] for name, place in places.items()}
        return _loss(dataset, judged, {**parameters, **chosen}, settings, trial)

    study = _study(settings.seed)
    study.enqueue_trial({name: of.index(parameters[name]) for name, of in steps.items()})
    study.optimize(loss, settings.search.trials)
    return {name: steps[name][place] for name, place in study.best_params.items()}


def _study(seed: int) -> Study:
    """In memory, in one thread, without a word, and the same for the same seed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=JUDGED_FROM),
    )


def _loss(
    dataset: Dataset,
    judged: Splits,
    parameters: Mapping[str, Any],
    settings: ModelSettings,
    trial: Trial,
) -> float:
    """Mean log loss out of fold with the best number of trees.

    Raises:
        TrialPruned: Most trials before it were better with as many trees.
    """
    import lightgbm
    from optuna import TrialPruned

    def give_up(env: CallbackEnv) -> None:
        trees = env.iteration + 1
        if trees % JUDGED_EVERY == 0:
            trial.report(env.evaluation_result_list[0].metric_value, trees)
            if trial.should_prune():
                raise TrialPruned

    stop = lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False)
    history = lightgbm.cv(
        dict(parameters), dataset, settings.rounds, folds=judged, callbacks=[give_up, stop]
    )
    return float(history["valid binary_logloss-mean"][-1])


def _gain(
    rows: TrainingRows,
    parameters: Mapping[str, Any],
    differing: Mapping[str, float],
    settings: ModelSettings,
) -> Estimate:
    """Log loss that production loses by, on customers of whom no trial knew anything."""
    losses, customers = [], []
    for fold in JUDGING:
        judges = rows.fold == fold
        before, after = (
            _unseen_losses(rows, judges, tried, settings)
            for tried in (parameters, {**parameters, **differing})
        )
        losses.append(before - after)
        customers.append(rows.data.customer[rows.at[judges]])
    gains, customer = np.concatenate(losses), np.concatenate(customers)
    return gain_per_row(gains, customer, settings.bootstrap_samples, settings.seed)


def _unseen_losses(
    rows: TrainingRows, judges: Outcomes, parameters: Mapping[str, Any], settings: ModelSettings
) -> Vector:
    """Of a booster that is trained as in production, on everybody else."""
    import lightgbm

    others = ~judges
    fitted = fit(rows.dataset, rows.positions[others], rows.fold[others], parameters, settings)
    booster = lightgbm.Booster(model_str=fitted.model_text)
    unseen = rows.data.features[rows.at[judges]]
    found = np.asarray(booster.predict(unseen, num_threads=1), dtype=np.float64)
    return log_losses(found, rows.has_bought[judges])
