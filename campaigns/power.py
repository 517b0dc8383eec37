"""Which uplift a campaign's control group will be able to show, told before the launch.

Later the share of buyers among those who were offered something is held against the control's, by
the test for two proportions with pooled variance, two-sided at 5 %. An uplift is detectable if that
test finds it four times out of five. Purchases are rare and controls small, so that chances are not
approximated but added up over all numbers of buyers that may come out (Suissa and Shuster, Exact
Unconditional Sample Sizes for the 2 x 2 Binomial Trial, J. R. Statist. Soc. A 148, 1985).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

SIGNIFICANT = 1.959963984540054  # two-sided at 5 %
POWER = 0.8
NOTICEABLE = 0.5  # an effect of half of what clients do anyway should be found
NEGLIGIBLE = 1e-12  # of all chances, left out at each end
PRECISION = 1e-6
MOST_CONTROL = 0.5


@dataclass(frozen=True)
class Design:
    """A comparison that is still to be made.

    Attributes:
        offered: Clients who are offered something.
        control: Clients who made the cut and are withheld.
        base_rate: Share that buys without an offer.
    """

    offered: int
    control: int
    base_rate: float

    @cached_property
    def detectable(self) -> float | None:
        """The smallest uplift that is found four times out of five; None if there is none."""
        if not self.can_show(1 - self.base_rate):
            return None
        low, high = 0.0, 1 - self.base_rate
        while high - low > PRECISION:
            middle = (low + high) / 2
            low, high = (low, middle) if self.can_show(middle) else (middle, high)
        return high

    @property
    def is_underpowered(self) -> bool:
        """Even an uplift of half of what clients do anyway would often be missed."""
        return self.detectable is None or self.detectable > NOTICEABLE * self.base_rate

    def can_show(self, uplift: float) -> bool:
        """An uplift is found four times out of five."""
        return self.power(uplift) >= POWER

    def power(self, uplift: float) -> float:
        """The chance that the test finds an uplift."""
        if not self.offered or not self.control:
            return 0.0
        buyers, needed = self._needed
        chance = binom.pmf(buyers, self.control, self.base_rate)
        is_found = binom.sf(needed - 1, self.offered, min(1.0, self.base_rate + uplift))
        return float((chance * is_found).sum())

    def control_needed(self) -> float | None:
        """The share of these clients that would have to be control to notice what should be.

        None if even half of them would not do.
        """
        clients = self.offered + self.control
        low, high = 0, int(clients * MOST_CONTROL)
        wanted = NOTICEABLE * self.base_rate
        if not Design(clients - high, high, self.base_rate).can_show(wanted):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            found = Design(clients - middle, middle, self.base_rate).can_show(wanted)
            low, high = (low, middle) if found else (middle, high)
        return high / clients

    @cached_property
    def _needed(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of buyers in the control, and to each how many of the offered are significant."""
        ends = binom.ppf([NEGLIGIBLE, 1 - NEGLIGIBLE], self.control, self.base_rate)
        buyers = np.arange(max(0, int(ends[0])), int(ends[1]) + 1, dtype=np.int64)
        low = -np.ones_like(buyers) + buyers * self.offered // self.control
        high = np.full_like(buyers, self.offered + 1)
        while (high - low > 1).any():
            middle = (low + high) // 2
            found = self._is_significant(middle, buyers)
            low, high = np.where(found, low, middle), np.where(found, middle, high)
        return buyers, high

    def _is_significant(
        self, bought: NDArray[np.int64], of_control: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """More of the offered bought than chance allows; the more the surer."""
        pooled = (bought + of_control) / (self.offered + self.control)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / self.offered + 1 / self.control))
        difference = bought / self.offered - of_control / self.control
        found: NDArray[np.bool_] = (difference > 0) & (difference >= SIGNIFICANT * spread)
        return found


def in_words(design: Design) -> str:
    """What the control can show, and what it would take to show more."""
    sizes = f"with {design.offered:,} offered and {design.control:,} control"
    base, found = design.base_rate, design.detectable
    if not design.offered or not design.control or not base:
        return f"no uplift can be seen {sizes}"
    if found is None:
        return f"underpowered: no uplift can be seen {sizes}; {_remedy(design)}"
    seen = (
        f"{100 * found:.2g} points, {100 * found / base:.0f} % of the {100 * base:.2f} % expected"
        " to buy anyway"
    )
    if not design.is_underpowered:
        return f"an uplift from {seen}, can be seen {sizes}"
    return f"underpowered: an uplift of less than {seen}, cannot be seen {sizes}; {_remedy(design)}"


def _remedy(design: Design) -> str:
    wanted = f"{100 * NOTICEABLE * design.base_rate:.2g} points"
    share = design.control_needed()
    if share is None:
        return f"no control of so few clients would do for {wanted}"
    return f"a control of {100 * share:.0f} % of these clients would be needed for {wanted}"
