"""How values are written in a source's CSV files; what is not declared is the contract's way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StrictBool, StrictStr

from conf.fields import Positive, Settings

Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii",
    "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15",
    "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
    "windows-1257", "cp437", "cp500", "cp850", "cp852", "koi8-r", "shift_jis", "gb18030", "big5",
]  # fmt: skip


def _reads_back(pattern: str, moment: datetime) -> str:
    try:
        read = datetime.strptime(moment.strftime(pattern), pattern).replace(tzinfo=UTC)
    except ValueError:
        read = None
    if read != moment:
        raise ValueError(f"{pattern!r} does not say every part; write it as %d/%m/%Y or %H:%M:%S")
    return pattern


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; write it as Europe/Prague") from None
    return name


DateFormat = Annotated[
    StrictStr, AfterValidator(lambda text: _reads_back(text, datetime(2021, 12, 31, tzinfo=UTC)))
]
TimestampFormat = Annotated[
    StrictStr,
    AfterValidator(lambda text: _reads_back(text, datetime(2021, 12, 31, 23, 59, tzinfo=UTC))),
]
TimeZone = Annotated[StrictStr, AfterValidator(_zone)]
Words = Annotated[tuple[StrictStr, ...], Field(min_length=1)]


class BooleanWords(Settings):
    """The words for true and false."""

    is_true: Words = ("true",)
    is_false: Words = ("false",)


class Notation(Settings):
    """How CSV files are written.

    Attributes:
        encoding: Of the text; a byte order mark is accepted.
        delimiter: Between fields.
        decimal: Before the cents.
        date_format: A strptime pattern; None is 2026-11-01.
        timestamp_format: The same for times; None is 2026-11-01T06:30:00Z.
        time_zone: Of times that do not say theirs; an hour that is there twice is the later one.
        booleans: The words for true and false.
        nulls: Words that mean that nothing is known; an empty field always does.
        is_padded: Fields have spaces around them that mean nothing.
        max_unpacked_ratio: A .gz that grows more than so many times is not unpacked further.
        max_unpacked_mb: Nor one that grows beyond this.
    """

    encoding: Encoding = "utf-8"
    delimiter: Annotated[StrictStr, Field(pattern=r"^[,;|\t]$")] = ","
    decimal: Literal[".", ","] = "."
    date_format: DateFormat | None = None
    timestamp_format: TimestampFormat | None = None
    time_zone: TimeZone = "UTC"
    booleans: BooleanWords = BooleanWords()
    nulls: tuple[StrictStr, ...] = ()
    is_padded: StrictBool = False
    max_unpacked_ratio: Positive = 200
    max_unpacked_mb: Positive = 65_536
