"""What the public benchmarks share: production's models on plain arrays, and lines of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from conf.load import load_config
from conf.model_settings import ModelSettings
from models.baselines import logistic_regression
from models.evaluate import Estimate, bootstrapped, resampled
from models.fitting import fit
from models.matrix import Folds, Integers, Matrix, Outcomes, Vector
from models.train import booster_parameters
from models.training_set import FOLDS, TEST, TRAIN, Sample, TrainingSet

DATA = Path("../shared/data")
SETTINGS = load_config("local").models
SAMPLES, SEED = 1000, 1
FEW_SAMPLES = 200  # where each of them costs a ranking of everybody


@dataclass(frozen=True)
class Line:
    """One figure of the table.

    Attributes:
        key: In ``var/bench/models.json``, with ``_low`` and ``_high`` beside it.
        data: The data set.
        what: The measure, and the recipe behind it.
        figure: With its interval.
        published: What others reached.
        bar: What has to be reached; nothing where there is none.
        digits: Behind the point.
        is_better_below: A loss.
    """

    key: str
    data: str
    what: str
    figure: Estimate
    published: str = ""
    bar: float | None = None
    digits: int = 3
    is_better_below: bool = False

    def __str__(self) -> str:
        """The line as the table shows it."""
        parts = (self.figure.value, self.figure.low, self.figure.high)
        value, low, high = (f"{part:.{self.digits}f}" for part in parts)
        figure = f"{value} [{low}, {high}]"
        return f"{self.data:<17}{self.what:<72}{figure:<26}{self._judged():<18}{self.published}"

    def _judged(self) -> str:
        if self.bar is None:
            return ""
        sign = "<=" if self.is_better_below else ">="
        gap = self.bar - self.figure.value if self.is_better_below else self.figure.value - self.bar
        return f"{sign} {self.bar:g}: {'met' if gap >= 0 else 'MISSED'}"


def settings(**changes: float) -> ModelSettings:
    """Production's, but for what ``conf/base/models.yaml`` would say otherwise."""
    return SETTINGS.model_copy(update=changes)


def parquet(data_set: str, name: str) -> pd.DataFrame:
    """A file of a data set."""
    return pd.read_parquet(DATA / data_set / f"{name}.parquet")


def random_folds(rows: int, seed: int = SEED, folds: int = FOLDS) -> Folds:
    """Equally many rows in each."""
    order = np.random.default_rng(seed).permutation(np.arange(rows) % folds)
    return order.astype(np.int8)


@dataclass(frozen=True)
class Problem:
    """One product to predict.

    Attributes:
        features: One row per customer.
        has_bought: What happened.
    """

    features: Matrix
    has_bought: Outcomes

    def told(self, features: Matrix) -> Problem:
        """The same with more features."""
        together = np.column_stack([self.features, features]).astype(np.float32)
        return replace(self, features=together)


def by_booster(
    problem: Problem, train: Integers, rows: Integers, chosen: ModelSettings = SETTINGS
) -> Vector:
    """Log-odds of ``rows`` by production's booster, trained as in production."""
    parameters = booster_parameters(chosen)
    label = problem.has_bought[train].astype(np.float32)
    dataset = lightgbm.Dataset(problem.features[train], label, params=parameters).construct()
    positions = np.arange(len(train))
    fitted = fit(dataset, positions, random_folds(len(train)), parameters, chosen)
    booster = lightgbm.Booster(model_str=fitted.model_text)
    found = booster.predict(problem.features[rows], raw_score=True, num_threads=1)
    return np.asarray(found, dtype=np.float64)


def by_regression(problem: Problem, train: Integers, rows: Integers) -> Vector:
    """Log-odds of ``rows`` by the logistic regression that production holds beside its boosters."""
    count = len(problem.features)
    part = np.full(count, TEST, dtype=np.int8)
    part[train] = TRAIN
    data = TrainingSet(
        features=problem.features,
        outcomes=problem.has_bought.astype(np.int8)[:, None],
        part=part,
        cohort=part.astype(np.int16),
        customer=np.arange(count, dtype=np.int32),
        fold=np.zeros(count, dtype=np.int8),
        draw=np.zeros(count),
        is_drawn=np.ones(count, dtype=np.bool_),
        weight=np.ones(count),
        segment=np.zeros(count, dtype=np.int16),
    )
    found = logistic_regression(data, 0, Sample(train, negative_share=1.0), rows)
    return np.asarray(np.log(found / (1 - found)))


def share_caught(ranking: Vector, has_bought: Outcomes, top: float) -> Estimate:
    """Share of the buyers among the best ``top``; customers who are equal share their places."""
    order = np.argsort(-ranking, kind="stable")
    ranked, bought = ranking[order], has_bought[order]
    ties = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])

    def caught(weights: Vector) -> float:
        weight = weights[order]
        reached = np.r_[0, np.add.reduceat(weight, ties).cumsum()]
        buyers = np.r_[0, np.add.reduceat(weight * bought, ties).cumsum()]
        found = float(np.interp(top * reached[-1], reached, buyers))
        return found / buyers[-1] if buyers[-1] else math.nan

    drawn = [caught(weights) for weights in resampled(len(ranking), FEW_SAMPLES, SEED)]
    return bootstrapped(caught(np.ones(len(ranking))), np.array(drawn))


def flat_lines(lines: Sequence[Line]) -> Mapping[str, float]:
    """Every figure with its interval, as one flat object."""
    found: dict[str, float] = {}
    for line in lines:
        parts = {"": line.figure.value, "_low": line.figure.low, "_high": line.figure.high}
        found |= {f"{line.key}{end}": round(part, 6) for end, part in parts.items()}
    return found
