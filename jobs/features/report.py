"""The quality of a month's features: a page for a data scientist, and the same figures as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import customer_features_table, feature_catalogue
from features.distribution import Values, values_of
from features.quality import Figures, Quality, change_in_words, feature_quality
from jobs.reports import Content, write_page
from models.training_set import PARTS, TRAIN
from tables.derived import TRAINING_SET
from tables.runs import RunRecord, Runs
from tables.store import Store
from tables.stored_columns import StoredColumns
from tables.windows import months_before

if TYPE_CHECKING:
    from features.feature import Feature
    from jobs.run import Run
    from tables.base import Table

log = logging.getLogger(__name__)

TEMPLATE = "features.html.j2"
MOST_CHANGED = 10
# A feature is held beside the first of these that has it.
TRAINING, LAST_MONTH = "training", "last month"
# Up to here values move by themselves (Siddiqi, 2006).
LITTLE_DRIFT = 0.1
DIGITS = 6


@dataclass(frozen=True)
class Snapshot:
    """The features of another run.

    Attributes:
        run: The run.
        columns: What it published.
        counted: Whether each row counts; None if all do.
    """

    run: RunRecord
    columns: StoredColumns
    counted: pa.ChunkedArray | None = None

    def values(self, name: str) -> Values | None:
        """The values of a feature, if it was there then."""
        if name not in self.columns.names:
            return None
        column = self.columns.column(name)
        return values_of(column if self.counted is None else column.filter(self.counted))

    @property
    def rows(self) -> int:
        """How many count."""
        return self.columns.rows if self.counted is None else pc.sum(self.counted).as_py() or 0


@dataclass(frozen=True)
class Compared:
    """A feature's quality, and what it is held beside."""

    quality: Quality
    reference: str | None


def report_features(run: Run, proposed: Store) -> Path:
    """Write the report and give back where the page lies; nothing in it stops the run.

    Args:
        run: A run of the features; its warnings are logged and counted.
        proposed: The store as it would be after the run's commit.
    """
    table = customer_features_table(tuple(run.config.products))
    features = feature_catalogue(tuple(run.config.products))
    now = proposed.stored_columns(table, run.as_of)
    training, last_month = _trained_on(run), _of_last_month(run, table)
    compared = []
    with run.progress(len(features), "quality") as advance:
        for one in _compared(run, features, now, training, last_month):
            compared.append(one)
            advance(1)
    for warning in (warnings := _warnings(compared)):
        log.warning("%s %s: %s", run.step, run.as_of, warning)
    run.count("warnings", len(warnings))
    return write_page(run, _content(run, now, compared, training, last_month), TEMPLATE)


def _trained_on(run: Run) -> Snapshot | None:
    """What the newest models were trained on; no training of a later month counts.

    Only cohorts that were drawn whatever was bought: among the others, buyers are too many. A
    training set without parts was of everybody.
    """
    runs = Runs(run.store.folder)
    record = runs.newest("train", lambda record: record.as_of <= run.as_of)
    if record is None:
        return None
    found = _snapshot(run, record, TRAINING_SET)
    if "part" not in found.columns.names:
        return found
    return replace(found, counted=pc.not_equal(found.columns.column("part"), PARTS[TRAIN]))


def _of_last_month(run: Run, table: Table) -> Snapshot | None:
    record = Runs(run.store.folder).current("features", months_before(run.as_of, 1))
    return _snapshot(run, record, table) if record else None


def _snapshot(run: Run, record: RunRecord, table: Table) -> Snapshot:
    store = Store(run.store.folder, None, record.pins)
    return Snapshot(record, store.stored_columns(table, record.as_of))


def _compared(
    run: Run,
    features: Sequence[Feature],
    now: StoredColumns,
    training: Snapshot | None,
    last_month: Snapshot | None,
) -> Iterator[Compared]:
    """One feature after the other: all of them at once need not fit in memory."""
    limits = run.config.checks.features
    for feature in features:
        values = values_of(now.column(feature.name)) if now.rows else Values(0)
        trained = training.values(feature.name) if training else None
        before = last_month.values(feature.name) if last_month else None
        reference = TRAINING if trained else LAST_MONTH if before else None
        quality = feature_quality(feature, values, trained or before, before, limits)
        yield Compared(quality, reference)


def _warnings(compared: Sequence[Compared]) -> list[str]:
    return [
        f"{one.quality.feature.name}: {warning}"
        for one in compared
        for warning in one.quality.warnings
    ]


def _content(
    run: Run,
    now: StoredColumns,
    compared: Sequence[Compared],
    training: Snapshot | None,
    last_month: Snapshot | None,
) -> Content:
    """The report as plain values, most drift first; the same run gives the same."""
    ordered = sorted(compared, key=_by_drift)
    entries = [_entry(run, one) for one in ordered]
    themes = dict.fromkeys(one.quality.feature.theme for one in compared)
    return {
        "step": run.step,
        "as_of": str(run.as_of),
        "run_id": run.run_id,
        "customers": now.rows,
        TRAINING: _origin(training),
        "last_month": _origin(last_month),
        "max_psi_warning": run.config.checks.features.max_psi_warning,
        "min_customers": run.config.checks.features.min_customers,
        "min_customers_shown": run.config.checks.features.min_customers_shown,
        "warnings": _warnings(ordered),
        "most_changed": [entry["name"] for entry in entries if entry["psi"]][:MOST_CHANGED],
        "themes": {theme: sum(e["theme"] == theme for e in entries) for theme in themes},
        "features": entries,
    }


def _by_drift(one: Compared) -> tuple[float, str]:
    psi = one.quality.psi
    return (float("inf") if psi is None else -psi, one.quality.feature.name)


def _origin(snapshot: Snapshot | None) -> Content | None:
    if snapshot is None:
        return None
    record = snapshot.run
    return {"run_id": record.run_id, "as_of": str(record.as_of), "rows": snapshot.rows}


def _entry(run: Run, one: Compared) -> Content:
    quality, feature = one.quality, one.quality.feature
    return {
        "name": feature.name,
        "theme": feature.theme,
        "description": feature.description,
        "unit": feature.unit,
        "type": feature.type,
        "without_data": feature.value.missing,
        "state": quality.state,
        "reference": one.reference,
        "psi": None if quality.psi is None else round(quality.psi, DIGITS),
        "drift": _drift(quality.psi, run.config.checks.features.max_psi_warning),
        "change": change_in_words(quality),
        "now": _figures(quality.now),
        "then": quality.then and _figures(quality.then),
        "coverage_last_month": quality.before and round(quality.before.coverage, DIGITS),
        "classes": _classes(quality),
        "warnings": list(quality.warnings),
    }


def _drift(psi: float | None, limit: float) -> str:
    if psi is None:
        return "unknown"
    if psi > limit:
        return "much"
    return "some" if psi > LITTLE_DRIFT else "little"


def _figures(figures: Figures) -> Content:
    return {"coverage": round(figures.coverage, DIGITS), "typical": dict(figures.typical)}


def _classes(quality: Quality) -> list[Content]:
    """Shares of customers, this month's and those of what it is held beside."""
    now = quality.now.customers
    then = quality.then.customers if quality.then else 0
    return [
        {
            "label": one.label,
            "now": round(one.now / now, DIGITS) if now else 0.0,
            "then": round(one.then / then, DIGITS) if then else None,
        }
        for one in quality.classes
    ]
