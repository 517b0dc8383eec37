"""What the training job does once its arrays are there, without an engine."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from conf.load import load_config
from jobs.models.challengers import Challengers
from models.fairness import Labels
from models.labels import outcome_column
from models.registry import Registry
from models.training_set import TEST, TrainingSet
from tests.model_data import FEATURES, PRODUCTS, plan_of

AS_OF = date(2024, 4, 1)
FACTS = {
    "config_hash": "abc",
    "train_cohorts": "2023-08-01, 2023-09-01",
    "calibration_cohort": "2023-11-01",
    "test_cohort": "2024-01-01",
    "version_holdings": "3",
    "rounds": "40",
    "features": "balance",
}


@contextmanager
def silent(_total: int, _label: str):
    yield lambda done: None


def cohort_rows(data: TrainingSet) -> pa.Table:
    """The test cohort as the training job reads it."""
    rows = data.part == TEST
    columns: dict[str, Any] = {
        name: pa.array(data.features[rows, place], from_pandas=True)
        for place, name in enumerate(FEATURES)
    }
    columns["segment"] = [("affluent", "mass", None)[place] for place in data.segment[rows]]
    for place, product_id in enumerate(PRODUCTS):
        codes = data.outcomes[rows, place].tolist()
        columns[outcome_column(product_id)] = [None if c < 0 else c == 1 for c in codes]
    return pa.table(columns)


def genders(data: TrainingSet) -> Labels:
    """Of every test customer by turns, and of ten of them something rare."""
    labels = np.array(["f", "m"])[np.arange((data.part == TEST).sum()) % 2].astype("<U6")
    labels[:10] = "CANARY"
    return labels


def configuration(models: Any) -> Any:
    config = load_config("local")
    products = dict(zip(PRODUCTS, config.products.values(), strict=False))
    return SimpleNamespace(
        engine=config.engine, models=models, products=products, time=config.time, bank=config.bank
    )


def challengers_of(
    home: Path,
    data: TrainingSet,
    run_id: str,
    labels: Labels | None = None,
    **changes: Any,
) -> Challengers:
    """Of a training run whose arrays are there."""
    plan = plan_of(data, home / "arrays" / run_id, **changes)
    run: Any = SimpleNamespace(
        config=configuration(plan.settings), as_of=AS_OF, run_id=run_id, progress=silent,
        home=home, step="train",
    )  # fmt: skip
    groups = {"gender": genders(data) if labels is None else labels}
    return Challengers(run, plan, FACTS, cohort_rows(data), groups)


def train(
    home: Path,
    data: TrainingSet,
    run_id: str = "run 1",
    labels: Labels | None = None,
    **changes: Any,
) -> Challengers:
    """What the training job does once the arrays are there."""
    challengers = challengers_of(home, data, run_id, labels, **changes)
    challengers.train()
    challengers.register(Registry(home))
    return challengers
