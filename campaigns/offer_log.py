"""Every decision as one canonical JSON line with its Merkle leaf hash."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window, functions as F

from tables.derived import DECISIONS, OFFER_LOG

LEAF_PREFIX = b"\x00"
LINES = pa.schema(
    [
        ("run_id", pa.string()),
        ("position", pa.int64()),
        ("line", pa.string()),
        ("leaf", pa.string()),
    ]
)


def offer_log(decisions: DataFrame, offer_ids: Iterable[str]) -> DataFrame:
    """The log of a run, shaped ``OFFER_LOG``, its lines in the order of customer and offer.

    Args:
        decisions: Shaped ``DECISIONS``, one row per customer and offer.
        offer_ids: Every offer; each customer has a decision about each.
    """
    return with_position(decisions, offer_ids).mapInArrow(_log_batches, OFFER_LOG.ddl)


def with_position(decisions: DataFrame, offer_ids: Iterable[str]) -> DataFrame:
    """Add each decision's place in the log.

    Every customer has the same offers, so only customers are numbered across all partitions.
    """
    ordered = sorted(offer_ids)
    # One partition on purpose, of one short row per customer; said so that no engine warns of it.
    in_order = Window.partitionBy(F.lit(0)).orderBy("customer_id")
    number = F.row_number().over(in_order).cast("bigint") - F.lit(1)
    customers = decisions.where(F.col("offer_id") == ordered[0]).select(
        "customer_id", number.alias("customer_number")
    )
    position = F.col("customer_number") * len(ordered) + _place(ordered)
    # The right key is unique: one decision per customer is about the first offer.
    return decisions.join(customers, "customer_id", how="inner").select(
        *DECISIONS.column_names, position.alias("position")
    )


def canonical_lines(decisions: pa.Table | pa.RecordBatch) -> pa.Array:
    """Each row as JSON: sorted keys, no spaces, UTF-8 in NFC, every column named.

    Decimals are texts with all their digits, doubles the shortest text that reads back as the same
    double, dates and instants (UTC) ISO texts.
    """
    names = decisions.schema.names
    return _objects({name: _texts(decisions.column(name)) for name in names})


def leaf_hash(line: str) -> str:
    """RFC 9162 §2.1.1: SHA-256 over a zero byte and the entry, hex."""
    return hashlib.sha256(LEAF_PREFIX + line.encode()).hexdigest()


def _place(ordered: list[str]) -> Column:
    place = F.lit(0)
    for index, offer_id in enumerate(ordered):
        place = F.when(F.col("offer_id") == offer_id, F.lit(index)).otherwise(place)
    return place


def _log_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        lines = canonical_lines(batch.select(list(DECISIONS.column_names)))
        leaves = pa.array([leaf_hash(line) for line in lines.to_pylist()], pa.string())
        columns = [batch["run_id"], batch["position"], lines, leaves]
        yield pa.RecordBatch.from_arrays(
            [column.cast(field.type) for column, field in zip(columns, LINES, strict=True)],
            schema=LINES,
        )


def _texts(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """JSON of each value. Equal values are written once: most columns have few."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_list(values.type):
        return _array_texts(values)
    if pa.types.is_struct(values.type):
        return _object_texts(values)
    encoded = values.dictionary_encode()
    known = pa.array([_json(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pc.fill_null(known.take(encoded.indices), "null")


def _objects(texts: Mapping[str, pa.Array]) -> pa.Array:
    """JSON objects, given the JSON of each field."""
    parts: list[Any] = []
    for name in sorted(texts):
        parts += [f"{',' if parts else '{'}{json.dumps(name)}:", texts[name]]
    return pc.binary_join_element_wise(*parts, "}", "")


def _object_texts(structs: pa.StructArray) -> pa.Array:
    names = [field.name for field in structs.type]
    texts = {name: _texts(field) for name, field in zip(names, structs.flatten(), strict=True)}
    return pc.if_else(structs.is_valid(), _objects(texts), "null")


def _array_texts(arrays: pa.ListArray) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(arrays), 0)
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    elements = pa.ListArray.from_arrays(offsets, _texts(arrays.flatten()))
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
