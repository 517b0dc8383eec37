"""Whether chance alone decided who was withheld: else it shows nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

from measurement.association import Floats, Ints

# Chance alone goes further in one campaign out of 16,000 (four standard deviations).
UNLIKELY = float(2 * norm.sf(4.0))


@dataclass(frozen=True)
class Draw:
    """How one campaign's control was drawn.

    Attributes:
        clients: Who made the cut.
        control: Of them withheld.
        share: Chance of being withheld, as configured; NaN if it is not known.
        chance: How often chance withholds a number so far from it.
        balance: Standard errors between the arms in what was expected of them before.
    """

    clients: int
    control: int
    share: float
    chance: float
    balance: float

    @property
    def is_by_chance(self) -> bool:
        """Neither the number withheld nor who they are speaks against a draw."""
        return not (self.chance < UNLIKELY or abs(self.balance) > norm.isf(UNLIKELY / 2))


def share_chance(control: Ints, clients: Ints, share: Floats | float) -> Floats:
    """How often chance withholds a number so far from its share, both sides (exact, binomial)."""
    below = binom.cdf(control, clients, share)
    above = binom.sf(control - 1, clients, share)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


def balance(clients: Ints, before: Ints, before_squared: Ints) -> float:
    """Standard errors (Welch) between the arms' means of what was known before.

    Args:
        clients: Of both arms.
        before: Sums of it.
        before_squared: Sums of its squares.
    """
    if clients.min() < 2:  # noqa: PLR2004 -- one client has no deviation
        return 0.0
    mean = before / clients
    variance = (before_squared - mean * before) / (clients - 1) / clients
    error = float(np.sqrt(variance.sum()))
    return float(mean[1] - mean[0]) / error if error > 0 else 0.0
