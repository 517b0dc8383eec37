"""How likely a lever costs more than its budget, which is kept as expected.

How many accept is a sum of chances that differ (Poisson's binomial distribution); it is not
approximated but convolved, half of the offers with the other half. Clients are taken to decide
independently of each other, and as often as predicted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from conf.way_settings import Lever

COLUMNS = ("lever_code", "acceptance")
SURE = 0.95
SHOWN = 6  # decimals of a chance; sums of fractions differ in their last bits between machines
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeverCost:
    """What a lever comes to.

    Attributes:
        name: Its code.
        offers: That it goes with.
        expected: What it is expected to cost.
        budget: What it may cost.
        over: The chance that it costs more than that.
        enough: The least budget that is kept 19 times out of 20.
    """

    name: str
    offers: int
    expected: float
    budget: float
    over: float
    enough: float


def lever_costs(offered: pa.Table, levers: Mapping[str, Lever]) -> list[LeverCost]:
    """Of each lever with a budget that goes with some offer, by its code.

    Args:
        offered: Decisions on a list, with ``COLUMNS``.
        levers: As configured.
    """
    found = []
    for code, lever in sorted(levers.items()):
        accepted = offered.filter(pc.equal(offered["lever_code"], code))["acceptance"]
        if lever.budget is not None and len(accepted):
            # The last bits of a sum depend on its order.
            chances = np.sort(accepted.to_numpy())
            found.append(_cost(code, lever.cost, lever.budget, _paid(chances, lever)))
    return found


def how_many(chances: Floats) -> Floats:
    """The chance of each number of successes from 0 on; every try has a chance of its own."""
    parts = np.stack([1 - chances, chances], axis=1)
    while len(parts) > 1:
        if len(parts) % 2:
            nothing = np.eye(1, parts.shape[1])  # none, for sure
            parts = np.concatenate([parts, nothing])
        parts = fftconvolve(parts[::2], parts[1::2], axes=1)
    return np.asarray(np.clip(parts[0], 0, 1)[: len(chances) + 1])


def in_words(cost: LeverCost) -> str:
    """What is expected, how likely it is to be more, and what would nearly always do."""
    told = f"lever {cost.name} costs {cost.expected:,.2f} as expected of its {cost.budget:,.2f}"
    if not cost.over:
        return f"{told}, and never more than that"
    chance = f"{100 * cost.over:.1f}" if cost.over >= 1 / 1000 else "less than 0.1"
    told += f"; the chance is {chance} % that it costs more"
    if cost.enough <= cost.budget:
        return told
    return f"{told}; {cost.enough:,.2f} would do 19 times out of 20"


def _paid(chances: Floats, lever: Lever) -> Floats:
    """What is offered at a cost is paid whatever comes of it."""
    return chances if lever.cost_when == "accepted" else np.ones_like(chances)


def _cost(code: str, cost: Decimal, budget: Decimal, chances: Floats) -> LeverCost:
    at_most = np.cumsum(how_many(chances))
    room = min(int(budget // cost), len(chances)) if cost else len(chances)
    over = 0.0 if room == len(chances) else float(max(0.0, 1 - at_most[room]))
    enough = int(np.searchsorted(at_most, SURE - 10.0**-SHOWN))
    return LeverCost(
        code,
        len(chances),
        round(float(chances.sum()) * float(cost), 2),
        float(budget),
        round(over, SHOWN),
        float(enough * cost),
    )
