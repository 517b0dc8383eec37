"""Where marks of a measurement's plots lie, in percent of a plot's width or in its own pixels.

Plots have no width of their own: they fill what a screen or a page has; letters keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10, sqrt
from statistics import median
from typing import Any

from jobs.measurement.pages.words import PERCENT, short

Content = dict[str, Any]
Ends = tuple[float, float, float]  # value, lower end, upper end
PAD = 3.0  # percent left free at either side
STEPS = 4  # of an axis, at most
EDGE = 12.0  # nearer to a side, a label of the axis is set beside its place
WIDER = 2.5  # times the usual interval beyond the values: what is longer is cut off
HIGH = 150  # pixels of a plot with upright intervals
ROOM = 12  # pixels above and below them
SIDE = 128  # pixels of a reliability diagram
LEFT, FOOT = 34, 28  # pixels beside and below it


@dataclass(frozen=True)
class Scale:
    """An axis.

    Attributes:
        low: Its lower end.
        high: Its upper end.
    """

    low: float
    high: float

    @classmethod
    def of(cls, found: Sequence[Ends], even: float = 0.0) -> Scale:
        """All values with most of their intervals; the longest may be cut off.

        Args:
            found: Values with their intervals.
            even: Where nothing is different: it is on the axis.
        """
        if not found:
            return cls(even, even + 1.0)
        usual = median(high - low for _, low, high in found) / 2
        lowest = min(value for value, _, _ in found) - WIDER * usual
        highest = max(value for value, _, _ in found) + WIDER * usual
        low = min(even, max(lowest, min(end for _, end, _ in found)))
        high = max(even, min(highest, max(end for _, _, end in found)))
        return cls(low, high if high > low else low + 1.0)

    def at(self, value: float) -> float:
        """Percent of the width, within the axis."""
        share = (value - self.low) / (self.high - self.low)
        return round(PAD + (100 - 2 * PAD) * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        """A few round numbers, zero among them."""
        step = _round_step((self.high - self.low) / STEPS)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]

    def axis(self) -> list[Content]:
        """Ticks with their labels; near a side, beside their place instead of below it."""
        return [
            {"at": self.at(tick), "text": short(tick), "anchor": _anchor(self.at(tick))}
            for tick in self.ticks()
        ]


def _round_step(least: float, steps: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The next of the steps, times a power of ten, that is not smaller."""
    size = 10.0 ** floor(log10(least))
    return size * next(one for one in steps if one * size >= least * (1 - 1e-9))


def _anchor(at: float) -> str:
    if at < EDGE:
        return "start"
    return "end" if at > 100 - EDGE else "middle"


def mark(ends: Ends, scale: Scale, *, is_sure: bool) -> Content:
    """A point with its interval on an axis."""
    value, low, high = ends
    return {
        "x": scale.at(value),
        "low": scale.at(low),
        "high": scale.at(high),
        "is_cut_low": low < scale.low,
        "is_cut_high": high > scale.high,
        "is_sure": is_sure,
    }


def is_drawn(ends: Sequence[float | None]) -> bool:
    """All of it are numbers."""
    return all(end is not None and isfinite(end) for end in ends)


def stacked(values: Sequence[float], most: float) -> list[Content]:
    """Parts of a bar, one after the other, in percent of its width."""
    found, start = [], 0.0
    for value in values:
        wide = 100 * value / most if most > 0 else 0.0
        found.append({"x": round(start, 2), "wide": round(wide, 2)})
        start += wide
    return found


@dataclass(frozen=True)
class Upright:
    """A point with an upright interval.

    Attributes:
        label: Below it; may be nothing.
        ends: Value and interval.
        is_sure: Filled.
        title: What it says.
    """

    label: str
    ends: Ends
    is_sure: bool
    title: str


def uprights(points: Sequence[Upright], unit: str, *, is_joined: bool = False) -> Content:
    """Points beside each other with upright intervals.

    Args:
        points: From left to right.
        unit: Behind the numbers of the axis.
        is_joined: A line leads from each to the next.
    """
    scale = Scale.of([one.ends for one in points])
    step = (100 - EDGE - PAD) / max(1, len(points))
    places = [round(EDGE + step * (at + 0.5), 2) for at in range(len(points))]
    heights = [_y(one.ends[0], scale) for one in points]
    drawn = [
        {
            "x": x,
            "y": y,
            "low": _y(one.ends[1], scale),
            "high": _y(one.ends[2], scale),
            "label": one.label,
            "is_sure": one.is_sure,
            "title": one.title,
        }
        for x, y, one in zip(places, heights, points, strict=True)
    ]
    ends = pairwise(drawn) if is_joined else ()
    return {
        "high": HIGH,
        "tall": HIGH + (16 if any(one.label for one in points) else 0),
        "points": drawn,
        "lines": [(one["x"], one["y"], other["x"], other["y"]) for one, other in ends],
        "axis": [{"y": _y(tick, scale), "text": short(tick) + unit} for tick in scale.ticks()],
        "is_crowded": len(points) > 60,  # noqa: PLR2004 -- where dots of 6 pixels would touch
    }


def _y(value: float, scale: Scale) -> float:
    share = (value - scale.low) / (scale.high - scale.low)
    return round(HIGH - ROOM - (HIGH - 2 * ROOM) * min(max(share, 0.0), 1.0), 1)


def reliability(bins: Sequence[tuple[float, Ends]]) -> Content:
    """Expected against bought, both on an axis of square roots, which tells rare things apart.

    Args:
        bins: Mean propensity, and the share that bought with its interval.
    """
    highest = max((max(expected, ends[0]) for expected, ends in bins), default=0.01)
    most = min(1.0, _round_step(1.1 * highest or 0.01, (1, 2, 4, 6, 8, 10)))
    scale = sqrt(most)

    def along(share: float) -> float:
        return round(SIDE * min(sqrt(max(share, 0.0)) / scale, 1.0), 1)

    return {
        "side": SIDE,
        "left": LEFT,
        "foot": FOOT,
        "points": [
            {
                "x": along(expected),
                "y": SIDE - along(ends[0]),
                "low": SIDE - along(ends[1]),
                "high": SIDE - along(ends[2]),
            }
            for expected, ends in bins
        ],
        "ticks": [{"at": along(tick), "text": _percent(tick)} for tick in (most / 4, most)],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.3g}{PERCENT}"


def timeline(months: Sequence[str], out: Sequence[str]) -> list[Content]:
    """A month each; those that were out of bounds are marked.

    Args:
        months: Oldest first.
        out: Of these.
    """
    step = (100 - 2 * PAD) / max(1, len(months))
    return [
        {"x": round(PAD + step * (at + 0.5), 2), "month": month, "is_out": month in out}
        for at, month in enumerate(months)
    ]
