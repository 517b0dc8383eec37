"""One booster over all products, told what kind of product it is looking at.

It lends a new or rare product what buyers of the others have in common.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from conf.schema import Product
from models.calibrate import calibrate
from models.fitting import fit
from models.matrix import Integers, Matrix
from models.monotone import monotone_parameters
from models.scorer import Scorer
from models.train import (
    Candidate,
    Plan,
    booster_parameters,
    calibrated,
    shared_arrays,
    train_booster,
)
from models.training_set import (
    CALIBRATION,
    TRAIN,
    Sample,
    TrainingSet,
    first_by_draw,
    share_kept,
    total,
)

POOLED = ""  # stands for all products where a product is asked for
# What a feature says differs between products, so that the pooled trees must grow deeper.
DEEPER: Mapping[str, Any] = {"num_leaves": 63, "feature_fraction": 0.6, "min_data_in_leaf": 20}


def product_attributes(products: Mapping[str, Product]) -> dict[str, dict[str, float]]:
    """What the pooled model is told about each product, as numbers."""
    lines = sorted({product.business_line for product in products.values()})
    return {
        product_id: {
            "product__is_partner": float(product.kind == "partner"),
            "product__is_credit": float(product.is_credit),
            "product__is_core": float(product.role == "core"),
            "product__is_upgrade": float(product.upgrade_of is not None),
            "product__complements": float(len(product.complements)),
            "product__log_margin": math.log1p(float(product.expected_margin)),
            **{f"product__line_{line}": float(product.business_line == line) for line in lines},
        }
        for product_id, product in products.items()
    }


def with_base_rates(
    attributes: Mapping[str, Mapping[str, float]], data: TrainingSet
) -> dict[str, dict[str, float]]:
    """Add how often each product was bought in the training cohorts, smoothed, as log-odds.

    Of all customers: sampled ones count by their weight.
    """
    in_training = data.part == TRAIN
    outcomes, weight = data.outcomes[in_training], data.weight[in_training]
    rates = {}
    for place, (product_id, own) in enumerate(attributes.items()):
        bought = total(weight[outcomes[:, place] == 1])
        others = total(weight[outcomes[:, place] == 0])
        rates[product_id] = {**own, "product__base_rate": math.log((bought + 0.5) / (others + 0.5))}
    return rates


def train_pooled(plan: Plan) -> Scorer:
    """The pooled booster, calibrated over all products; of no product yet."""
    import lightgbm

    data = shared_arrays(plan.folder)
    columns = [*plan.features, *next(iter(plan.attributes.values()))]
    constraints = monotone_parameters(plan.settings.monotone, columns)
    parameters = {**booster_parameters(plan.settings), **DEEPER, **constraints}
    sample, rows, places = pooled_sample(data, plan.settings.negatives_per_positive)
    has_bought = data.outcomes[rows, places] == 1
    dataset = lightgbm.Dataset(
        _matrix(plan, data, rows, places),
        label=has_bought.astype(np.float32),
        feature_name=columns,
        params=parameters,
    ).construct()
    positions = np.arange(len(rows))
    text = fit(dataset, positions, data.fold[rows], parameters, plan.settings).model_text
    scorer = Scorer(POOLED, "pooled", plan.features, {}, text, sample.log_odds_shift)
    return _calibrated_over_all(plan, scorer)


def train_task(plan: Plan, product_id: str) -> Candidate | Scorer:
    """What one process is given to do: a product's own booster, or the pooled one."""
    return train_pooled(plan) if product_id == POOLED else train_booster(plan, product_id)


def pooled_candidate(plan: Plan, pooled: Scorer, product_id: str) -> Candidate:
    """The pooled model for one product; with a calibration of its own if that has enough buyers."""
    scorer = replace(pooled, product_id=product_id, attributes=plan.attributes[product_id])
    return calibrated(plan, scorer, {})


def _calibrated_over_all(plan: Plan, scorer: Scorer) -> Scorer:
    """The calibration for products that have too few buyers for one of their own."""
    data = shared_arrays(plan.folder)
    log_odds, has_bought, fold = [], [], []
    for place, product_id in enumerate(plan.products):
        rows = data.rows(place, CALIBRATION)
        told = replace(scorer, attributes=plan.attributes[product_id])
        log_odds.append(told.log_odds(data.features[rows]))
        has_bought.append(data.outcomes[rows, place] == 1)
        fold.append(data.fold[rows])
    parts = (np.concatenate(part) for part in (log_odds, has_bought, fold))
    return replace(scorer, calibration=calibrate(*parts))


def pooled_sample(
    data: TrainingSet, negatives_per_positive: int
) -> tuple[Sample, Integers, Integers]:
    """Training pairs of row and product: all buyers, and one share of all products' others.

    Returns:
        The sample among such pairs, and the row and the place of the product of each.
    """
    in_training = np.flatnonzero(data.part == TRAIN)
    outcomes = data.outcomes[in_training]
    at, places = np.nonzero(outcomes >= 0)
    has_bought = outcomes[at, places] == 1
    others = np.flatnonzero(~has_bought)
    wanted = negatives_per_positive * int(has_bought.sum())
    rows = in_training[at]
    kept = first_by_draw(others[data.is_drawn[rows[others]]], data.draw[rows], wanted)
    pairs = np.sort(np.concatenate([np.flatnonzero(has_bought), kept]))
    sample = Sample(pairs, share_kept(len(kept), data.weight[rows[others]]))
    return sample, rows[pairs], places[pairs]


def _matrix(plan: Plan, data: TrainingSet, rows: Integers, places: Integers) -> Matrix:
    attributes = [list(plan.attributes[product_id].values()) for product_id in plan.products]
    return np.hstack([data.features[rows], np.array(attributes, dtype=np.float32)[places]])
