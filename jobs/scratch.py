"""Frames that several plans read, written once: no engine-wide cache is relied on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def kept(rows: DataFrame, path: Path) -> DataFrame:
    """Write a frame, and read it back."""
    rows.write.parquet(str(path))
    return read_kept(rows, path)


def read_kept(rows: DataFrame, path: Path) -> DataFrame:
    """What was written of ``rows``, or of a part of them, below ``path``; it may be nothing."""
    from pyspark.sql.types import StructField, StructType

    # Whatever an engine finds out about nulls, frames of different origin have one schema.
    schema = StructType([StructField(field.name, field.dataType) for field in rows.schema])
    spark, files = rows.sparkSession, sorted(map(str, path.glob("*.parquet")))
    if not files:
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(*files)
