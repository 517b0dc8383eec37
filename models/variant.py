"""A product's booster with a data scientist's own parameters and columns, trained as any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conf.errors import did_you_mean
from models.train import (
    Candidate,
    Plan,
    binned,
    product_parameters,
    shared_arrays,
    trained_on,
    training_rows,
)
from tables.errors import UserError

# Ours, of `conf/*/models.yaml`.
SETTINGS = (
    "rounds",
    "early_stopping_rounds",
    "learning_rate",
    "num_leaves",
    "min_data_in_leaf",
    "negatives_per_positive",
    "seed",
)
# LightGBM's that say how trees grow. What is not here (the objective, threads, files, the layout in
# memory) calibration, prior correction, reasons and equal bytes on any machine rest on.
LEARNING = (
    "bagging_fraction",
    "bagging_freq",
    "bagging_seed",
    "bin_construct_sample_cnt",
    "data_sample_strategy",
    "extra_seed",
    "extra_trees",
    "feature_contri",
    "feature_fraction",
    "feature_fraction_bynode",
    "feature_fraction_seed",
    "interaction_constraints",
    "lambda_l1",
    "lambda_l2",
    "max_bin",
    "max_bin_by_feature",
    "max_delta_step",
    "max_depth",
    "min_data_in_bin",
    "min_gain_to_split",
    "min_sum_hessian_in_leaf",
    "monotone_constraints",
    "monotone_constraints_method",
    "monotone_penalty",
    "neg_bagging_fraction",
    "other_rate",
    "path_smooth",
    "pos_bagging_fraction",
    "top_rate",
)


def split_parameters(own: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the data scientist sets: settings of ours, and parameters of LightGBM's.

    Raises:
        UserError: A name that is neither.
    """
    known = (*SETTINGS, *LEARNING)
    if unknown := [name for name in own if name not in known]:
        raise UserError(
            f"a variant has no parameter {unknown[0]!r}{did_you_mean(unknown[0], known)};"
            f" it may set {', '.join(known)}"
        )
    settings = {name: own[name] for name in SETTINGS if name in own}
    return settings, {name: own[name] for name in LEARNING if name in own}


def train_variant(plan: Plan, product_id: str, parameters: Mapping[str, Any]) -> Candidate:
    """The product's booster, calibrated and tested as ``train_booster`` does.

    Args:
        plan: With the columns to read and the settings.
        product_id: The product.
        parameters: LightGBM's, in place of production's. With none it is production's booster.

    Raises:
        UserError: There are no buyers to learn from, or LightGBM refuses a value.
    """
    from lightgbm.basic import LightGBMError

    data, place = shared_arrays(plan.folder), plan.products.index(product_id)
    sample = data.sampled_rows(place, plan.settings.negatives_per_positive)
    bought = data.outcomes[sample.rows, place] == 1
    if not bought.any() or bought.all():
        raise UserError(
            f"{product_id}: all training customers did the same, so that there is nothing to learn."
            " Train on more cohorts (time.train_cohorts)"
        )
    merged = {**product_parameters(plan), **parameters}
    try:
        rows = training_rows(plan, product_id, *binned(plan, merged))
        return trained_on(rows, plan, product_id, merged)
    except LightGBMError as error:
        raise UserError(f"LightGBM refuses {_shown(parameters)}: {_line(error)}") from None


def _shown(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "the settings"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
