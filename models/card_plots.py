"""The scales of a model card's plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Content = dict[str, Any]
LIFT_TICKS = (0, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)
SHARE_TICKS = (0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3,
               0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)  # fmt: skip
LEAST_APART = 0.12  # of an axis
HEADROOM = 1.05


def plot_scales(deciles: Sequence[Content]) -> Content | None:
    """How far the axes reach and where they are marked; None where nobody bought.

    Args:
        deciles: As ``models.card.decile_rows`` gives them.
    """
    if not deciles or deciles[0]["lift"] is None:
        return None
    lift = HEADROOM * max(one["lift"][2] for one in deciles)
    share = HEADROOM * max(max(one["observed"][2], one["predicted"]) for one in deciles)
    return {
        "lift": {"most": lift, "ticks": _apart(LIFT_TICKS, lift, power=1.0)},
        "reliability": {"most": share, "ticks": _apart(SHARE_TICKS, share, power=0.5)},
    }


def _apart(ticks: Sequence[float], most: float, power: float) -> list[float]:
    """Ticks that do not crowd each other on an axis from 0 to ``most``."""
    kept: list[float] = []
    for tick in ticks:
        at = (tick / most) ** power
        if at <= 1 and (not kept or at - (kept[-1] / most) ** power >= LEAST_APART):
            kept.append(tick)
    return kept
