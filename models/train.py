"""Train one booster per product, each in one thread, products side by side (`models/workers.py`).

Whoever trains rebuilds everything from the shared arrays, so that the same training set gives the
same model text however many processes share the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.model_settings import ModelSettings
from models.baselines import logistic_regression, segment_rates
from models.calibrate import MIN_POSITIVES, calibrate
from models.evaluate import Estimate, evaluate, log_loss_gain
from models.fitting import fit
from models.matrix import Integers, Vector
from models.monotone import monotone_parameters
from models.scorer import UNKNOWN_SEGMENT, Scorer
from models.search import Found, TrainingRows, search
from models.stability import MonthFit, month_fits
from models.training_set import CALIBRATION, PARTS, TEST, Sample, TrainingSet

if TYPE_CHECKING:
    from lightgbm import Dataset

# Tried on the demo bank, where buyers are few: random thresholds, coarse bins and a third of the
# features per tree rank better than LightGBM's defaults and take a quarter of their time.
FIXED_PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "max_bin": 63,
    "extra_trees": True,
    "feature_fraction": 0.34,
    "lambda_l2": 10.0,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_col_wise": True,  # row-wise would count all features, in use by the tree or not
    # LightGBM 4.7 writes beyond its memory when it takes rows out of sparse, bundled columns.
    "is_enable_sparse": False,
    "enable_bundle": False,
    "num_threads": 1,
    "verbosity": -1,
}


BINNED, BINNED_ROWS = "binned.lightgbm", "binned_rows.npy"


@dataclass(frozen=True)
class Plan:
    """What every training process is told.

    Attributes:
        folder: Where the arrays of the training set lie.
        products: Active products, in the order of the outcome columns.
        segments: Names of the segments, in the order of ``TrainingSet.segment``.
        features: Names of the matrix' columns.
        attributes: What the pooled model is told about each product.
        settings: Of the configuration.
    """

    folder: Path
    products: tuple[str, ...]
    segments: tuple[str, ...]
    features: tuple[str, ...]
    attributes: Mapping[str, Mapping[str, float]]
    settings: ModelSettings


@dataclass(frozen=True)
class Candidate:
    """A trained model with what is known about it.

    Attributes:
        scorer: Ready to use.
        metrics: On the test cohort, with intervals.
        facts: Numbers of rows and buyers per part, rounds, share of negatives kept.
        found: What a search for better parameters came to, if there was one.
        months: How it did in each training cohort, if there were enough buyers to tell.
    """

    scorer: Scorer
    metrics: Mapping[str, Estimate]
    facts: Mapping[str, float]
    found: Found | None = None
    months: tuple[MonthFit, ...] = ()


def train_booster(plan: Plan, product_id: str) -> Candidate:
    """The product's own booster, calibrated and tested on later cohorts."""
    rows = training_rows(plan, product_id, *_binned(plan))
    parameters = product_parameters(plan)
    found = search(rows, parameters, plan.settings)
    used = {**parameters, **(found.used if found else {})}
    return replace(trained_on(rows, plan, product_id, used), found=found)


def training_rows(plan: Plan, product_id: str, dataset: Dataset, at: Integers) -> TrainingRows:
    """What the product's booster is trained on.

    Args:
        plan: Of the training run.
        product_id: The product.
        dataset: As ``binned`` gives it; it gets the product's labels.
        at: Likewise: rows of the training set.
    """
    data, place = shared_arrays(plan.folder), plan.products.index(product_id)
    sample = data.sampled_rows(place, plan.settings.negatives_per_positive)
    dataset.set_label((data.outcomes[at, place] == 1).astype(np.float32))
    positions = np.searchsorted(at, sample.rows)
    return TrainingRows(dataset, positions, data, sample)


def trained_on(
    rows: TrainingRows, plan: Plan, product_id: str, parameters: Mapping[str, Any]
) -> Candidate:
    """A booster with these parameters, calibrated, tested, and looked at month by month."""
    fitted = fit(rows.dataset, rows.positions, rows.fold, parameters, plan.settings)
    share, shift = rows.sample.negative_share, rows.sample.log_odds_shift
    scorer = Scorer(product_id, "booster", plan.features, {}, fitted.model_text, shift)
    facts = {"rounds": fitted.rounds, "negative_share": share}
    candidate = calibrated(plan, scorer, facts)
    return replace(candidate, months=month_fits(candidate.scorer, fitted.unseen, rows))


def calibrated(plan: Plan, scorer: Scorer, facts: Mapping[str, float]) -> Candidate:
    """Calibrate a booster on the calibration cohort, if that has enough buyers, and test it."""
    data = shared_arrays(plan.folder)
    place = plan.products.index(scorer.product_id)
    rows = data.rows(place, CALIBRATION)
    has_bought = data.outcomes[rows, place] == 1
    if has_bought.sum() >= MIN_POSITIVES["platt"]:
        log_odds = scorer.log_odds(data.features[rows])
        scorer = replace(scorer, calibration=calibrate(log_odds, has_bought, data.fold[rows]))
    return tested(plan, scorer, facts)


def tested(plan: Plan, scorer: Scorer, facts: Mapping[str, float]) -> Candidate:
    """Measure a scorer on the test cohort, beside both baselines."""
    data = shared_arrays(plan.folder)
    place = plan.products.index(scorer.product_id)
    rows = data.rows(place, TEST)
    has_bought = data.outcomes[rows, place] == 1
    samples, seed = plan.settings.bootstrap_samples, plan.settings.seed
    propensity = propensities(plan, scorer, rows)
    metrics = evaluate(propensity, has_bought, samples, seed)
    for name, other in baselines(plan, place, rows).items():
        metrics |= {f"{name}_{key}": value for key, value in evaluate(other, has_bought).items()}
        gain = log_loss_gain(propensity, other, has_bought, samples, seed)
        metrics[f"log_loss_gain_over_{name}"] = gain
    return Candidate(scorer, metrics, {**facts, **counts(data, place)})


def propensities(plan: Plan, scorer: Scorer, rows: Integers) -> Vector:
    """What the scorer says about rows of the training set."""
    data = shared_arrays(plan.folder)
    if scorer.kind != "segment_rate":
        return scorer.propensities_of(data.features[rows])
    names = [*plan.segments, UNKNOWN_SEGMENT]
    rates = np.array([scorer.segment_rates[name] for name in names])
    return np.asarray(rates[data.segment[rows]])


def baselines(plan: Plan, place: int, rows: Integers) -> dict[str, Vector]:
    """What popularity by segment and a logistic regression say about the same customers."""
    data = shared_arrays(plan.folder)
    rates = segment_rates(data, place, len(plan.segments))
    found = {"segment_rate": np.asarray(rates[data.segment[rows]])}
    sample = data.sampled_rows(place, plan.settings.negatives_per_positive)
    bought = data.outcomes[sample.rows, place] == 1
    if bought.any() and not bought.all():
        found["logistic_regression"] = logistic_regression(data, place, sample, rows)
    return found


def counts(data: TrainingSet, place: int) -> dict[str, float]:
    """Sampled rows and buyers of one product in each part."""
    figures: dict[str, float] = {}
    for part, name in enumerate(PARTS):
        rows = data.rows(place, part)
        figures[f"{name}_rows"] = len(rows)
        figures[f"{name}_positives"] = int((data.outcomes[rows, place] == 1).sum())
    return figures


def booster_parameters(settings: ModelSettings) -> dict[str, Any]:
    """LightGBM's parameters for the booster of one product."""
    return {
        **FIXED_PARAMETERS,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "seed": settings.seed,
    }


def product_parameters(plan: Plan) -> dict[str, Any]:
    """The same, with the constraints that policy asks for."""
    constraints = monotone_parameters(plan.settings.monotone, plan.features)
    return {**booster_parameters(plan.settings), **constraints}


@lru_cache(maxsize=1)
def shared_arrays(folder: Path) -> TrainingSet:
    """The training set of this process."""
    return TrainingSet.load(folder)


_BINNED: dict[Path, tuple[Any, Integers]] = {}


def share_binned(plan: Plan) -> None:
    """Write production's binned matrix beside the arrays, for all who train from them.

    To read it takes a hundredth of the time of binning, which each process would do by itself.
    """
    dataset, rows = binned(plan, booster_parameters(plan.settings))
    dataset.save_binary(plan.folder / BINNED)
    np.save(plan.folder / BINNED_ROWS, rows)


def _binned(plan: Plan) -> tuple[Dataset, Integers]:
    """What ``binned`` gives for production's parameters, made or read once per process."""
    if plan.folder not in _BINNED:
        is_shared = (plan.folder / BINNED_ROWS).exists()
        parameters = booster_parameters(plan.settings)
        found = _read_binned(plan, parameters) if is_shared else binned(plan, parameters)
        _BINNED.clear()
        _BINNED[plan.folder] = found
    return _BINNED[plan.folder]


def _read_binned(plan: Plan, parameters: Mapping[str, Any]) -> tuple[Dataset, Integers]:
    import lightgbm

    dataset = lightgbm.Dataset(plan.folder / BINNED, params=dict(parameters))
    return dataset.construct(), np.load(plan.folder / BINNED_ROWS)


def binned(plan: Plan, parameters: Mapping[str, Any]) -> tuple[Dataset, Integers]:
    """One binned matrix for all boosters, over every row that any of them trains on.

    Returns:
        The dataset, and the row of the training set behind each of its rows, rising.
    """
    import lightgbm

    data = shared_arrays(plan.folder)
    samples: list[Sample] = [
        data.sampled_rows(place, plan.settings.negatives_per_positive)
        for place in range(len(plan.products))
    ]
    rows = np.unique(np.concatenate([sample.rows for sample in samples]))
    dataset = lightgbm.Dataset(
        data.features[rows],
        label=np.zeros(len(rows)),
        feature_name=list(plan.features),
        params=dict(parameters),
    )
    return dataset.construct(), rows
