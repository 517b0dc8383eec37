"""Which products are the core of what clients hold, and which lie around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Position:
    """Where a product lies.

    Attributes:
        holders: How many clients hold it.
        coreness: Of the holders of another product, the share who had this one in an earlier month
            and hold it still; the mean over all other products.
        is_core: It belongs to the core.
    """

    product: str
    holders: int
    coreness: float
    is_core: bool


@dataclass(frozen=True)
class Map:
    """All products, the core first.

    Attributes:
        fit: Correlation of the shares with a pattern in which holders of anything have had each
            product of the core first, and no other (Borgatti and Everett, Models of Core/Periphery
            Structures, Social Networks 21, 1999). Of all cuts the best one is taken.
    """

    positions: tuple[Position, ...]
    fit: float


def core_periphery(products: Sequence[str], holders: Ints, first: Ints, least: int) -> Map:
    """Place products that enough clients hold.

    Args:
        products: All of them.
        holders: Of each.
        first: As ``had_first`` gives it.
        least: Products with fewer holders are left out.
    """
    kept = np.flatnonzero(holders >= least).tolist()
    shares = first[np.ix_(kept, kept)] / np.maximum(holders[kept], 1)
    others = max(len(kept) - 1, 1)
    coreness = (shares.sum(axis=1) - np.diag(shares)) / others
    order = sorted(range(len(kept)), key=lambda at: (-coreness[at], products[kept[at]]))
    cut, fit = _best_cut(shares[np.ix_(order, order)])
    positions = (
        Position(products[kept[at]], int(holders[kept[at]]), float(coreness[at]), rank < cut)
        for rank, at in enumerate(order)
    )
    return Map(tuple(positions), fit)


def _best_cut(shares: Floats) -> tuple[int, float]:
    """How many products are core, the most coreness first, and how well that describes all."""
    size = len(shares)
    apart = ~np.eye(size, dtype=np.bool_)
    best = (0, 0.0)
    for cut in range(1, size):
        pattern = np.zeros((size, size))
        pattern[:cut] = 1
        if shares[apart].std() and pattern[apart].std():
            fit = float(np.corrcoef(shares[apart], pattern[apart])[0, 1])
            best = max(best, (cut, fit), key=lambda one: one[1])
    return best
