"""Columns of stored files, for what need not hold a whole table in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class StoredColumns:
    """Columns as they were stored, read one at a time; all have their rows in the same order."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._files = [pq.ParquetFile(path) for path in paths]
        self.rows: int = sum(file.metadata.num_rows for file in self._files)

    @cached_property
    def names(self) -> frozenset[str]:
        """What there is; the table may have been declared otherwise then."""
        names = [frozenset(file.schema_arrow.names) for file in self._files]
        return frozenset.intersection(*names) if names else frozenset()

    def column(self, name: str) -> pa.ChunkedArray:
        """The values of one column."""
        parts = [file.read([name])[name] for file in self._files]
        return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)

    def encoded(self, name: str) -> pa.DictionaryArray:
        """The texts of one column, each different one kept once, as most of it is stored."""
        files = [pq.ParquetFile(path, read_dictionary=[name]) for path in self._paths]
        parts = [file.read([name])[name] for file in files]
        chunks = [chunk for part in parts for chunk in part.chunks]
        return pa.chunked_array(chunks, parts[0].type).unify_dictionaries().combine_chunks()
