"""A value in another notation is a reason, never a guess."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from extracts.casts import cast_text


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
