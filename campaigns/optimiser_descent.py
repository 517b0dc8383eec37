"""The least value of a convex function that is known by its values and slopes only.

L-BFGS-B (Byrd, Lu, Nocedal and Zhu, 1995) comes near where the function is nearly smooth, as with
many households it is, and may stall at a kink. From there cutting planes take over: every point
seen bounds the function from below, and the least value of these bounds within a box around the
best point is a linear programme (Marsten, Hogan and Blankenship, The boxstep method for large-scale
optimization, Operations Research 23, 1975).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, linprog, minimize

from campaigns.optimiser_problem import Floats

Function = Callable[[Floats], tuple[float, Floats]]
PLANES = 200
SMALLEST_STEP = 1e-9
CLOSE = 1e-7
RESTARTS, WORTHWHILE = 4, 1e-6


class Descent:
    """Steps down a function between 0 and ``highest``, with all the planes seen on the way."""

    def __init__(self, function: Function, start: Floats, highest: Floats) -> None:
        self._function, self._highest = function, highest
        self._points: list[Floats] = []
        self._values: list[float] = []
        self._slopes: list[Floats] = []
        self._look(np.minimum(start, highest))

    @property
    def best(self) -> Floats:
        """The best point seen."""
        return self._points[int(np.argmin(self._values))]

    def descend(self, steps: int) -> Floats:
        """The best point that a few descents of about so many steps find, each from the last one's.

        One alone may end at a kink that the next, which starts with no memory of it, leaves.
        """
        for _ in range(RESTARTS):
            before = min(self._values)
            self.smoothly(steps)
            self.by_planes(steps)
            if before - min(self._values) <= WORTHWHILE * abs(before):
                break
        return self.best

    def _look(self, point: Floats) -> tuple[float, Floats]:
        value, slope = self._function(point)
        self._points.append(point.copy())
        self._values.append(value)
        self._slopes.append(slope)
        return value, slope

    def smoothly(self, steps: int) -> None:
        """Descend as if there were no kinks."""
        minimize(
            self._look,
            self.best,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(0, self._highest),
            options={"maxiter": steps, "maxfun": steps, "ftol": 1e-12, "maxcor": 20},
        )

    def by_planes(self, steps: int) -> None:
        """Descend by cutting planes, until they promise nothing more."""
        radius = 0.05 * float(np.abs(self.best).max(initial=1.0))
        for _ in range(steps):
            best, least = self.best, min(self._values)
            point, promised = self._lowest(best, radius)
            gain = least - promised
            if gain <= CLOSE * abs(least):
                break
            value, _ = self._look(point)
            is_at_edge = np.abs(point - best).max() >= 0.99 * radius
            if least - value < gain / 10:
                radius /= 2
            elif is_at_edge:
                radius *= 2
            if radius < SMALLEST_STEP * (1 + float(np.abs(best).max())):
                break

    def _lowest(self, centre: Floats, radius: float) -> tuple[Floats, float]:
        """The lowest point of all planes within a box, and how low it is."""
        seen = np.argsort(self._values, kind="stable")[:PLANES]
        slopes = np.array([self._slopes[place] for place in seen])
        heights = np.array([self._values[place] for place in seen])
        points = np.array([self._points[place] for place in seen])
        at_centre = heights + (slopes * (centre - points)).sum(axis=1)
        size = 1 + abs(min(self._values))
        lower, upper = np.maximum(-radius, -centre), np.minimum(radius, self._highest - centre)
        found = linprog(
            np.append(np.zeros(len(centre)), 1.0),
            A_ub=np.column_stack([slopes * radius / size, -np.ones(len(seen))]),
            b_ub=-at_centre / size,
            bounds=[*zip(lower / radius, upper / radius, strict=True), (None, None)],
            method="highs-ds",
        )
        if found.x is None:
            return centre, min(self._values)
        point = np.clip(centre + found.x[:-1] * radius, 0, self._highest)
        return point, float(found.fun) * size
