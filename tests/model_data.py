"""A small bank as training arrays: what is bought depends on two features and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from conf.model_settings import FairnessSettings, GateSettings, ModelSettings
from models.train import Plan
from models.training_set import CALIBRATION, FOLDS, TEST, TRAIN, TrainingSet

PARTS = (TRAIN, TRAIN, CALIBRATION, TEST)
SEGMENTS = ("affluent", "mass")
FEATURES = ("balance", "spending", "noise_1", "noise_2")
# Log-odds of buying at average features: a common product, a rare one, one that nobody buys.
PRODUCTS = {"card": -2.5, "loan": -6.0, "boat": -np.inf}
ATTRIBUTES = {
    product_id: {"product__is_credit": float(product_id != "boat"), "product__base_rate": rate}
    for product_id, rate in (("card", -2.5), ("loan", -6.0), ("boat", -8.0))
}


def gate_settings(**changes: float) -> GateSettings:
    settings = {"max_ece": 0.05, "min_auc": 0.55, "min_test_positives": 10, "max_group_ratio": 1.25}
    return GateSettings.model_validate(settings | changes)


def model_settings(**changes: object) -> ModelSettings:
    settings = {
        "min_positives": 50,
        "min_pooled_positives": 10,
        "negatives_per_positive": 5,
        "max_evaluation_customers": 100_000,
        "rounds": 40,
        "early_stopping_rounds": 8,
        "learning_rate": 0.1,
        "num_leaves": 5,
        "min_data_in_leaf": 20,
        "seed": 7,
        "search": {"trials": 0},
        "processes": 1,
        "bootstrap_samples": 20,
        "monotone": {},
        "uplift_history_months": 12,
        "gate": gate_settings(),
        "fairness": FairnessSettings(
            attributes=("gender",), genders=("f", "m"), age_bands=(40,), min_customers=20
        ),
        "auto_promote": True,
        "four_eyes": False,
        "accelerator": "none",
    }
    return ModelSettings.model_validate(settings | changes)


def small_bank(customers: int = 1500, seed: int = 3) -> TrainingSet:
    """Rows of all cohorts; a fifth of the customers cannot buy, another fifth by chance."""
    random = np.random.default_rng(seed)
    rows = customers * len(PARTS)
    features = random.normal(size=(rows, len(FEATURES))).astype(np.float32)
    features[random.random(features.shape) < 0.05] = np.nan
    signal = 1.5 * np.nan_to_num(features[:, 0]) - 1.0 * np.nan_to_num(features[:, 1])
    log_odds = np.stack([base + signal for base in PRODUCTS.values()], axis=1)
    outcomes = (random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    outcomes[random.random(outcomes.shape) < 0.2] = -1
    folds = random.integers(0, FOLDS, customers, dtype=np.int8)
    return TrainingSet(
        features=features,
        outcomes=outcomes,
        part=np.repeat(np.array(PARTS, dtype=np.int8), customers),
        cohort=np.repeat(np.array(PARTS, dtype=np.int16), customers),
        customer=np.tile(np.arange(customers, dtype=np.int32), len(PARTS)),
        fold=np.tile(folds, len(PARTS)),
        draw=random.random(rows),
        is_drawn=np.ones(rows, dtype=np.bool_),
        weight=np.ones(rows),
        segment=random.integers(0, len(SEGMENTS) + 1, rows).astype(np.int16),
    )


def sampled(data: TrainingSet, share: float) -> TrainingSet:
    """The same bank of which all buyers and a share of the others are known, weighted."""
    in_training = data.part == TRAIN
    is_buyer = (data.outcomes == 1).any(axis=1) & in_training
    is_drawn = (data.draw < share) | ~in_training
    weight = np.where(is_buyer | ~in_training, 1.0, 1.0 / share)
    changed = replace(data, is_drawn=is_drawn, weight=weight)
    kept = np.flatnonzero(is_buyer | is_drawn)
    return TrainingSet(**{field.name: getattr(changed, field.name)[kept] for field in fields(data)})


def plan_of(data: TrainingSet, folder: Path, **changes: object) -> Plan:
    """The training set in a folder, and what the processes are told about it."""
    folder.mkdir(parents=True, exist_ok=True)
    data.save(folder)
    return Plan(folder, tuple(PRODUCTS), SEGMENTS, FEATURES, ATTRIBUTES, model_settings(**changes))
