"""CSV files, read as text and cast strictly: another notation is a reason, never a guess."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from tables.arrow import arrow_type
from tables.base import Column, Table

BLOCK_BYTES = 8 << 20
# Arrow's cast also takes 1e3, .5, 0x1F or a time without seconds; the contract does not.
NOTATIONS = {
    "timestamp": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$",
    "boolean": r"^(true|false)$",
    "int": r"^-?\d+$",
    "bigint": r"^-?\d+$",
    "decimal": r"^[+-]?\d+(\.\d+)?$",
}


def header_of(path: Path, delimiter: str) -> list[str]:
    """The names in the first line; none if the file is empty."""
    with _open_text(path) as text:
        return next(csv.reader(text, delimiter=delimiter), [])


def csv_batches(
    path: Path, table: Table, header: list[str], delimiter: str
) -> Iterator[pa.RecordBatch]:
    """The table's columns in its types, then which could not be read and the row as it stood.

    Yields:
        Batches of the table's columns, ``unreadable`` (names of columns) and ``raw_row`` (JSON);
        the last two are null for a row that can be read.
    """
    reader = pa_csv.open_csv(
        path,
        pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            include_columns=list(table.column_names),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    with reader:
        for batch in reader:
            yield _typed(batch, table)


def cast_text(texts: pa.Array, type_name: str) -> tuple[pa.Array, pa.Array | None]:
    """Cast values in the contract's notation.

    Args:
        texts: What stood in the file; null where nothing did.
        type_name: A Spark SQL type.

    Returns:
        The values, null where one could not be read, and a mask of these; None if there are none.
    """
    wanted = arrow_type(type_name)
    if pa.types.is_string(wanted):
        return texts, None
    notation = NOTATIONS.get(type_name.partition("(")[0])
    is_noted = pc.match_substring_regex(texts, notation) if notation else None
    if is_noted is None or pc.all(is_noted).as_py() is not False:
        try:
            return texts.cast(wanted), None
        except pa.ArrowInvalid:
            pass
    values = _one_by_one(texts, wanted, re.compile(notation or ""))
    return values, pc.and_(values.is_null(), texts.is_valid())


def _one_by_one(texts: pa.Array, wanted: pa.DataType, notation: re.Pattern[str]) -> pa.Array:
    """The slow way, for a batch with a bad value; each distinct text is cast once."""
    encoded = texts.dictionary_encode()
    values = [
        _value(text, wanted) if notation.search(text) else None
        for text in encoded.dictionary.to_pylist()
    ]
    return pa.array(values, wanted).take(encoded.indices)


def _value(text: str, wanted: pa.DataType) -> object:
    try:
        return pa.array([text]).cast(wanted)[0].as_py()
    except pa.ArrowInvalid:
        return None


def _typed(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    arrays: list[pa.Array] = []
    masks: list[tuple[Column, pa.Array]] = []
    for column in table.columns:
        values, is_unreadable = cast_text(batch.column(column.name), column.type)
        arrays.append(values)
        if is_unreadable is not None:
            masks.append((column, is_unreadable))
    reasons = _reasons(batch, masks)
    return pa.record_batch([*arrays, *reasons], [*table.column_names, "unreadable", "raw_row"])


def _reasons(batch: pa.RecordBatch, masks: list[tuple[Column, pa.Array]]) -> list[pa.Array]:
    if not masks:
        return [pa.nulls(batch.num_rows, kind) for kind in (pa.list_(pa.string()), pa.string())]
    unreadable: list[list[str] | None] = [None] * batch.num_rows
    raw_rows: list[str | None] = [None] * batch.num_rows
    for column, mask in masks:
        for index in pc.indices_nonzero(mask).to_pylist():
            unreadable[index] = [*(unreadable[index] or []), column.name]
            raw_rows[index] = json.dumps(batch.slice(index, 1).to_pylist()[0], ensure_ascii=False)
    return [pa.array(unreadable, pa.list_(pa.string())), pa.array(raw_rows, pa.string())]


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
