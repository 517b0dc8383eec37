"""What scores and features of a month are held beside: the model's training and its test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from jobs.fairness.models import models_behind
from jobs.features.report import TRAINING
from jobs.home import Home
from jobs.models.stored_test_cohort import SampledTestCohort
from jobs.reports import report_page
from measurement.association import Estimate, Floats
from measurement.monitoring import TrainedModel
from measurement.shifts import FeatureShift, psi_estimate
from models.evaluate import from_flat
from models.gate import PASSED
from models.registry import CHALLENGER, Registered, Registry, database
from models.scorer import model_name
from tables.errors import UserError
from tables.runs import RunRecord

# Of more customers a PSI is no surer, and to score them takes longer.
MOST_CUSTOMERS = 20_000


class References:
    """The registry of a home, asked about the versions that scored.

    Args:
        home: Where.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        # To open a registry that is not there would make an empty one.
        self._registry = Registry(home.path) if database(home.path).exists() else None
        self._cohorts: dict[str, SampledTestCohort] = {}
        self._gains: dict[str, Mapping[str, Mapping[str, float]]] = {}

    def tested(self, product_id: str, version: int, scored: RunRecord) -> TrainedModel | None:
        """A version as its training left it; None if the registry does not have it.

        Args:
            product_id: What it predicts.
            version: Its number.
            scored: A run that it scored in.
        """
        registered = self._registered(product_id, version)
        if registered is None or self._registry is None:
            return None
        figures = self._registry.metrics(registered)
        auc, lift, ece = (from_flat(figures, name) for name in ("auc", "lift_10", "ece"))
        return TrainedModel(
            product_id,
            version,
            date.fromisoformat(registered.tags["as_of"]),
            lift=Estimate(lift.value, lift.low, lift.high),
            auc=Estimate(auc.value, auc.low, auc.high),
            ece=ece.value,
            gain=self._gain(scored).get(model_name(product_id), {}),
        )

    def waiting(self, product_id: str, as_of: date) -> int | None:
        """A challenger that the gate found fit for use, trained up to ``as_of``."""
        found = self._registry.with_alias(product_id, CHALLENGER) if self._registry else None
        if found is None or found.tags.get("gate") != PASSED:
            return None
        return found.version if date.fromisoformat(found.tags["as_of"]) <= as_of else None

    def test_scores(self, product_id: str, version: int) -> Floats:
        """What a version says of customers of its test cohort who could buy; none if gone.

        None of a segment's rate either: training sets store no segments.
        """
        registered = self._registered(product_id, version)
        if registered is None or self._registry is None:
            return np.empty(0)
        scorer = self._registry.load(registered).scorer
        # A variant from the workbench has an id of its own, and the customers of a training run.
        run_id = self._registry.parameters(registered).get("run_id", registered.run_id)
        try:
            if run_id not in self._cohorts:
                self._cohorts[run_id] = SampledTestCohort(self._home.path, run_id, MOST_CUSTOMERS)
            rows = self._cohorts[run_id].could_buy(product_id, scorer.columns)
        except UserError:
            return np.empty(0)
        return scorer.propensities(rows)

    def _registered(self, product_id: str, version: int) -> Registered | None:
        return self._registry.version(product_id, version) if self._registry else None

    def _gain(self, scored: RunRecord) -> Mapping[str, Mapping[str, float]]:
        if scored.run_id not in self._gains:
            found = models_behind(self._home, scored)
            self._gains[scored.run_id] = {one.name: one.gain for one in found}
        return self._gains[scored.run_id]


def feature_shifts(home: Home, scored: Sequence[RunRecord]) -> Iterator[FeatureShift]:
    """Drift of features as the report of each month's features found it, beside a training."""
    for record in scored:
        run_id = record.inputs.get("features", "")
        path = report_page(home.path, "features", record.as_of, run_id).with_suffix(".json")
        if path.exists():
            yield from _of_report(path)


def _of_report(path: Path) -> Iterator[FeatureShift]:
    content = json.loads(path.read_text())
    training = content[TRAINING]
    for one in content["features"]:
        if one["psi"] is not None and one["reference"] == TRAINING:
            yield _shift(one, date.fromisoformat(content["as_of"]), content["customers"], training)


def _shift(
    one: Mapping[str, Any], month: date, clients: int, training: Mapping[str, Any]
) -> FeatureShift:
    now, then = ([part[name] or 0.0 for part in one["classes"]] for name in ("now", "then"))
    unseen = sum(share for share, before in zip(now, then, strict=True) if not before)
    return FeatureShift(
        one["name"],
        month,
        psi_estimate(one["psi"], now, then, clients, training["rows"]),
        one["change"],
        unseen,
        date.fromisoformat(training["as_of"]),
    )
