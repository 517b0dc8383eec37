"""Who buys because of a contact? Boosters on past campaigns in which chance decided who got one.

Three ways to make an uplift of the same boosters that propensities come from: two of them, one per
arm (T-learner, the default); one that is told who was treated (S-learner); one that learns whether
treatment and purchase agree (class transformation; Jaskowski and Jaroszewicz, Uplift Modeling for
Clinical Trial Data, 2012). Which is taken, and whether any is, is decided on customers whom the
boosters have not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.model_settings import ModelSettings
from models.evaluate import UNKNOWN, Estimate
from models.fitting import fit
from models.gate import Verdict
from models.matrix import Folds, Integers, Matrix, Outcomes, Vector
from models.qini import (
    FIGURES,
    Arms,
    Power,
    beats_propensity,
    power,
    qini_gain,
    uplift_figures,
)
from models.train import booster_parameters
from models.uplift_scorer import (
    IS_TREATED,
    LEARNERS,
    LearnerName,
    UpliftModel,
    with_treatment,
)

if TYPE_CHECKING:
    from lightgbm import Dataset

DEFAULT: LearnerName = "t_learner"
# One feature among many says who was treated: every tree has to see it, and to grow beyond it.
TOLD_OF_TREATMENT: Mapping[str, Any] = {"num_leaves": 8, "feature_fraction": 1.0}


@dataclass(frozen=True)
class RandomisedHistory:
    """Customers chosen in past campaigns, with what was known of them before.

    Attributes:
        features: One row per customer and campaign.
        arms: What chance decided, and what came of it.
        fold: A number below ``FOLDS`` that follows the customer.
        names: Of the features, for models that are to be used.
    """

    features: Matrix
    arms: Arms
    fold: Folds
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainedUplift:
    """A model, and what is known about it from customers it was not trained on.

    Attributes:
        model: Trained on the whole history; none if ``Power.suffices`` is not true.
        verdict: May the value step rank by it?
        power: What the history can show; with its warning.
        figures: ``FIGURES`` of the choice of learner, and ``qini_gain_over_propensity``. In each
            fold the learner is judged that was best on the other folds, so that having chosen does
            not flatter it.
        qini: Of each learner and of the propensity.
        uplift: Of every row of the history, by boosters that have not seen the customer.
        propensity: What it was held beside, per row.
    """

    model: UpliftModel | None
    verdict: Verdict
    power: Power
    figures: Mapping[str, Estimate]
    qini: Mapping[str, Estimate] = field(default_factory=dict)
    uplift: Vector = field(default_factory=lambda: np.empty(0))
    propensity: Vector = field(default_factory=lambda: np.empty(0))


def train_uplift(
    history: RandomisedHistory, settings: ModelSettings, propensity: Vector | None = None
) -> TrainedUplift:
    """Choose, judge and train an uplift model.

    Args:
        history: Of campaigns that may have kept back different shares.
        settings: Production's: they say rounds, size of trees, bootstrap samples and seed.
        propensity: What the history's customers would be ranked by otherwise, from a model that has
            not seen these outcomes. If left out, the response of the treated, out of fold.
    """
    found = power(history.arms)
    if not found.suffices:
        verdict = beats_propensity(UNKNOWN, UNKNOWN, found)
        return TrainedUplift(None, verdict, found, dict.fromkeys(FIGURES, UNKNOWN))
    trained = {name: dict(_fold_models(name, history, settings)) for name in LEARNERS}
    uplifts = {name: _out_of_fold(history, models) for name, models in trained.items()}
    if propensity is None:
        propensity = _out_of_fold(history, trained[DEFAULT], UpliftModel.response)
    judged = _judged(uplifts, history)
    samples, seed = settings.bootstrap_samples, settings.seed
    figures = uplift_figures(judged, history.arms, samples, seed)
    gain = qini_gain(judged, propensity, history.arms, samples, seed)
    rankings: dict[str, Vector] = {"propensity": propensity}
    rankings.update(uplifts.items())
    return TrainedUplift(
        model=trained_on(history, best_learner(uplifts, history.arms), settings),
        verdict=beats_propensity(figures["qini"], gain, found),
        power=found,
        figures={**figures, "qini_gain_over_propensity": gain},
        qini={
            name: uplift_figures(ranking, history.arms, samples, seed)["qini"]
            for name, ranking in rankings.items()
        },
        uplift=judged,
        propensity=propensity,
    )


def best_learner(uplifts: Mapping[LearnerName, Vector], arms: Arms) -> LearnerName:
    """With the highest Qini coefficient; of equals, the first in the order of ``LEARNERS``."""
    qini = {name: uplift_figures(uplifts[name], arms)["qini"].value for name in LEARNERS}
    return max(LEARNERS, key=lambda name: np.nan_to_num(qini[name], nan=-np.inf))


def trained_on(
    history: RandomisedHistory, learner: LearnerName, settings: ModelSettings
) -> UpliftModel:
    """One learner, trained on the whole history."""
    tasks = _tasks(learner, history, settings)
    return UpliftModel(learner, tuple(task.fitted(history.fold, None, settings) for task in tasks))


@dataclass(frozen=True)
class _Task:
    """A booster to train: binned and labelled rows, which of them count, and its parameters."""

    dataset: Dataset
    rows: Integers
    parameters: Mapping[str, Any]

    def fitted(self, fold: Folds, left_out: int | None, settings: ModelSettings) -> str:
        kept = self.rows if left_out is None else self.rows[fold[self.rows] != left_out]
        return fit(self.dataset, kept, fold[kept], self.parameters, settings).model_text


def _tasks(
    learner: LearnerName, history: RandomisedHistory, settings: ModelSettings
) -> tuple[_Task, ...]:
    features, arms, names = history.features, history.arms, history.names
    parameters, every = booster_parameters(settings), np.arange(len(features))
    if learner == "t_learner":
        dataset = _binned(features, arms.has_bought, arms.weight, parameters, names)
        in_arm = (np.flatnonzero(arms.is_treated), np.flatnonzero(~arms.is_treated))
        return tuple(_Task(dataset, rows, parameters) for rows in in_arm)
    if learner == "s_learner":
        parameters = {**parameters, **TOLD_OF_TREATMENT}
        told = with_treatment(features, arms.is_treated)
        names = (*names, IS_TREATED) if names else ()
        dataset = _binned(told, arms.has_bought, arms.weight, parameters, names)
    else:
        # Both arms weigh the same, however many were kept back: else a purchase that agrees with
        # the larger arm would look like uplift.
        share = arms.treated_share
        weight = arms.weight * np.where(arms.is_treated, 0.5 / share, 0.5 / (1 - share))
        agrees = arms.has_bought == arms.is_treated
        dataset = _binned(features, agrees, weight, parameters, names)
    return (_Task(dataset, every, parameters),)


def _binned(
    features: Matrix,
    label: Outcomes,
    weight: Vector,
    parameters: Mapping[str, Any],
    names: tuple[str, ...],
) -> Dataset:
    import lightgbm

    return lightgbm.Dataset(
        features,
        label.astype(np.float32),
        weight=weight,
        feature_name=list(names) or "auto",
        params=dict(parameters),
    ).construct()


def _fold_models(
    learner: LearnerName, history: RandomisedHistory, settings: ModelSettings
) -> Iterator[tuple[int, UpliftModel]]:
    """By fold, a model that has not seen it."""
    tasks = _tasks(learner, history, settings)
    for left_out in map(int, np.unique(history.fold)):
        texts = (task.fitted(history.fold, left_out, settings) for task in tasks)
        yield left_out, UpliftModel(learner, tuple(texts))


def _out_of_fold(
    history: RandomisedHistory,
    models: Mapping[int, UpliftModel],
    told: Callable[[UpliftModel, Matrix], Vector] = UpliftModel.uplift,
) -> Vector:
    found = np.empty(len(history.features))
    for left_out, model in models.items():
        rows = history.fold == left_out
        found[rows] = told(model, history.features[rows])
    return found


def _judged(uplifts: Mapping[LearnerName, Vector], history: RandomisedHistory) -> Vector:
    """In each fold the uplift of the learner that is best on the others."""
    judged = np.empty(len(history.fold))
    for left_out in np.unique(history.fold):
        rows, others = history.fold == left_out, history.fold != left_out
        seen = {name: found[others] for name, found in uplifts.items()}
        best = best_learner(seen, history.arms.of(others))
        judged[rows] = uplifts[best][rows]
    return judged
