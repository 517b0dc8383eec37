"""The models behind drawn scores: a small booster per product, trained and registered as any other.

So that measuring reads from them what it reads in a bank: figures of their tests, gains of their
trees, their propensities of the test cohort, and features held beside the training. What was bought
follows two features and chance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from conf.load import load_config
from jobs.home import Home
from jobs.reports import report_page
from jobs.train_propensity import training_plan, training_table
from models.labels import label_rows, outcome_column
from models.registry import Registry
from models.train import share_binned, train_booster
from models.training_set import FOLDS, PARTS
from tables.arrow import arrow_schema
from tables.windows import months_before

# Fewer trees and samples than production's: it is to be drawn quickly, and is read the same way.
CONFIG = load_config("local", ["models.rounds=60", "models.bootstrap_samples=20"])
PRODUCTS = tuple(CONFIG.products)
TABLE = training_table(PRODUCTS)
CLIENTS = {"train": 4_000, "calibration": 4_000, "test": 20_000}
COULD_BUY, BUYS = 0.7, 0.06  # shares, of all and of those
SEGMENTS = np.array(["mass", "affluent", "private", "vip"])
CLASSES = 10  # of a feature in a report
TYPICAL, TELLS = 100.0, 90  # value of a feature; one in so many tells who buys


def training_rows(as_of: date) -> pa.Table:
    """What a training of that date learned from: features, outcomes, and how they were drawn."""
    parts = [
        _cohort(as_of, months_before(as_of, 6 - place), part, CLIENTS[part])
        for place, part in enumerate(PARTS)
    ]
    return pa.concat_tables(parts)


def label_parts(rows: pa.Table, as_of: date) -> Iterator[pa.Table]:
    """Its outcomes, shaped ``LABELS``."""
    for product_id in PRODUCTS:
        yield label_rows(rows, product_id, as_of)


def register(home: Home, rows: pa.Table, as_of: date, run_id: str) -> dict[str, str]:
    """Train and register version 1 of every model.

    Args:
        home: Where.
        rows: As ``training_rows`` gives them.
        as_of: Of the training.
        run_id: Of the training.

    Returns:
        What a scoring by them names among its inputs.
    """
    found, registry = {}, Registry(home.path)
    with TemporaryDirectory(dir=home.path) as folder:
        plan = training_plan(CONFIG, rows, Path(folder))
        share_binned(plan)
        for product_id in PRODUCTS:
            tags = {"as_of": str(as_of), "gate": "passed"}
            candidate = train_booster(plan, product_id)
            model = registry.register(candidate, run_id, tags, {"run_id": run_id})
            found[f"model {product_id}"] = model.tags["sha256"]
    return found


def report_features(home: Home, as_of: date, run_id: str, clients: int, trained: date) -> None:
    """Write what the report of a month's features says of their drift."""
    random = np.random.default_rng([as_of.toordinal(), 11])
    content = {
        "as_of": str(as_of),
        "customers": clients,
        "training": {"as_of": str(trained), "rows": sum(CLIENTS.values())},
        "features": [
            _feature(random, column.name) for column in TABLE.columns if column.name not in _KEYS
        ],
    }
    path = report_page(home.path, "features", as_of, run_id).with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _feature(random: np.random.Generator, name: str) -> Mapping[str, object]:
    then = random.dirichlet(np.full(CLASSES, 20.0))
    now = random.dirichlet(2_000 * then)
    return {
        "name": name,
        "psi": round(float(np.sum((now - then) * np.log(now / then))), 4),
        "reference": "training",
        "change": "median 1 → 1",
        "classes": [
            {"now": float(one), "then": float(other)} for one, other in zip(now, then, strict=True)
        ],
    }


_KEYS = ("as_of", "cohort", "customer_id", "part", "weight")


def _cohort(as_of: date, cohort: date, part: str, clients: int) -> pa.Table:
    random = np.random.default_rng([cohort.toordinal(), 12])
    keys = {
        "as_of": pa.repeat(pa.scalar(as_of), clients),
        "cohort": pa.repeat(pa.scalar(cohort), clients),
        "customer_id": pa.array([f"C{number:09d}" for number in range(clients)]),
        "part": pa.repeat(part, clients),
        "weight": pa.array(np.ones(clients)),
    }
    drawn = {
        "segment": pa.array(SEGMENTS[random.integers(0, len(SEGMENTS), clients)]),
        "fold": pa.array((np.arange(clients) % FOLDS).astype(np.int8)),
        "draw": pa.array(random.random(clients)),
        "is_drawn": pa.array(np.ones(clients, dtype=np.bool_)),
    }
    features, signal = _features(random, clients)
    return pa.table({**keys, **features, **drawn, **_outcomes(random, signal)})


def _features(
    random: np.random.Generator, clients: int
) -> tuple[dict[str, pa.Array], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Every feature a number of its type; two of them tell who buys."""
    found, signal = {}, np.zeros(clients)
    for place, field in enumerate(arrow_schema(TABLE)):
        if field.name in _KEYS:
            continue
        values = random.gamma(2.0, TYPICAL / 2, clients)
        if place % TELLS == 0:
            signal += values / TYPICAL - 1
        is_flag = pa.types.is_boolean(field.type)
        whole = pa.array(values > TYPICAL) if is_flag else pa.array(np.rint(values))
        found[field.name] = whole.cast(field.type)
    return found, signal


def _outcomes(random: np.random.Generator, signal: np.ndarray) -> dict[str, pa.Array]:
    """Of each product who bought it; null where they could not."""
    chance = 1 / (1 + (1 / BUYS - 1) * np.exp(-signal))
    return {
        outcome_column(name): pa.array(
            random.random(len(signal)) < chance, mask=random.random(len(signal)) > COULD_BUY
        )
        for name in PRODUCTS
    }
