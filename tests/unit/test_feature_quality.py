"""Figures of a feature: worked by hand, and held beside formulas written another way."""

from __future__ import annotations

import math
from bisect import bisect_left
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import entropy

from conf.check_settings import FeatureCheckSettings
from conf.load import load_config
from features.catalogue import customer_features_table, feature_catalogue
from features.distribution import values_of
from features.drift import SHARE_OF_EMPTY_CLASS, stability_index
from features.feature import Feature
from features.figures import in_words, percent, rounded
from features.formulas import Formula
from features.quality import change_in_words, feature_quality
from tables.arrow import arrow_schema

pytestmark = pytest.mark.filterwarnings("error")

LIMITS = FeatureCheckSettings(
    max_psi_warning=0.25, max_coverage_fall=0.05, min_customers=100, min_customers_shown=20
)
PRODUCTS = tuple(load_config("local").products)
RANDOM = np.random.default_rng(7)


def feature(kind="double", missing="null if unknown", unit="money"):
    value = Formula((), lambda: None, kind, unit, missing, is_nullable=missing.startswith("null"))
    return Feature("some_amount_3m", "income", "Something.", value)


AMOUNT = feature()
COUNT = feature("int", "0 without any", "booking")
AGE = feature("int", "never missing", "month")
HELD = feature("boolean", "false without any", "yes or no")
NAME = feature("string", unit="name")


def quality(one, now, then=None, before=None, limits=LIMITS):
    columns = (
        values is not None and values_of(column(one, values)) for values in (now, then, before)
    )
    now, then, before = (values or None for values in columns)
    return feature_quality(one, now, then, before, limits)


def column(one, values):
    types = {
        "int": pa.int32(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "string": pa.string(),
    }
    return pa.chunked_array([pa.array(list(values), types[one.type])])


def test_drift_worked_by_hand():
    # (0.3 - 0.5) ln(0.3 / 0.5) + (0.7 - 0.5) ln(0.7 / 0.5) = 0.2 ln(7 / 3)
    assert stability_index(np.array([30, 70]), np.array([100, 100])) == pytest.approx(
        0.2 * math.log(7 / 3)
    )


def test_a_class_that_emptied_counts_as_a_ten_thousandth():
    expected = (0.5 - 1e-4) * math.log(0.5 / 1e-4) + 0.5 * math.log(2)
    assert stability_index(np.array([0, 100]), np.array([50, 50])) == pytest.approx(expected)


def amounts(size, shift=0.0, zeros=0.3, nulls=0.1):
    """Skewed amounts, many of them nothing, some unknown."""
    values = np.round(RANDOM.lognormal(5 + shift, 1, size), 2)
    values[RANDOM.random(size) < zeros] = 0
    return [None if RANDOM.random() < nulls else value for value in values.tolist()]


def drift_by_loops(now, then):
    """The same from its definition, with Jeffreys' divergence as SciPy has it."""
    ordered = sorted(value for value in then if value is not None)
    deciles = [ordered[math.ceil(len(ordered) * tenth / 10) - 1] for tenth in range(1, 10)]
    bounds = sorted(set(deciles))

    def place(value):
        if value is None:
            return "null"
        if deciles.count(value) > 1:
            return ("at", value)
        return ("below", bisect_left(bounds, value))

    def shares(values):
        places = [place(value) for value in values]
        return [max(places.count(one) / len(places), SHARE_OF_EMPTY_CLASS) for one in every]

    every = sorted({place(value) for value in (*now, *then)}, key=str)
    p, q = shares(now), shares(then)
    # entropy() scales its arguments to a sum of 1, which those with empty classes do not have
    return entropy(p, q) + entropy(q, p), max(abs(sum(p) - 1), abs(sum(q) - 1))


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5, 1.5])
def test_drift_is_what_another_formula_gives(shift):
    then, now = amounts(5000), amounts(3000, shift, nulls=0.1 + shift / 10)
    expected, off = drift_by_loops(now, then)
    assert off < 1e-12
    assert quality(AMOUNT, now, then).psi == pytest.approx(expected, rel=1e-9)


def test_the_same_values_in_another_order_have_not_drifted():
    then = amounts(1000)
    assert quality(AMOUNT, list(reversed(then)), then).psi == 0.0
    assert quality(AMOUNT, list(reversed(then))).now == quality(AMOUNT, then).now


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([0] * 200, [0] * 150 + [-1] * 50),
        ([0] * 200, [0] * 150 + [1] * 50),
        ([7] * 200, [None] * 50 + [7] * 150),
        ([0] * 190 + [5] * 10, [0] * 150 + [5] * 50),
        ([5] * 190 + [0] * 10, [5] * 150 + [0] * 50),
    ],
)
def test_drift_of_values_that_nearly_all_share_is_seen(then, now):
    assert quality(AMOUNT, now, then).psi > 0.1


@pytest.mark.parametrize("rare", [False, True])
def test_drift_of_a_rare_answer_is_seen(rare):
    then = [rare] * 4 + [not rare] * 196
    assert quality(HELD, [rare] * 40 + [not rare] * 160, then).psi == pytest.approx(
        (0.2 - 0.02) * math.log(0.2 / 0.02) + (0.8 - 0.98) * math.log(0.8 / 0.98)
    )


def test_few_customers_have_no_drift():
    assert quality(AMOUNT, range(99), range(1000)).psi is None
    assert quality(AMOUNT, range(1000), range(99)).psi is None
    assert quality(AMOUNT, range(100), range(100)).psi == 0.0
    assert quality(AMOUNT, range(100)).psi is None


@pytest.mark.parametrize(
    ("one", "values", "expected"),
    [
        (AMOUNT, [None, 0, 5, None], 0.5),
        (AMOUNT, [math.nan, math.inf, 5, None], 0.25),
        (COUNT, [0, 0, 0, 5], 0.25),
        (AGE, [0, 0, 0, 5], 1.0),
        (HELD, [True, False, False, False], 0.25),
        (NAME, ["mass", None, "vip", "vip"], 0.75),
        (AMOUNT, [], 0.0),
    ],
)
def test_coverage_leaves_out_the_value_without_data(one, values, expected):
    assert quality(one, values).now.coverage == expected


def test_quantiles_worked_by_hand():
    assert quality(AGE, range(1, 2001)).now.typical == {
        "1 %": 20,
        "25 %": 500,
        "median": 1000,
        "75 %": 1500,
        "99 %": 2000,  # 1,980 in two digits
        "mean": 1000,  # 1,000.5 in three
    }


def test_a_figure_that_rests_on_too_few_customers_is_not_shown():
    shown = {
        size: [name for name, value in quality(AGE, range(size)).now.typical.items() if value]
        for size in (19, 20, 40, 80, 2000)
    }
    assert shown == {
        19: [],
        20: ["mean"],
        40: ["median", "mean"],
        80: ["25 %", "median", "75 %", "mean"],
        2000: ["1 %", "25 %", "median", "75 %", "99 %", "mean"],
    }


def test_classes_are_named_where_enough_customers_are_behind_them():
    assert {one.label for one in quality(AGE, range(199)).classes} == {None}
    assert None not in {one.label for one in quality(AGE, range(200)).classes}


def test_classes_in_words():
    then = [0] * 100 + [value / 4 for value in range(1, 101)]
    labels = [one.label for one in quality(AMOUNT, [*then, -1, None], then).classes]
    assert labels == [
        "under 0", "0", "0 to 5", "5 to 10", "10 to 15", "15 to 20", "over 20", "null"
    ]  # fmt: skip


def test_beside_nothing_classes_are_round_numbers():
    amounts = [0] * 300 + [value / 2 for value in range(1, 1001)] + [90_000]
    classes = quality(AMOUNT, [*amounts, None]).classes
    assert [(one.label, one.now, one.then) for one in classes] == [
        ("up to 0", 300, 0),
        *((f"{low} to {low + 50}", 100, 0) for low in range(0, 450, 50)),
        ("over 450", 101, 0),
        ("null", 1, 0),
    ]
    counts = [0] * 400 + [1] * 100 + [2] * 19 + [3] * 30 + [40]
    classes = quality(COUNT, counts).classes
    assert [(one.label, one.now) for one in classes] == [
        ("up to 0", 400),
        ("0 to 1", 100),
        ("over 1", 50),
    ]


def test_a_name_that_few_customers_have_is_not_shown():
    found = quality(NAME, ["vip"] * 19 + ["mass"] * 20, ["vip"] * 3 + ["mass"] * 30)
    assert [(one.label, one.now, one.then) for one in found.classes] == [
        ("mass", 20, 30),
        ("other", 19, 3),
    ]


@pytest.mark.parametrize(
    ("one", "values", "expected"),
    [
        (AMOUNT, [None] * 300, "empty"),
        (COUNT, [0] * 300, "empty"),
        (HELD, [False] * 300, "empty"),
        (AMOUNT, [5] * 300, "constant"),
        (AMOUNT, [0] * 300, "constant"),
        (HELD, [True] * 300, "constant"),
        (NAME, ["vip"] * 300, "constant"),
        (AMOUNT, [5] * 299 + [None], "varied"),
        (COUNT, [5] * 299 + [0], "varied"),
        (NAME, ["vip"] * 299 + ["mass"], "varied"),
    ],
)
def test_columns_that_say_nothing(one, values, expected):
    found = quality(one, values, values, values)
    assert (found.state, found.psi, found.warnings) == (expected, 0.0, ())
    assert sum(item.now for item in found.classes) == 300


@pytest.mark.parametrize("one", [AMOUNT, COUNT, AGE, HELD, NAME])
@pytest.mark.parametrize("then", [None, [], [None] * 300])
def test_nobody_is_not_divided_by(one, then):
    found = quality(one, [], then, then)
    assert (found.psi, found.state, found.warnings) == (None, "empty", ())
    assert change_in_words(found) == ""


def test_what_moved_in_words():
    then = [10.0] * 100 + [2100.4] * 300
    assert change_in_words(quality(AMOUNT, [10.0] * 100 + [1640.4] * 300, then)) == (
        "median 2,100 → 1,640"
    )
    assert change_in_words(quality(COUNT, [0] * 300 + [8] * 100, [0] * 300 + [4] * 100)) == (
        "mean 1 → 2"
    )
    assert change_in_words(quality(COUNT, [0] * 300 + [2] * 100, [0] * 200 + [1] * 200)) == (
        "75 % 1 → 0, with data 50 % → 25 %"
    )
    assert change_in_words(quality(HELD, [True] * 30 + [False] * 70, [True] * 300)) == (
        "yes 100 % → 30 %"
    )
    assert change_in_words(
        quality(NAME, ["vip"] * 30 + ["mass"] * 70, ["vip"] * 50 + ["mass"] * 50)
    ) == ("mass 50 % → 70 %")
    assert change_in_words(quality(AMOUNT, then, then)) == ""


def test_drift_over_the_limit_is_a_warning():
    found = quality(HELD, [True] * 180 + [False] * 20, [True] * 100 + [False] * 100)
    assert found.warnings == (f"PSI {found.psi:.2f} is over 0.25: yes 50 % → 90 %",)
    limits = LIMITS.model_copy(update={"max_psi_warning": found.psi})
    assert (
        quality(
            HELD, [True] * 180 + [False] * 20, [True] * 100 + [False] * 100, None, limits
        ).warnings
        == ()
    )


def test_coverage_that_fell_since_last_month_is_a_warning():
    had = [1.0, 2.0] * 45 + [None] * 10
    assert quality(AMOUNT, [1.0] * 84 + [None] * 16, None, had).warnings == (
        "84 % of customers have data, last month 90 %",
    )
    assert quality(AMOUNT, [1.0] * 86 + [None] * 14, None, had).warnings == ()
    assert quality(AMOUNT, [1.0, 2.0] * 50, None, had).warnings == ()


@pytest.mark.parametrize("earlier", ["then", "before"])
def test_a_feature_that_became_constant_is_a_warning(earlier):
    varied, constant = [1, 2] * 40, [3] * 80
    [warning] = quality(AGE, constant, **{earlier: varied}).warnings
    assert warning == "the value is the same for all customers, which was not so before"
    assert quality(AGE, constant, **{earlier: constant}).warnings == ()
    # it was so last month: told then
    assert quality(AGE, constant, then=varied, before=constant).warnings == ()


def test_every_feature_of_the_catalogue_can_be_looked_at():
    examples = {
        "boolean": True,
        "string": "vip",
        "int": 3,
        "double": 0.5,
        "decimal(18,2)": Decimal("7.25"),
    }
    schema = arrow_schema(customer_features_table(PRODUCTS))
    for one in feature_catalogue(PRODUCTS):
        example = examples.get(one.type, 3)
        values = pa.chunked_array([pa.array([example] * 100, schema.field(one.name).type)])
        found = feature_quality(one, values_of(values), None, None, LIMITS)
        assert found.now.is_constant
        assert found.now.coverage == 1.0


def test_money_is_looked_at_to_the_cent():
    cents = pa.chunked_array([pa.array([Decimal("0.01"), Decimal("-7.25")], pa.decimal128(18, 2))])
    assert values_of(cents).numbers.tolist() == [-7.25, 0.01]


def test_numbers_as_people_write_them():
    assert [in_words(value) for value in (2100.0, 164.2, 0.5, 0.0123, 3.0, -0.25, -1e-9)] == [
        "2,100", "164", "0.5", "0.0123", "3", "-0.25", "0"
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.004, 0.126, 1)] == [
        "0 %",
        "under 1 %",
        "13 %",
        "100 %",
    ]
    assert [rounded(value, 2) for value in (1980.0, 0.0449, 0.0)] == [2000, 0.045, 0]
