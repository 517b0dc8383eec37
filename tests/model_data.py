"""A small bank as training arrays: what is bought depends on two features and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from conf.schema import GateSettings, ModelSettings
from models.train import Plan
from models.training_set import CALIBRATION, TEST, TRAIN, TrainingSet, customer_folds, row_draws

PARTS = (TRAIN, TRAIN, CALIBRATION, TEST)
SEGMENTS = ("affluent", "mass")
FEATURES = ("balance", "spending", "noise_1", "noise_2")
# Log-odds of buying at average features: a common product, a rare one, one that nobody buys.
PRODUCTS = {"card": -2.5, "loan": -6.0, "boat": -np.inf}
ATTRIBUTES = {
    product_id: {"product__is_credit": float(product_id != "boat"), "product__base_rate": rate}
    for product_id, rate in (("card", -2.5), ("loan", -6.0), ("boat", -8.0))
}


def model_settings(**changes: object) -> ModelSettings:
    settings = {
        "min_positives": 50,
        "min_pooled_positives": 10,
        "negatives_per_positive": 5,
        "rounds": 40,
        "early_stopping_rounds": 8,
        "learning_rate": 0.1,
        "num_leaves": 5,
        "min_data_in_leaf": 20,
        "seed": 7,
        "processes": 1,
        "bootstrap_samples": 20,
        "gate": GateSettings(max_ece=0.05, min_auc=0.55, min_test_positives=10),
        "auto_promote": True,
    }
    return ModelSettings.model_validate(settings | changes)


def small_bank(customers: int = 1500, seed: int = 3) -> TrainingSet:
    """Rows of all cohorts; a fifth of the customers cannot buy, another fifth by chance."""
    random = np.random.default_rng(seed)
    ids = [f"C{number:05d}" for number in range(customers)]
    rows = customers * len(PARTS)
    features = random.normal(size=(rows, len(FEATURES))).astype(np.float32)
    features[random.random(features.shape) < 0.05] = np.nan
    signal = 1.5 * np.nan_to_num(features[:, 0]) - 1.0 * np.nan_to_num(features[:, 1])
    log_odds = np.stack([base + signal for base in PRODUCTS.values()], axis=1)
    outcomes = (random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    outcomes[random.random(outcomes.shape) < 0.2] = -1
    cohorts = np.repeat([f"cohort {place}" for place in range(len(PARTS))], customers).tolist()
    return TrainingSet(
        features=features,
        outcomes=outcomes,
        part=np.repeat(np.array(PARTS, dtype=np.int8), customers),
        fold=customer_folds(ids * len(PARTS), seed),
        draw=row_draws(cohorts, ids * len(PARTS), seed),
        segment=random.integers(0, len(SEGMENTS) + 1, rows).astype(np.int16),
    )


def plan_of(data: TrainingSet, folder: Path, **changes: object) -> Plan:
    """The training set in a folder, and what the processes are told about it."""
    folder.mkdir(parents=True, exist_ok=True)
    data.save(folder)
    return Plan(folder, tuple(PRODUCTS), SEGMENTS, FEATURES, ATTRIBUTES, model_settings(**changes))
