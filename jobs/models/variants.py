"""A variant of a product's model: what a data scientist asked for, checked, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from conf.errors import did_you_mean
from conf.load import config_json
from conf.problems import type_problems
from conf.schema import RunConfig
from features.catalogue import feature_catalogue
from jobs.models.tried import Tried
from jobs.models.variants_looked_at import Looks
from models.matrix import feature_matrix
from models.train import Candidate, Plan, shared_arrays
from tables.errors import UserError
from tables.files import make_folder


@dataclass(frozen=True)
class Variant:
    """A model with a data scientist's own parameters or columns, calibrated and tested.

    Attributes:
        variant_id: The same for the same model on the same training set.
        plan: What it was trained with.
        own: Parameters that differ from production's.
        reads: How many columns it reads of how many features there are, in words.
        extra: Names of columns that are no features of the catalogue.
        tried: The model, and what is known of it on the test cohort.
        looks: Which one it is of all that were looked at on that cohort.
    """

    variant_id: str
    plan: Plan
    own: Mapping[str, str]
    reads: str
    extra: tuple[str, ...]
    tried: Tried
    looks: Looks

    @property
    def product_id(self) -> str:
        """The product."""
        return self.tried.candidate.scorer.product_id

    def __str__(self) -> str:
        """What is its own."""
        own = [f"{name}={value}" for name, value in self.own.items()]
        return ", ".join([self.reads, *own])


def with_settings(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """The configuration of the training run, with some settings of models changed.

    Raises:
        UserError: A value is not possible.
    """
    content = json.loads(config_json(config))
    content["models"] |= {name: _plain(value) for name, value in settings.items()}
    try:
        return RunConfig.model_validate_json(json.dumps(content))
    except ValidationError as error:
        told = "; ".join(f"{keys[-1]} {problem}" for keys, problem in type_problems(error))
        raise UserError(f"parameters: {told}") from None


def chosen_features(names: Sequence[str] | None, plan: Plan) -> tuple[str, ...]:
    """Those to read, in the order of the catalogue; all if nothing is said.

    Raises:
        UserError: There is no such feature, or a model may not use it.
    """
    if names is None:
        return plan.features
    kept = [name for name in names if name not in plan.features]
    known = {feature.name for feature in feature_catalogue(plan.products)}
    if forbidden := [name for name in kept if name in known]:
        raise UserError(
            f"a model may not use {', '.join(forbidden)}: docs/feature_catalogue.md has no m for it"
        )
    if kept:
        raise UserError(
            f"no feature {kept[0]!r}{did_you_mean(kept[0], plan.features)}. Columns of your own"
            " come as extra="
        )
    if not names:
        raise UserError("features: a model has to read at least one")
    return tuple(name for name in plan.features if name in set(names))


def variant_plan(
    base: Plan, config: RunConfig, names: tuple[str, ...], extra: pa.Table | None, folder: Path
) -> Plan:
    """The arrays of the columns that a variant reads, in a folder of its own."""
    data = shared_arrays(base.folder)
    at = [base.features.index(name) for name in names]
    matrix, more = data.features[:, at], ()
    if extra is not None:
        more = tuple(extra.column_names)
        matrix = np.hstack([matrix, feature_matrix(extra, more)])
    make_folder(folder)
    replace(data, features=matrix).save(folder)
    return replace(base, folder=folder, features=(*names, *more), settings=config.models)


def identity_of(run_id: str, candidate: Candidate) -> str:
    """SHA-256 of a training run and the model that was made of it."""
    content = [run_id, candidate.scorer.as_json(), candidate.scorer.model_text]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a notebook holds
    """A number of numpy's as Python's."""
    return value.item() if isinstance(value, np.generic) else value
