"""How often chance alone gives a unit so many of something, with strata of their own rates."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from measurement.association import Floats, Ints


def exact_excess(count: int, of: Ints, all_count: Ints, all_of: Ints) -> float:
    """That the unit has so many or more if it is like the others within each stratum.

    Exact and one-sided: given how many all units have in a stratum, those of one unit are a
    hypergeometric draw (Fisher); strata are independent, so that the sum's distribution is that of
    their convolution.

    Args:
        count: Of the unit, all strata together.
        of: Cases of the unit, by stratum.
        all_count: Of all units, the unit included, likewise.
        all_of: Their cases.
    """
    # Where all have it or none, the unit has as many as it has cases, or none: no chance in it.
    sure = int(of[all_count == all_of].sum())
    distribution = np.ones(1)
    for place in np.flatnonzero((of > 0) & (all_count > 0) & (all_count < all_of)):
        low, chances = _hypergeometric(int(of[place]), int(all_count[place]), int(all_of[place]))
        sure += low
        distribution = np.convolve(distribution, chances)
    needed = count - sure
    return 1.0 if needed <= 0 else min(1.0, float(distribution[needed:].sum()))


def expected_like_others(own: Ints, of: Ints, all_count: Ints, all_of: Ints) -> float:
    """How many the unit would have at the others' rates; its own where there are no others."""
    others = all_of - of
    rates = (all_count - own) / np.maximum(others, 1)
    return float(np.where(others > 0, of * rates, own).sum())


# Units have few cases in a stratum, so that the same draws come up again and again.
@lru_cache(maxsize=50_000)
def _hypergeometric(of: int, all_count: int, all_of: int) -> tuple[int, Floats]:
    """The least that can be drawn, and the chance of it and of each greater number."""
    low, high = max(0, of + all_count - all_of), min(of, all_count)
    drawn = np.arange(low, high + 1)
    logarithm = (
        _log_ways(all_count, drawn)
        + _log_ways(all_of - all_count, of - drawn)
        - _log_ways(all_of, np.int64(of))
    )
    return low, np.exp(logarithm)


def _log_ways(of: int, drawn: Ints | np.int64) -> Floats:
    return np.asarray(gammaln(of + 1) - gammaln(drawn + 1) - gammaln(of - drawn + 1))
