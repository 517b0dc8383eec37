"""Text cast strictly in a declared notation: another notation is a reason, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.notation import Notation
from tables.arrow import arrow_type

CONTRACT = Notation()
# Arrow's cast also takes 1e3, .5, 0x1F or a time without seconds; the contract does not.
PATTERNS = {
    "timestamp": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$",
    "boolean": r"^(true|false)$",
    "int": r"^-?\d+$",
    "bigint": r"^-?\d+$",
    "decimal": r"^[+-]?\d+(\.\d+)?$",
}
DECIMAL_COMMA = r"^[+-]?\d+(,\d+)?$"
# Control and format characters: NUL, line ends, zero-width and direction marks, soft hyphens.
INVISIBLE = r"[\p{Cc}\p{Cf}]"
FIRST_PRINTABLE, PRINTABLE = 0x20, 0x5F


def cast_text(
    texts: pa.Array, type_name: str, notation: Notation = CONTRACT
) -> tuple[pa.Array, pa.Array | None]:
    """Cast values in a notation.

    Args:
        texts: What stood in the file; null where nothing did.
        type_name: A Spark SQL type.
        notation: How they are written.

    Returns:
        The values, null where one could not be read, and a mask of these; None if there are none.
    """
    plain = without_nulls(texts, notation)
    wanted = arrow_type(type_name)
    if pa.types.is_string(wanted):
        return plain, None
    kind = type_name.partition("(")[0]
    read = _reader(kind, notation)
    if read is not None:
        return _by_distinct(plain, wanted, read)
    pattern = PATTERNS.get(kind)
    if kind == "decimal" and notation.decimal == ",":
        pattern, written = PATTERNS[kind], plain
        is_noted = pc.match_substring_regex(written, DECIMAL_COMMA)
        # What is not in the notation must not become so by the replacement.
        plain = pc.if_else(
            is_noted, pc.replace_substring(written, ",", "."), pa.scalar("unreadable")
        )
    return _cast(plain, wanted, pattern)


def without_nulls(texts: pa.Array, notation: Notation) -> pa.Array:
    """Nothing where a word stands that means nothing, and no padding."""
    if notation.is_padded:
        texts = pc.utf8_trim_whitespace(texts)
    if notation.nulls or notation.is_padded:
        is_null = pc.is_in(texts, pa.array(["", *notation.nulls]))
        texts = pc.if_else(is_null, pa.scalar(None, pa.string()), texts)
    return texts


def has_invisible(texts: pa.Array) -> pa.Array | None:
    """Which ids hold a character that nobody sees; None if there are none.

    Two ids that look the same are not, and a NUL ends a text for some programs.
    """
    data = texts.buffers()[2]
    if data is None:
        return None
    # One look at the bytes spares plain ASCII, nearly every id there is, the search.
    is_plain = np.frombuffer(data, np.uint8) - np.uint8(FIRST_PRINTABLE) < PRINTABLE
    if is_plain.all():
        return None
    found = pc.fill_null(pc.match_substring_regex(texts, INVISIBLE), False)
    return found if pc.any(found).as_py() else None


def _cast(
    texts: pa.Array, wanted: pa.DataType, pattern: str | None
) -> tuple[pa.Array, pa.Array | None]:
    is_noted = pc.match_substring_regex(texts, pattern) if pattern else None
    if is_noted is None or pc.all(is_noted).as_py() is not False:
        try:
            return texts.cast(wanted), None
        except pa.ArrowInvalid:
            pass
    noted = re.compile(pattern or "")
    return _by_distinct(
        texts, wanted, lambda text: _value(text, wanted) if noted.search(text) else None
    )


def _by_distinct(
    texts: pa.Array, wanted: pa.DataType, read: Callable[[str], object]
) -> tuple[pa.Array, pa.Array | None]:
    """The slow way, for a batch with a bad value; each distinct text is cast once."""
    encoded = texts.dictionary_encode()
    read_once = pa.array([read(text) for text in encoded.dictionary.to_pylist()], wanted)
    values = read_once.take(encoded.indices)
    if values.null_count == texts.null_count:
        return values, None
    return values, pc.and_(values.is_null(), texts.is_valid())


def _value(text: str, wanted: pa.DataType) -> object:
    try:
        return pa.array([text]).cast(wanted)[0].as_py()
    except pa.ArrowInvalid:
        return None


def _reader(kind: str, notation: Notation) -> Callable[[str], object] | None:
    """What reads one value, if the notation has a way of its own for the type."""
    if kind == "date" and notation.date_format:
        return partial(_date, notation.date_format)
    if kind == "timestamp" and notation.timestamp_format:
        return partial(_timestamp, notation.timestamp_format, ZoneInfo(notation.time_zone))
    if kind == "boolean" and notation.booleans != CONTRACT.booleans:
        return partial(_boolean, notation.booleans.is_true, notation.booleans.is_false)
    return None


def _moment(pattern: str, text: str) -> datetime | None:
    # Arrow's strptime makes 30 February the second of March, so Python's reads.
    try:
        return datetime.strptime(text, pattern) if text.isascii() else None  # noqa: DTZ007
    except ValueError:
        return None


def _date(pattern: str, text: str) -> object:
    moment = _moment(pattern, text)
    return moment.date() if moment else None


def _timestamp(pattern: str, zone: ZoneInfo, text: str) -> object:
    moment = _moment(pattern, text)
    if moment is None:
        return None
    # An hour that is there twice is taken as the later one: nothing is known too early.
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone, fold=1)
    return local.astimezone(UTC)


def _boolean(is_true: Sequence[str], is_false: Sequence[str], text: str) -> bool | None:
    if text in is_true:
        return True
    return False if text in is_false else None
