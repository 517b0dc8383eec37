"""Plots of a measurement: marks where their numbers are, words that do not overlap."""

from itertools import pairwise

import numpy as np
import pytest

from jobs.measurement.pages.blocks import effect_row, forest
from jobs.measurement.pages.found import MEASURED
from jobs.measurement.pages.plots import (
    LEFT,
    SIDE,
    Scale,
    Upright,
    mark,
    reliability,
    stacked,
    timeline,
    uprights,
)
from jobs.measurement.pages.words import short, unit_of

NARROW = 280  # pixels of the narrowest plot: on a phone, or between its columns on paper
LETTER = 6.3  # pixels, of a figure of 11
MONEY = unit_of("profit", "EUR")


def test_labels_of_an_axis_never_overlap_on_the_narrowest_plot():
    rng = np.random.default_rng(3)
    for _ in range(600):
        size = 10.0 ** rng.uniform(-3, 12)
        low, high = sorted(rng.normal(rng.uniform(-3, 3), 1, size=2) * size)
        scale = Scale.of([((low + high) / 2, low, high)])
        spans = [_span(tick) for tick in scale.axis()]

        assert len(spans) > 1
        assert all(start >= 0 and end <= NARROW for start, end in spans)
        assert all(end < start for (_, end), (start, _) in pairwise(spans))


def _span(tick):
    """Where a label begins and ends, in pixels."""
    at, wide = NARROW * tick["at"] / 100, LETTER * len(tick["text"])
    before = {"start": 0.0, "middle": wide / 2, "end": wide}[tick["anchor"]]
    return at - before, at - before + wide


def test_marks_lie_where_their_numbers_are():
    scale = Scale.of([(2.0, 1.0, 3.0), (-1.0, -2.0, 0.0)])
    found = mark((2.0, 1.0, 3.0), scale, is_sure=True)

    assert (scale.low, scale.high) == (-2.0, 3.0)
    assert found["low"] < found["x"] < found["high"]
    assert found["x"] == pytest.approx(3 + 94 * 4 / 5)
    assert not (found["is_cut_low"] or found["is_cut_high"])


def test_an_interval_far_longer_than_the_others_is_cut_off_and_marked():
    usual = [(float(place), place - 1.0, place + 1.0) for place in range(5)]
    scale = Scale.of([*usual, (2.0, -900.0, 900.0)])

    found = mark((2.0, -900.0, 900.0), scale, is_sure=False)

    assert found["is_cut_low"]
    assert found["is_cut_high"]
    assert scale.high < 20


def test_numbers_below_each_other_have_the_same_digits():
    rows = [
        {
            "state": MEASURED,
            "effect": value,
            "effect_low": value - 4.0,
            "effect_high": value + 4.0,
            "treated": 1_000,
            "control": 100,
            "is_sure": False,
        }
        for value in (15.44, -2.49, 6.02)
    ]

    told = forest("", [effect_row("x", row, MONEY) for row in rows])["rows"]

    assert [row["text"].split()[0] for row in told] == ["+15.4", "−2.5", "+6.0"]


def test_upright_points_stay_beside_each_other_and_below_the_axis_names():
    points = [
        figures_point(place, (float(place), place - 1.0, place + 2.0)) for place in range(-3, 4)
    ]

    found = uprights(points, "", is_joined=True)

    xs = [point["x"] for point in found["points"]]
    assert xs == sorted(set(xs))
    assert all(12 <= x <= 97 for x in xs)
    assert all(p["high"] <= p["y"] <= p["low"] <= found["high"] for p in found["points"])
    assert len(found["lines"]) == len(points) - 1
    # Their labels fit between them on the narrowest plot.
    step = (xs[1] - xs[0]) * NARROW / 100
    assert step > LETTER * len("5 or more") / 2


def figures_point(place, ends):
    return Upright(str(place), ends, True, "")


def test_a_reliability_diagram_has_what_was_as_expected_on_the_diagonal():
    bins = [(share, (share, share * 0.5, share * 1.5)) for share in (0.001, 0.01, 0.04, 0.3)]

    found = reliability(bins)

    assert all(point["x"] + point["y"] == pytest.approx(SIDE, abs=0.2) for point in found["points"])
    assert all(0 <= point["high"] <= point["low"] <= SIDE for point in found["points"])
    ends = [LETTER * len(tick["text"]) for tick in found["ticks"]]
    assert max(ends) < LEFT
    quarter, whole = found["ticks"]
    assert quarter["at"] + ends[0] / 2 < whole["at"] - ends[1]
    assert [tick["text"] for tick in found["ticks"]] == ["10\u00a0%", "40\u00a0%"]


def test_parts_of_a_bar_follow_each_other():
    assert stacked([3.0, 1.0], 8.0) == [
        {"x": 0.0, "wide": 37.5},
        {"x": 37.5, "wide": 12.5},
    ]
    assert stacked([0.0], 0.0) == [{"x": 0.0, "wide": 0.0}]


def test_months_out_of_bounds_are_marked():
    found = timeline(["2026-06-01", "2026-07-01"], ["2026-07-01"])

    assert [one["is_out"] for one in found] == [False, True]


def test_axis_numbers_are_short():
    told = [short(value) for value in (0.0, -2500.0, 1e7, 0.5)]
    assert told == ["0", "−2.5k", "10m", "0.5"]
