"""Drift of features is taken from the report of each month's features, and not worked out again."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import pytest

from jobs.home import Home
from jobs.measurement.model_references import feature_shifts
from jobs.reports import report_page

MONTH = date(2026, 9, 1)
RUN = "a" * 64


def feature(name, psi, now, then, reference="training"):
    classes = [{"now": one, "then": other} for one, other in zip(now, then, strict=True)]
    return {
        "name": name,
        "psi": psi,
        "reference": reference,
        "change": "median 1 → 2",
        "classes": classes,
    }


def shifts(folder, *features):
    home = Home(folder)
    path = report_page(folder, "features", MONTH, RUN).with_suffix(".json")
    path.parent.mkdir(parents=True)
    training = {"run_id": "b" * 64, "as_of": "2026-05-01", "rows": 4000}
    content = {"as_of": str(MONTH), "customers": 5000, "training": training, "features": features}
    path.write_text(json.dumps(content))
    scored = [
        SimpleNamespace(as_of=MONTH, inputs={"features": run_id}) for run_id in (RUN, "c" * 64)
    ]
    return list(feature_shifts(home, scored))


def test_a_shifted_feature_is_surely_out_of_bounds_and_a_steady_one_is_not(tmp_path) -> None:
    moved, steady = shifts(
        tmp_path,
        feature("income", 0.9163, [0.8, 0.2], [0.3, 0.7]),
        feature("balance", 0.0004, [0.51, 0.49], [0.5, 0.5]),
    )
    assert (moved.name, moved.month, moved.trained_as_of) == ("income", MONTH, date(2026, 5, 1))
    assert moved.psi.value == pytest.approx(0.9163)
    assert 0.25 < moved.psi.low < 0.9163 < moved.psi.high
    assert moved.change == "median 1 → 2"
    assert steady.psi.low == 0


def test_values_that_training_never_saw_are_counted(tmp_path) -> None:
    [segment] = shifts(tmp_path, feature("segment", 0.3, [0.6, 0.3, 0.1], [1.0, 0.0, None]))
    assert segment.unseen_share == pytest.approx(0.4)


def test_what_was_held_beside_last_month_or_nothing_tells_of_no_training(tmp_path) -> None:
    found = shifts(
        tmp_path,
        feature("income", 0.9, [0.8, 0.2], [0.3, 0.7], reference="last month"),
        feature("balance", None, [0.8, 0.2], [None, None], reference=None),
    )
    assert found == []
