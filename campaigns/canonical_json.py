"""Rows of Arrow as canonical JSON: the bytes that are hashed."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

FEW = 8  # rows for each different value, at least, that make it worth while to look for equal ones
# Between these Arrow writes a double that is no whole number as Python does, and quicker.
SHORT, LONG = 1e-4, 1e7

Texts = Any  # a str is that of all rows, an array has one for each


def json_objects(rows: pa.Table | pa.RecordBatch) -> pa.Array:
    """Each row as JSON: sorted keys, no spaces, UTF-8 in NFC, every column named.

    Decimals are texts with all their digits, doubles the shortest text that reads back as the same
    double, dates and instants (UTC) ISO texts.

    Raises:
        ValueError: A number is not finite.
    """
    [objects] = json_objects_in_pieces(rows, max(rows.num_rows, 1))
    return objects


def json_objects_in_pieces(rows: pa.Table | pa.RecordBatch, at_once: int) -> Iterator[pa.Array]:
    """What ``json_objects`` gives, so many at a time; at least one array, which may be empty.

    Texts are far larger than rows: many rows have more values in common, few texts stay in cache.
    """
    parts = _parts({name: _texts(_in_one(rows.column(name))) for name in rows.schema.names})
    for first in range(0, max(rows.num_rows, 1), at_once):
        yield _joined([one if isinstance(one, str) else one.slice(first, at_once) for one in parts])


def _in_one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _texts(values: pa.Array) -> pa.Array:
    """JSON of each value. Equal values are written once: most columns have few."""
    if pa.types.is_list(values.type):
        return _array_texts(values).dictionary_encode()
    if pa.types.is_struct(values.type):
        return _object_texts(values)
    encoded = values.dictionary_encode()
    known, indices = _texts_of_different(encoded.dictionary), encoded.indices
    if indices.null_count:
        known = pa.concat_arrays([known, pa.array(["null"])])
        indices = pc.fill_null(indices, len(known) - 1)
    return pa.DictionaryArray.from_arrays(indices, known)


def _texts_of_different(values: pa.Array) -> pa.Array:
    if not pa.types.is_floating(values.type):
        return pa.array(map(_json, values.to_pylist()), pa.string())
    size = pc.abs(values)
    is_short = pc.and_(pc.greater_equal(size, SHORT), pc.less(size, LONG))
    is_other = pc.invert(pc.and_(is_short, pc.not_equal(values, pc.trunc(values))))
    others = pa.array(map(_json, values.filter(is_other).to_pylist()), pa.string())
    return pc.replace_with_mask(values.cast(pa.string()), is_other, others)


def _objects(texts: Mapping[str, pa.Array]) -> pa.Array:
    """JSON objects, given the JSON of each field."""
    return _joined(_parts(texts))


def _joined(parts: Sequence[Texts]) -> pa.Array:
    return pc.binary_join_element_wise(*map(_in_full, parts), "")


def _parts(texts: Mapping[str, pa.Array]) -> list[Texts]:
    """What objects consist of, as few texts as can be, given the JSON of each field."""
    parts: list[Texts] = []
    for text in _fields(texts):
        together = _together(parts[-1], text) if parts else None
        if together is None:
            parts.append(text)
        else:
            parts[-1] = together
    return parts


def _fields(texts: Mapping[str, pa.Array]) -> Iterator[Texts]:
    before = "{"
    for name in sorted(texts):
        yield f"{before}{json.dumps(name)}:"
        yield texts[name]
        before = ","
    yield "}"


def _together(left: Texts, right: Texts) -> Texts | None:
    """Texts one behind the other, put together once for each that differs; None if most differ."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if not (_has_few(left) and _has_few(right)):
        return None
    if isinstance(left, str) or isinstance(right, str):
        indices = right.indices if isinstance(left, str) else left.indices
        return pa.DictionaryArray.from_arrays(indices, _behind(_different(left), _different(right)))
    kinds = pa.scalar(len(right.dictionary), pa.int64())
    both = pc.add(pc.multiply(left.indices.cast(pa.int64()), kinds), right.indices)
    pairs = both.dictionary_encode()
    of_left = pc.divide(pairs.dictionary, kinds)
    of_right = pc.subtract(pairs.dictionary, pc.multiply(of_left, kinds))
    texts = _behind(left.dictionary.take(of_left), right.dictionary.take(of_right))
    return pa.DictionaryArray.from_arrays(pairs.indices, texts)


def _behind(left: Texts, right: Texts) -> pa.Array:
    return pc.binary_join_element_wise(left, right, "")


def _different(texts: Texts) -> Texts:
    return texts if isinstance(texts, str) else texts.dictionary


def _has_few(texts: Texts) -> bool:
    """Whether there are few values that differ."""
    if isinstance(texts, str):
        return True
    is_encoded = isinstance(texts, pa.DictionaryArray)
    return is_encoded and len(texts.dictionary) * FEW <= len(texts)


def _in_full(texts: Texts) -> Texts:
    return texts.dictionary.take(texts.indices) if isinstance(texts, pa.DictionaryArray) else texts


def _object_texts(structs: pa.StructArray) -> pa.Array:
    names = [field.name for field in structs.type]
    texts = {name: _texts(field) for name, field in zip(names, structs.flatten(), strict=True)}
    return pc.if_else(structs.is_valid(), _objects(texts), "null")


def _array_texts(arrays: pa.ListArray) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(arrays), 0)
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    elements = pa.ListArray.from_arrays(offsets, _in_full(_texts(arrays.flatten())))
    inner = pc.binary_join(elements, ",")
    return pc.if_else(arrays.is_valid(), pc.binary_join_element_wise("[", inner, "]", ""), "null")


def _json(value: object) -> str:
    return "null" if value is None else WRITERS[type(value)](value)


def _string(text: str) -> str:
    return json.dumps(unicodedata.normalize("NFC", text), ensure_ascii=False)


def _double(number: float) -> str:
    if not math.isfinite(number):
        raise ValueError("a decision holds a number that is not finite")
    # -0.0 equals 0.0 and must not write another line.
    return repr(number + 0.0)


def _instant(moment: datetime) -> str:
    return f'"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"'


WRITERS: dict[type, Callable[[Any], str]] = {
    str: _string,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _double,
    Decimal: lambda amount: f'"{amount:f}"',
    date: lambda day: f'"{day.isoformat()}"',
    datetime: _instant,
}
