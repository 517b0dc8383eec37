"""Rows that only grow: accounts, holdings, flags and consents of a chunk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from demo.draws import Ints

SOME = 1024


class GrowingRows:
    """Named integer columns of equal length; rows are appended, and single cells change later."""

    def __init__(self, *names: str) -> None:
        self._columns = {name: np.empty(SOME, dtype=np.int64) for name in names}
        self.size = 0

    def __getitem__(self, name: str) -> Ints:
        """The column, as a view that may be assigned to."""
        return self._columns[name][: self.size]

    def append(self, values: Mapping[str, Ints | int]) -> Ints:
        """Add rows; a single value stands for all of them. Returns their places."""
        count = max(len(value) for value in values.values() if isinstance(value, np.ndarray))
        self._reserve(self.size + count)
        places = np.arange(self.size, self.size + count)
        for name, column in self._columns.items():
            column[self.size : self.size + count] = values[name]
        self.size += count
        return places

    def _reserve(self, size: int) -> None:
        for name, column in self._columns.items():
            if size > len(column):
                larger = np.empty(max(size, 2 * len(column)), dtype=np.int64)
                larger[: self.size] = column[: self.size]
                self._columns[name] = larger
