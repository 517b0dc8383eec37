"""Every decision as one canonical JSON line under a pseudonym, with its Merkle leaf hash."""

from __future__ import annotations

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

from tables.arrow import arrow_schema
from tables.derived import DECISIONS, OFFER_LOG
from tables.leaves import leaf_hash, salt

CLIENT, SECRET = "client", "secret"
LINES_TOGETHER = 2**16  # that follow each other in one partition, hence in one file
# Who the client is and lives with is told by the vault and by decisions, never by the log.
NAMED_ELSEWHERE = ("customer_id", "household_id")
IN_LINE = (CLIENT, *(name for name in DECISIONS.column_names if name not in NAMED_ELSEWHERE))
LOGGED = pa.schema(
    [
        (name, pa.string()) if name in (CLIENT, SECRET) else arrow_schema(DECISIONS).field(name)
        for name in (*IN_LINE, SECRET)
    ]
)


def offer_log(placed: DataFrame, partitions: int) -> DataFrame:
    """Lines of the log; each partition is in order, so that files can be read in that of the log.

    Args:
        placed: As ``with_position`` gives it, or some of that.
        partitions: In how many it is worked on.

    Returns:
        Shaped ``OFFER_LOG``.
    """
    lines = placed.drop(*NAMED_ELSEWHERE).mapInArrow(_log_batches, OFFER_LOG.ddl)
    place = F.floor(F.col("position") / F.lit(LINES_TOGETHER))
    # Last: an engine may forget an order that was made before lines were.
    return lines.repartition(partitions, place).sortWithinPartitions("position")


def with_position(decisions: DataFrame, vault: DataFrame, offer_ids: Iterable[str]) -> DataFrame:
    """Add each decision's pseudonym, secret and place in the log.

    Every customer has the same offers, so only customers are numbered across all partitions. The
    order is that of pseudonyms and offers: a place tells nothing about the customer.

    Args:
        decisions: Shaped ``DECISIONS``, one row per customer and offer.
        vault: Shaped ``VAULT``, a row of each of these customers.
        offer_ids: Every offer; each customer has a decision about each.
    """
    ordered = sorted(offer_ids)
    # One partition on purpose, of one short row per customer; said so that no engine warns of it.
    in_order = Window.partitionBy(F.lit(0)).orderBy(CLIENT)
    number = F.row_number().over(in_order).cast("bigint") - F.lit(1)
    decided = decisions.where(F.col("offer_id") == ordered[0]).select("customer_id")
    # The right key is unique: a customer has one row in the vault.
    clients = decided.join(vault, "customer_id", how="inner").select(
        "customer_id", CLIENT, SECRET, number.alias("client_number")
    )
    position = F.col("client_number") * len(ordered) + _place(ordered)
    # The right key is unique: one decision per customer is about the first offer.
    return decisions.join(clients, "customer_id", how="inner").select(
        *DECISIONS.column_names, CLIENT, SECRET, position.alias("position")
    )


def entries(decided: pa.Table | pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    """The line of each decision, and its leaf.

    Args:
        decided: With the columns of ``LOGGED``.
    """
    logged = decided.select(LOGGED.names).cast(LOGGED)
    lines = canonical_lines(logged.select(list(IN_LINE)))
    told = zip(*(logged[name].to_pylist() for name in (SECRET, "run_id", "offer_id")), strict=True)
    leaves = [
        leaf_hash(line, salt(*whose)) for line, whose in zip(lines.to_pylist(), told, strict=True)
    ]
    return lines, pa.array(leaves, pa.string())


def canonical_lines(decisions: pa.Table | pa.RecordBatch) -> pa.Array:
    """Each row as JSON: sorted keys, no spaces, UTF-8 in NFC, every column named.

    Decimals are texts with all their digits, doubles the shortest text that reads back as the same
    double, dates and instants (UTC) ISO texts.
    """
    names = decisions.schema.names
    return _objects({name: _texts(decisions.column(name)) for name in names})


def _place(ordered: list[str]) -> Column:
    place = F.lit(0)
    for index, offer_id in enumerate(ordered):
        place = F.when(F.col("offer_id") == offer_id, F.lit(index)).otherwise(place)
    return place


def _log_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(OFFER_LOG)
    for batch in batches:
        lines, leaves = entries(batch)
        made = {"line": lines, "leaf": leaves}
        columns = [made[name] if name in made else batch[name] for name in schema.names]
        yield pa.RecordBatch.from_arrays(
            [column.cast(field.type) for column, field in zip(columns, schema, strict=True)],
            schema=schema,
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
