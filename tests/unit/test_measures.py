"""What is put together from bands of months is what one pass over all rows gives."""

from dataclasses import replace

import pytest

from features.measures import ALL_ROWS, Measure, measured
from features.sources import Source

WINDOWS = (None, 1, 3, 6, 12)
CREDITS = ALL_ROWS.where(is_credit=True)
BANDED = Source("bookings", ("transactions",), lambda tables, cut: None, bands=(1, 3, 6, 12))
PLAIN = replace(BANDED, bands=())
ROWS = [
    ("C1", 1, 100, True),
    ("C1", 3, -250, False),
    ("C1", 4, 7, True),
    ("C1", 6, 70, True),
    ("C1", 7, None, True),
    ("C1", 12, 5, True),
    ("C2", 12, 40, True),
    ("C2", 13, 9, True),
    ("C3", 2, -1, False),
]


def taken_of(source):
    return {
        Measure(source, how, of, rows, within): f"{how}_{len(rows.allowed)}_{within}"
        for how, of in (
            ("count", "cents"),
            ("sum", "cents"),
            ("sum_of_squares", "cents"),
            ("min", "cents"),
            ("max", "cents"),
            ("months", "months_ago"),
        )
        for rows in (ALL_ROWS, CREDITS)
        for within in WINDOWS
    }


def numbers(rows, source):
    found = measured(rows, source, taken_of(source)).collect()
    return {row["customer_id"]: row.asDict() for row in found}


@pytest.fixture(scope="module")
def rows(spark):
    schema = "customer_id string, months_ago int, cents bigint, is_credit boolean"
    return spark.createDataFrame(ROWS, schema)


def test_bands_give_what_one_pass_gives(rows):
    assert numbers(rows, BANDED) == numbers(rows, PLAIN)


def test_a_window_ends_where_it_says(rows):
    found = numbers(rows, BANDED)
    assert [found["C1"][f"sum_0_{n}"] for n in WINDOWS] == [-68, 100, -150, -73, -68]
    assert [found["C2"][f"count_1_{n}"] for n in WINDOWS] == [2, 0, 0, 0, 1]
    assert found["C3"]["sum_1_3"] is None


@pytest.mark.parametrize(
    "odd",
    [
        Measure(BANDED, "sum", "cents", within=2),
        Measure(BANDED, "count", "cents", within=3, clock="days_ago"),
        Measure(BANDED, "of_greatest", "cents"),
    ],
)
def test_a_measure_that_no_band_holds_is_refused(rows, odd):
    with pytest.raises(ValueError, match="has no window of"):
        measured(rows, BANDED, {odd: "odd"})
