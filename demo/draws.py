"""Randomness as a hash of (seed, purpose, month, number of the customer).

There is no stream that one draw advances for the next: customer *i*'s history depends on the seed
and on *i*, never on how many customers there are, on the order of work or on the number of
processes. The hash is splitmix64 (Steele, Lea and Flood 2014) over a key that BLAKE2 makes of seed,
purpose and month.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]

ALWAYS = -1_000  # month of a draw that holds for life
NORMAL_BITS = 14
POISSON_MOST = 10
STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST_MIX = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MIX = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """All randomness of a bank."""

    seed: int

    def words(self, purpose: str, month: int, ids: Ints) -> Words:
        """64 random bits per id."""
        key = f"{self.seed}/{purpose}/{month}".encode()
        start = np.uint64(int.from_bytes(blake2b(key, digest_size=8).digest(), "little"))
        mixed = ids.astype(np.uint64) * STEP + start
        mixed ^= mixed >> np.uint64(30)
        mixed *= FIRST_MIX
        mixed ^= mixed >> np.uint64(27)
        mixed *= SECOND_MIX
        mixed ^= mixed >> np.uint64(31)
        return mixed

    def uniform(self, purpose: str, month: int, ids: Ints) -> Floats:
        """Uniform in [0, 1)."""
        return (self.words(purpose, month, ids) >> np.uint64(11)) * 2.0**-53

    def always(self, purpose: str, ids: Ints) -> Floats:
        """Uniform in [0, 1), for life."""
        return self.uniform(purpose, ALWAYS, ids)

    def chance(self, purpose: str, month: int, ids: Ints, share: Floats | float) -> Bools:
        """True with probability ``share``."""
        return self.uniform(purpose, month, ids) < share

    def integer(self, purpose: str, month: int, ids: Ints, below: Ints | int) -> Ints:
        """Uniform in 0 … ``below`` - 1."""
        return (self.uniform(purpose, month, ids) * below).astype(np.int64)

    def normal(self, purpose: str, month: int, ids: Ints) -> Floats:
        """Standard normal."""
        return normal_bits(self.words(purpose, month, ids), 0)

    def poisson(self, purpose: str, month: int, ids: Ints, rate: Floats) -> Ints:
        """Poisson counts, cut at ``POISSON_MOST``."""
        drawn = self.uniform(purpose, month, ids)
        share = np.exp(-rate)
        reached = share.copy()
        counts = np.zeros(len(ids), dtype=np.int64)
        for count in range(1, POISSON_MOST + 1):
            is_more = drawn > reached
            if not is_more.any():
                break
            counts += is_more
            share = share * rate / count
            reached += share
        return counts


def share_bits(words: Words, shift: int) -> Floats:
    """Sixteen bits of each word as a uniform in [0, 1)."""
    return ((words >> np.uint64(shift)) & np.uint64(0xFFFF)) * 2.0**-16


def normal_bits(words: Words, shift: int) -> Floats:
    """Fourteen bits of each word as a standard normal."""
    index = (words >> np.uint64(shift)) & np.uint64((1 << NORMAL_BITS) - 1)
    return _normal_table()[index.astype(np.int64)]


@cache
def _normal_table() -> Floats:
    """Quantiles of the standard normal at the middles of 2^14 equal shares."""
    size = 1 << NORMAL_BITS
    inverse = NormalDist().inv_cdf
    return np.array([inverse((place + 0.5) / size) for place in range(size)])
