"""Zimnat: one product of each customer was taken away; which? Five folds of customers.

Settings are ones that ``conf/base/models.yaml`` could say: with many customers per product, trees
of 7 leaves and a faster rate. They were chosen on a fold of such customers: a little optimistic.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from public import SAMPLES, SEED, Line, random_folds, settings

from models.evaluate import mean_estimate
from models.matrix import Matrix
from models.next_product import removal_losses, removals, train_next_product

FOLDER, TRAIN = "zimnat_product_holdings", "train"
FIRST_PRODUCT, FOLDS = "P5DA", 5
CHOSEN = settings(num_leaves=7, learning_rate=0.1, min_data_in_leaf=20)
PUBLISHED = "winner 0.02578, 136th 0.02702, baselines 0.0279 and 0.0303 (other customers)"
BAR = 0.0284


def zimnat(read: Callable[[str, str], pd.DataFrame], _folder: Path) -> list[Line]:
    """Log loss over 21 products, of every removal of held-out customers."""
    customers = read(FOLDER, TRAIN)
    products = list(customers.columns[list(customers.columns).index(FIRST_PRODUCT) :])
    holds, profile = customers[products].to_numpy() == 1, _profile(customers)
    fold, losses = random_folds(len(holds), SEED, FOLDS), np.empty(len(holds))
    inner = random_folds(len(holds), SEED + 1)
    for left_out in range(FOLDS):
        train, judged = fold != left_out, fold == left_out
        model = train_next_product(profile[train], holds[train], inner[train], CHOSEN)
        taken = removals(holds[judged])
        found = model.probabilities(profile[judged][taken.customer], taken.holds(holds[judged]))
        losses[judged] = removal_losses(found, taken, int(judged.sum()))
    figure = mean_estimate(losses, SAMPLES, SEED)
    what = "log loss of one product removed: next product, 7 leaves"
    return [Line("zimnat_logloss", "Zimnat", what, figure, PUBLISHED, BAR, 5, is_better_below=True)]


def _profile(customers: pd.DataFrame) -> Matrix:
    """When joined, how old then, sex, family, branch, occupation; a code is a number here."""
    # Day first: month first parses without an error and is wrong.
    joined = pd.to_datetime(customers["join_date"], format="%d/%m/%Y", errors="coerce").dt
    born, branch = customers["birth_year"], customers["branch_code"]
    occupation = customers["occupation_code"]
    columns = [
        joined.year * 12 + joined.month,
        joined.year,
        joined.month,
        joined.day,
        joined.year - born,
        born,
        customers["sex"] == "M",
        _codes(customers["marital_status"]),
        _codes(branch),
        _codes(occupation),
        _codes(customers["occupation_category_code"]),
        occupation.map(occupation.value_counts()),
        branch.map(branch.value_counts()),
    ]
    return np.column_stack(columns).astype(np.float32)


def _codes(column: pd.Series) -> pd.Series:
    return column.astype("category").cat.codes
