"""The figures of `measurement/monitoring.py` as tables, by file name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import pyarrow as pa

from measurement.alarms import lift_kept
from measurement.association import Estimate
from measurement.late_labels import LateLabels
from measurement.monitoring import ModelFindings, Observed

DIGITS = 6
Row = dict[str, Any]
TEXT, NUMBER, COUNT, DAY = pa.string(), pa.float64(), pa.int64(), pa.date32()


def tables(found: ModelFindings) -> dict[str, pa.Table]:
    """Every figure, by file name without its ending; the same findings give the same bytes."""
    observed = found.observed
    return {
        "model_outcomes": _table(list(_outcomes(observed)), OUTCOMES),
        "reliability": _table(list(_reliability(observed)), RELIABILITY),
        "late_labels": _table([_late(one) for one in observed.late], LATE_LABELS),
        "score_drift": _table(list(_score_drift(observed)), SCORE_DRIFT),
        "feature_drift": _table(list(_feature_drift(observed)), FEATURE_DRIFT),
        "alarms": _table(list(_alarms(found)), ALARMS),
        "model_verdicts": _table(list(_verdicts(found)), VERDICTS),
    }


def _ends(name: str) -> dict[str, pa.DataType]:
    return {name: NUMBER, f"{name}_low": NUMBER, f"{name}_high": NUMBER}


MODEL = {"product_id": TEXT, "cohort": DAY, "model_version": COUNT}
OUTCOMES = {
    **MODEL,
    "state": TEXT,
    "clients": COUNT,
    "left_out": COUNT,
    "withheld": COUNT,
    "buyers": COUNT,
    "observed": NUMBER,
    "expected": NUMBER,
    **_ends("ratio"),
    "ece": NUMBER,
    "ece_by_chance": NUMBER,
    "ece_at_test": NUMBER,
    **_ends("auc"),
    "auc_at_test": NUMBER,
    **_ends("lift_10"),
    "lift_10_at_test": NUMBER,
    **_ends("lift_kept"),
    "note": TEXT,
}
RELIABILITY = {**MODEL, "bin": COUNT, "clients": NUMBER, "expected": NUMBER, **_ends("observed")}
LATE_LABELS = {
    "product_id": TEXT,
    "cohort": DAY,
    "window_ends": DAY,
    "lag_days": COUNT,
    "purchases": COUNT,
    "late": COUNT,
    **_ends("late_share"),
    **_ends("factor"),
    "is_provisional": pa.bool_(),
}
SCORE_DRIFT = {
    **MODEL,
    "clients": COUNT,
    "clients_at_test": COUNT,
    **_ends("psi"),
    "mean": NUMBER,
    "mean_at_test": NUMBER,
}
FEATURE_DRIFT = {
    "cohort": DAY,
    "feature": TEXT,
    **_ends("psi"),
    "change": TEXT,
    "unseen_share": NUMBER,
    "trained_as_of": DAY,
    "largest_gain": NUMBER,
    "of_product": TEXT,
}
ALARMS = {
    "rule": TEXT,
    "product_id": TEXT,
    "feature": TEXT,
    "is_alarm": pa.bool_(),
    "months_out": TEXT,
    "of_months": COUNT,
    "since": DAY,
    **_ends("last_figure"),
}
VERDICTS = {
    "product_id": TEXT,
    "verdict": TEXT,
    "since": DAY,
    "model_version": COUNT,
    "in_use_since": DAY,
    "waiting_version": COUNT,
    "reasons": TEXT,
}


def _outcomes(observed: Observed) -> Iterator[Row]:
    for one in observed.months:
        test = observed.of(one.product_id, one.version)
        yield {
            "product_id": one.product_id,
            "cohort": one.cohort,
            "model_version": one.version,
            "state": one.state,
            "clients": one.clients,
            "left_out": one.left_out,
            "withheld": one.withheld,
            "buyers": one.buyers,
            "observed": one.observed,
            "expected": one.expected,
            **_parts("ratio", one.ratio),
            "ece": one.ece,
            "ece_by_chance": one.ece_by_chance,
            "ece_at_test": test.ece if test else None,
            **_parts("auc", one.auc),
            "auc_at_test": test.auc.value if test else None,
            **_parts("lift_10", one.lift),
            "lift_10_at_test": test.lift.value if test else None,
            **_parts("lift_kept", lift_kept(one, test.lift if test else None)),
            "note": one.note,
        }


def _reliability(observed: Observed) -> Iterator[Row]:
    for one in observed.months:
        for place, part in enumerate(one.bins, start=1):
            yield {
                "product_id": one.product_id,
                "cohort": one.cohort,
                "model_version": one.version,
                "bin": place,
                "clients": part.clients,
                "expected": part.expected,
                **_parts("observed", part.observed),
            }


def _late(one: LateLabels) -> Row:
    return {
        "product_id": one.product_id,
        "cohort": one.cohort,
        "window_ends": one.ends,
        "lag_days": one.lag_days,
        "purchases": one.purchases,
        "late": one.late,
        **_parts("late_share", one.late_share),
        **_parts("factor", one.factor),
        "is_provisional": one.is_provisional,
    }


def _score_drift(observed: Observed) -> Iterator[Row]:
    for one in observed.scores:
        yield {
            "product_id": one.product_id,
            "cohort": one.month,
            "model_version": one.version,
            "clients": one.clients,
            "clients_at_test": one.clients_then,
            **_parts("psi", one.psi),
            "mean": one.mean,
            "mean_at_test": one.mean_then,
        }


def _feature_drift(observed: Observed) -> Iterator[Row]:
    gains = _largest_gains(observed)
    for one in observed.features:
        gain, product_id = gains.get(one.name, (None, None))
        yield {
            "cohort": one.month,
            "feature": one.name,
            **_parts("psi", one.psi),
            "change": one.change,
            "unseen_share": one.unseen_share,
            "trained_as_of": one.trained_as_of,
            "largest_gain": gain,
            "of_product": product_id,
        }


def _largest_gains(observed: Observed) -> dict[str, tuple[float, str]]:
    """By feature the model in use that relies on it most."""
    found: dict[str, tuple[float, str]] = {}
    for product_id, (version, _) in sorted(observed.in_use.items()):
        model = observed.of(product_id, version)
        for name, gain in (model.gain if model else {}).items():
            if gain > found.get(name, (0.0, ""))[0]:
                found[name] = (gain, product_id)
    return found


def _alarms(found: ModelFindings) -> Iterator[Row]:
    """Rules that are out of bounds in any of the months they count."""
    for rule in found.rules:
        if rule.out:
            yield {
                "rule": rule.name,
                "product_id": rule.product_id,
                "feature": rule.subject,
                "is_alarm": rule.is_alarm,
                "months_out": " ".join(str(one.month) for one in rule.out),
                "of_months": len(rule.months),
                "since": rule.since,
                **_parts("last_figure", rule.out[-1].figure),
            }


def _verdicts(found: ModelFindings) -> Iterator[Row]:
    for one in found.verdicts:
        version, since = found.observed.in_use.get(one.product_id, (None, None))
        yield {
            "product_id": one.product_id,
            "verdict": one.verdict,
            "since": one.since,
            "model_version": version,
            "in_use_since": since,
            "waiting_version": found.observed.waiting.get(one.product_id),
            "reasons": " ".join(one.reasons),
        }


def _parts(name: str, estimate: Estimate) -> Row:
    ends = ("", "_low", "_high")
    return {f"{name}{end}": value for end, value in zip(ends, estimate, strict=True)}


def _table(rows: Sequence[Row], columns: dict[str, pa.DataType]) -> pa.Table:
    schema = pa.schema(list(columns.items()))
    return pa.Table.from_pylist([{k: _plain(v) for k, v in row.items()} for row in rows], schema)


def _plain(value: Any) -> Any:  # noqa: ANN401 -- a cell is anything
    if not isinstance(value, float):
        return value
    return round(value, DIGITS) if isfinite(value) else None
