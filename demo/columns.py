"""Arrow columns made straight from numpy arrays, without a Python object per value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.draws import Bools, Ints
from demo.months import NEVER

ZERO = ord("0")
MONEY = pa.decimal128(18, 2)
INSTANT = pa.timestamp("us", tz="UTC")


def texts(prefix: str, *parts: tuple[Ints, int]) -> pa.Array:
    """Identifiers of one length: the prefix, then each number with its width in digits."""
    count = len(parts[0][0])
    width = len(prefix) + sum(digits for _, digits in parts)
    letters = np.empty((count, width), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    end = len(prefix)
    for numbers, digits in parts:
        end += digits
        rest = numbers.astype(np.uint32)
        for place in range(end - 1, end - digits - 1, -1):
            rest, digit = np.divmod(rest, np.uint32(10))
            letters[:, place] = digit + ZERO
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))


def coded(codes: NDArray[Any], names: pa.Array | Sequence[str]) -> pa.Array:
    """Names by code; a negative code is null."""
    values = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, values)


def dates(days: Ints) -> pa.Array:
    """Days as dates; NEVER is null."""
    return pa.array(days.astype(np.int32), pa.date32(), mask=days >= NEVER)


def instants(microseconds: Ints) -> pa.Array:
    """Microseconds since 1970 as timestamps in UTC."""
    return pa.array(microseconds, INSTANT)


def money(cents: Ints, is_null: Bools | None = None) -> pa.Array:
    """Cents as decimal(18,2)."""
    words = np.empty((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    words[:, 1] = cents >> 63  # the sign fills the upper half
    valid = None
    if is_null is not None:
        valid = pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(MONEY, len(cents), [valid, pa.py_buffer(words)])


def booleans(values: NDArray[Any]) -> pa.Array:
    """Truth values."""
    return pa.array(values.astype(np.bool_))
