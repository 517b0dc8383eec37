"""Two things that clients have or have not: how much more often together than by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, inf, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, hypergeom, poisson

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TAIL = 0.025  # on each side of a 95 % interval
DEVIATIONS = NormalDist().inv_cdf(1 - TAIL)


class Estimate(NamedTuple):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Table:
    """Clients by what they have, one entry per stratum.

    Attributes:
        clients: All of the stratum.
        first: Who have the one.
        second: Who have the other.
        both: Who have both.
    """

    clients: Ints
    first: Ints
    second: Ints
    both: Ints

    @classmethod
    def counted(cls, first: Bools, second: Bools, clients: Ints, stratum: Ints) -> Table:
        """Count rows that each stand for some clients."""
        _, place = np.unique(stratum, return_inverse=True)

        def count(rows: Bools | None = None) -> Ints:
            weight = clients if rows is None else np.where(rows, clients, 0)
            # counts below 2^53 are exact in the doubles that bincount adds
            return np.bincount(place, weights=weight).astype(np.int64)

        return cls(count(), count(first), count(second), count(first & second))

    @property
    def expected(self) -> Floats:
        """Who would have both if one said nothing about the other within a stratum."""
        return np.asarray(self.first * (self.second / self.clients))


def lift(table: Table) -> Estimate:
    """Clients with both ÷ those expected, and a 95 % interval.

    The interval is that of the logarithm (delta method): its variance is the sum of squares of what
    each client adds to the logarithm, with shares within strata estimated as well. With one
    stratum that is ``(1/p12 - 1/p1 - 1/p2 + 2 x lift - 1) / n``.
    """
    both, expected = float(table.both.sum()), float(table.expected.sum())
    if not both or not expected:
        return Estimate(0.0, 0.0, inf)
    one, other = table.first / table.clients, table.second / table.clients
    cells = (
        (table.both, 1 / both, one + other - one * other),
        (table.first - table.both, 0.0, other - one * other),
        (table.second - table.both, 0.0, one - one * other),
        (table.clients - table.first - table.second + table.both, 0.0, -one * other),
    )
    variance = sum(
        float(count @ (observed - share / expected) ** 2) for count, observed, share in cells
    )
    reach = exp(DEVIATIONS * sqrt(variance))
    value = both / expected
    return Estimate(value, value / reach, value * reach)


def exact_p_value(table: Table) -> float:
    """That so many or more have both by chance alone: Fisher's exact test, one-sided.

    Strata are not told apart.
    """
    counts = (table.both, table.clients, table.first, table.second)
    both, clients, first, second = (int(count.sum()) for count in counts)
    return float(hypergeom.sf(both - 1, clients, first, second))


def stratified_p_value(table: Table) -> float:
    """The same within strata, one-sided (Mantel and Haenszel, JNCI 22, 1959; normal, corrected)."""
    clients = table.clients
    spread = table.first * (clients - table.first) / clients
    spread = spread * (table.second * (clients - table.second) / clients)
    variance = float((spread / np.maximum(clients - 1, 1)).sum())
    if not variance:
        return 1.0
    excess = float(table.both.sum() - table.expected.sum())
    return erfc((excess - 0.5) / sqrt(2 * variance)) / 2


def rate_ratio(observed: int, expected: float) -> Estimate:
    """Events ÷ those expected, with the exact Poisson interval (Garwood, Biometrika 28, 1936)."""
    if not expected:
        return Estimate(0.0, 0.0, inf)
    low = chi2.ppf(TAIL, 2 * observed) / 2 if observed else 0.0
    high = chi2.isf(TAIL, 2 * (observed + 1)) / 2
    return Estimate(observed / expected, float(low) / expected, float(high) / expected)


def rate_p_value(observed: int, expected: float) -> float:
    """That so many events or more happen by chance alone (Poisson)."""
    return float(poisson.sf(observed - 1, expected)) if observed else 1.0


def adjusted(p_values: Sequence[float], tests: int) -> list[float]:
    """Each p-value's q-value (Benjamini and Hochberg, JRSS B 57, 1995).

    Args:
        p_values: Of tests that came to something.
        tests: How many there were; the others count as if they had shown nothing.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, least = [1.0] * len(p_values), 1.0
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        least = min(least, p_values[place] * tests / rank)
        found[place] = least
    return found
