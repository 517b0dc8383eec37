"""The rows of one delivered file in the types of its table, whatever its format."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from conf.errors import did_you_mean
from conf.notation import Notation
from extracts.deliveries import DeliveredFile
from extracts.text import csv_batches, header_of, with_reasons
from tables.arrow import arrow_schema, arrow_type
from tables.base import Table
from tables.sources import DELETION_MARK

log = logging.getLogger(__name__)

BATCH_ROWS = 1 << 17
MAY_BE_LEFT_OUT = [column.name for column in DELETION_MARK]


class BadFile(Exception):
    """A file cannot be taken; the message names the rule and the fix, never a client's value."""


def text_file_batches(
    file: DeliveredFile, table: Table, notation: Notation
) -> Iterator[pa.RecordBatch]:
    """Batches of a .csv or .csv.gz, as ``extracts.text.csv_batches`` makes them.

    Raises:
        BadFile: It is empty, or its columns are not the table's.
    """
    header = header_of(file.path, notation)
    if not header:
        raise BadFile(f"{file.label}: is empty, without even a header. Ask for the file again")
    _check_columns(file, table, header)
    return csv_batches(file.path, table, header, notation)


def parquet_batches(file: DeliveredFile, table: Table) -> Iterator[pa.RecordBatch]:
    """The same of a Parquet file.

    Raises:
        BadFile: Its columns or their types are not the table's.
    """
    with pq.ParquetFile(file.path) as parquet:
        present = parquet.schema_arrow
        _check_columns(file, table, present.names)
        _check_types(file, table, present)
        names = [name for name in table.column_names if name in present.names]
        for batch in parquet.iter_batches(BATCH_ROWS, columns=names):
            arrays = [
                _cast(batch.column(field.name), field.type)
                if field.name in names
                else pa.nulls(batch.num_rows, field.type)
                for field in arrow_schema(table)
            ]
            yield with_reasons(batch, table, arrays, [None] * len(arrays))


def _cast(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    # Anything finer than a microsecond is cut off: it decides nothing here.
    return values.cast(wanted, safe=not pa.types.is_timestamp(wanted))


def _check_columns(file: DeliveredFile, table: Table, present: Sequence[str]) -> None:
    """Compare by name: the order is free, a missing or repeated column is not."""
    repeated = sorted({name for name in present if list(present).count(name) > 1})
    missing = [name for name in table.column_names if name not in (*present, *MAY_BE_LEFT_OUT)]
    extra = [name for name in present if name not in table.column_names]
    problems = [f"column {name} stands twice" for name in repeated]
    problems += [f"lacks {name}{did_you_mean(name, extra)}" for name in missing]
    if problems:
        raise BadFile(
            f"{file.label}: {'; '.join(problems)} (has {', '.join(present)})."
            f" Deliver the columns of {table.name} under their names"
        )
    if extra:
        log.info("%s: columns not used: %s", file.label, ", ".join(extra))


def _check_types(file: DeliveredFile, table: Table, present: pa.Schema) -> None:
    problems = [
        f"{column.name} is {present.field(column.name).type}, not {column.type}"
        for column in table.columns
        if column.name in present.names
        and not _is_compatible(present.field(column.name).type, arrow_type(column.type))
    ]
    if problems:
        raise BadFile(
            f"{file.label}: {'; '.join(problems)}. Write the types of the contract:"
            " ids as text, money as decimal(18,2), times as timestamps"
        )


def _is_compatible(present: pa.DataType, wanted: pa.DataType) -> bool:
    """No value changes its meaning: integers may be narrower, decimals may have fewer places."""
    kind = pa.types
    if kind.is_dictionary(present):
        present = present.value_type
    if kind.is_string(wanted):
        return bool(kind.is_string(present) or kind.is_large_string(present))
    if kind.is_decimal(wanted):
        return bool(kind.is_decimal(present) and present.scale <= wanted.scale)
    if kind.is_integer(wanted):
        return bool(kind.is_signed_integer(present) and present.bit_width <= wanted.bit_width)
    if kind.is_timestamp(wanted):
        # Without a zone it is read as UTC, which the contract says it is.
        return bool(kind.is_timestamp(present))
    return bool(present == wanted)
