"""What is put together from months is what one pass over all rows gives."""

from dataclasses import replace

import pytest

from features.measures import ALL_ROWS, Measure, measured
from features.sources import Source

WINDOWS = (None, 1, 2, 3, 6, 12)
CREDITS = ALL_ROWS.where(is_credit=True)
MONTHLY = Source("bookings", ("transactions",), lambda tables, cut: None, is_by_month=True)
PLAIN = replace(MONTHLY, is_by_month=False)
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


def test_months_give_what_one_pass_gives(rows):
    assert numbers(rows, MONTHLY) == numbers(rows, PLAIN)


def test_a_window_ends_where_it_says(rows):
    found = numbers(rows, MONTHLY)
    assert [found["C1"][f"sum_0_{n}"] for n in WINDOWS] == [-68, 100, 100, -150, -73, -68]
    assert [found["C2"][f"count_1_{n}"] for n in WINDOWS] == [2, 0, 0, 0, 0, 1]
    assert found["C3"]["sum_1_3"] is None


@pytest.mark.parametrize(
    "odd",
    [
        Measure(MONTHLY, "count", "cents", within=3, clock="days_ago"),
        Measure(MONTHLY, "of_greatest", "cents"),
    ],
)
def test_a_measure_that_months_do_not_make_is_refused(rows, odd):
    with pytest.raises(ValueError, match="cannot be put together from months"):
        measured(rows, MONTHLY, {odd: "odd"})
