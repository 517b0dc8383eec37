"""Which counts of a table may be told: small ones are not, nor what would give them away."""

from __future__ import annotations

import numpy as np

from measurement.association import Bools, Ints


def told_groups(counts: Ints, least: int, known: Bools | None = None) -> Bools:
    """Of an attribute's groups those whose count may be told beside the total of all groups.

    A count above zero and below ``least`` is hidden. Where one is, so are the next smallest, until
    those hidden are not small together: then the total less the others tells none of them
    (complementary suppression; Hundepool et al., Statistical Disclosure Control, 2012). If that
    cannot be had, none is told.

    Args:
        counts: Clients of each group.
        least: The smallest count that is told.
        known: Groups about which anything may be told; None is all of them.
    """
    told = ~is_small(counts, least)
    if known is not None:
        told &= known
    # What is hidden in all is the total less what is told: a single small count, or two of them.
    while told.any() and 0 < int(counts[~told].sum()) < least:
        # That there is nobody protects nobody: it goes last.
        next_one = min(np.flatnonzero(told), key=lambda at: (not counts[at], counts[at]))
        told[next_one] = False
    return told


def is_small(counts: Ints, least: int) -> Bools:
    """Above zero and below ``least``."""
    return np.asarray((counts > 0) & (counts < least))
