"""A table's schema in Arrow terms, for everything that is read or written without an engine."""

from __future__ import annotations

import re

import pyarrow as pa

from tables.base import Table

# Between fields of a struct; those of a decimal are followed by a digit.
_OUTER_COMMA = re.compile(r",(?=[a-z])")
PRIMITIVES = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
}


def arrow_type(spark_type: str) -> pa.DataType:
    """The Arrow type that a Spark SQL type is stored as.

    Raises:
        ValueError: The type is not one that tables use.
    """
    if spark_type in PRIMITIVES:
        return PRIMITIVES[spark_type]
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", spark_type):
        return pa.decimal128(int(found.group(1)), int(found.group(2)))
    if found := re.fullmatch(r"array<(.+)>", spark_type):
        return pa.list_(arrow_type(found.group(1)))
    if found := re.fullmatch(r"struct<(.+)>", spark_type):
        fields = (field.split(":", 1) for field in _OUTER_COMMA.split(found.group(1)))
        return pa.struct([(name, arrow_type(inner)) for name, inner in fields])
    raise ValueError(f"tables have no columns of type {spark_type!r}")


def arrow_schema(table: Table) -> pa.Schema:
    """Columns of ``table`` in order; what must not be null is checked before a commit."""
    return pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
