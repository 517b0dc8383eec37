"""A value in another notation is a reason, never a guess."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pydantic import ValidationError

from conf.notation import Notation
from extracts.casts import cast_text, has_invisible


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2026-11-01T06:30:00Z", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        (
            "timestamp",
            "2026-11-01T06:30:00.000001Z",
            datetime(2026, 11, 1, 6, 30, 0, 1, tzinfo=UTC),
        ),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("int", "-12", -12),
        ("decimal(18,2)", "1234.5", Decimal("1234.50")),
        ("decimal(18,2)", "-0.01", Decimal("-0.01")),
        ("decimal(18,2)", "+7", Decimal("7.00")),
        ("decimal(18,8)", "25.12345678", Decimal("25.12345678")),
        ("string", " 007 ", " 007 "),
    ],
)
def test_the_contract_s_notation_is_read(type_name, text, value):
    values, unreadable = cast_text(pa.array([text, None]), type_name)

    assert values.to_pylist() == [value, None]
    assert unreadable is None


@pytest.mark.parametrize(
    ("type_name", "text"),
    [
        ("date", "2020-01"),
        ("date", "2023-02-29"),
        ("date", "01.11.2026"),
        ("date", "2024-1-5"),
        ("date", "2024-01-05T00:00:00Z"),
        ("timestamp", "2024-01-01"),
        ("timestamp", "2024-01-01 06:30:00Z"),
        ("timestamp", "2024-01-01T06:30:00"),
        ("timestamp", "2024-01-01T06:30:00+01:00"),
        ("timestamp", "2024-01-01T06:30Z"),
        ("timestamp", "2024-01-01T24:00:00Z"),
        ("boolean", "1"),
        ("boolean", "True"),
        ("boolean", "yes"),
        ("int", "1.0"),
        ("int", "0x1F"),
        ("int", "99999999999"),
        ("decimal(18,2)", "1.234,50"),
        ("decimal(18,2)", "10.999"),
        ("decimal(18,2)", "1e20"),
        ("decimal(18,2)", "NaN"),
        ("decimal(18,2)", ".5"),
        ("decimal(18,2)", "1."),
        ("decimal(18,2)", " 5"),
        ("decimal(18,2)", "12345678901234567.00"),
        ("decimal(18,2)", "١.50"),
    ],
)
def test_another_notation_is_unreadable_and_its_neighbours_are_not(type_name, text):
    good = {
        "date": "2024-01-01",
        "timestamp": "2024-01-01T00:00:00Z",
        "boolean": "true",
        "int": "1",
    }.get(type_name, "1.00")

    values, unreadable = cast_text(pa.array([good, text, None, good]), type_name)

    assert values.is_valid().to_pylist() == [True, False, False, True]
    assert unreadable.to_pylist() == [False, True, False, False]


def cast(texts, type_name, **notation):
    return cast_text(pa.array(texts), type_name, Notation(**notation))


@pytest.mark.parametrize(
    ("type_name", "notation", "text", "value", "wrong"),
    [
        ("date", {"date_format": "%d.%m.%Y"}, "29.02.2024", date(2024, 2, 29), "30.02.2024"),
        ("date", {"date_format": "%d/%m/%Y"}, "1/2/2019", date(2019, 2, 1), "1/13/2019"),
        ("date", {"date_format": "%d.%m.%Y"}, "01.11.2026", date(2026, 11, 1), "2026-11-01"),
        ("decimal(18,2)", {"decimal": ","}, "-1234,50", Decimal("-1234.50"), "1234.50"),
        ("decimal(18,2)", {"decimal": ","}, "7", Decimal("7.00"), "10,999"),
        ("boolean", {"booleans": {"is_true": ["A"], "is_false": ["N"]}}, "N", False, "true"),
        (
            "timestamp",
            {"timestamp_format": "%d.%m.%Y %H:%M", "time_zone": "Europe/Prague"},
            "01.07.2024 08:30",
            datetime(2024, 7, 1, 6, 30, tzinfo=UTC),
            "01.07.2024",
        ),
        (
            "timestamp",
            {"timestamp_format": "%Y-%m-%d %H:%M:%S%z"},
            "2024-07-01 08:30:00+0200",
            datetime(2024, 7, 1, 6, 30, tzinfo=UTC),
            "2024-07-01 08:30:00",
        ),
    ],
)
def test_a_declared_notation_is_read_and_no_other(type_name, notation, text, value, wrong):
    values, unreadable = cast([text, wrong, None], type_name, **notation)

    assert values.to_pylist() == [value, None, None]
    assert unreadable.to_pylist() == [False, True, False]
    assert cast([text], type_name, **notation)[1] is None


def test_an_hour_that_is_there_twice_is_the_later_one():
    notation = {"timestamp_format": "%Y-%m-%d %H:%M", "time_zone": "Europe/Prague"}

    [moment] = cast(["2024-10-27 02:30"], "timestamp", **notation)[0].to_pylist()

    assert moment == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


def test_padding_and_words_that_mean_nothing_are_taken_off_where_declared():
    notation = {"is_padded": True, "nulls": ["NA"]}

    numbers, unreadable = cast(["     35", "     NA", "  "], "int", **notation)
    names, _ = cast([" MALAGA ", "NA"], "string", **notation)

    assert (numbers.to_pylist(), unreadable) == ([35, None, None], None)
    assert names.to_pylist() == ["MALAGA", None]
    assert cast([" MALAGA ", "NA"], "string")[0].to_pylist() == [" MALAGA ", "NA"]


@pytest.mark.parametrize("odd", ["C\u200b1", "C\x001", "\ufeffC1", "C\u00ad1", "C1\n", "\u202eC1"])
def test_an_id_with_a_character_that_nobody_sees_is_found(odd):
    assert has_invisible(pa.array(["C1", odd, None, "Č1"])).to_pylist() == [
        False, True, False, False,
    ]  # fmt: skip


def test_ids_in_any_script_are_no_reason():
    assert has_invisible(pa.array(["C-1", "Č1 ß", "客户1", None])) is None
    assert has_invisible(pa.array([None], pa.string())) is None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"date_format": "DD.MM.YYYY"}, "does not say every part"),
        ({"date_format": "%d.%m"}, "does not say every part"),
        ({"timestamp_format": "%Y-%m-%d"}, "does not say every part"),
        ({"time_zone": "Prague"}, "is no time zone"),
        ({"encoding": "windows-9999"}, "encoding"),
    ],
)
def test_a_notation_that_cannot_be_meant_is_refused(wrong, problem):
    with pytest.raises(ValidationError, match=problem):
        Notation(**wrong)
