"""Frames that several plans read, written once: no engine-wide cache is relied on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


def kept(rows: DataFrame, path: Path, ddl: str | None = None) -> DataFrame:
    """Write a frame, and read it back.

    Args:
        rows: The frame.
        path: A new folder.
        ddl: Its columns where they are known: of a wide frame they take long to find out.
    """
    rows.write.parquet(str(path))
    return read_kept(rows, path, ddl)


def read_kept(rows: DataFrame, path: Path, ddl: str | None = None) -> DataFrame:
    """What was written of ``rows``, or of a part of them, below ``path``; it may be nothing."""
    schema, spark = ddl or _columns(rows), rows.sparkSession
    files = sorted(map(str, path.glob("*.parquet")))
    if not files:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(*files)


def _columns(rows: DataFrame) -> StructType:
    """Whatever an engine finds out about nulls, frames of different origin have one schema."""
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(field.name, field.dataType) for field in rows.schema])
