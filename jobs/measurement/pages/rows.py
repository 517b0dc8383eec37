"""Rows of campaign_results, found by what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.measurement.pages.found import ALL, CONTROL

Row = Mapping[str, Any]
GROUP = ("campaign", "against", "cut", "measure")


class Results:
    """Rows of campaign_results by campaign, what it is held against, cut and measure.

    Args:
        rows: Shaped ``CAMPAIGN_RESULTS``; the columns ``as_of`` and ``run_id`` are not needed.
    """

    def __init__(self, rows: pa.Table) -> None:
        ordered = rows.sort_by([(name, "ascending") for name in (*GROUP, "value")])
        self._rows = ordered
        self._places: dict[tuple[str, ...], list[int]] = {}
        columns = [ordered[name].to_pylist() for name in GROUP]
        for place, key in enumerate(zip(*columns, strict=True)):
            self._places.setdefault(key, []).append(place)

    def parts(
        self, cut: str, measure: str, campaign: str = ALL, against: str = CONTROL
    ) -> list[Row]:
        """Every part of a cut, by name; none where nothing is told of it."""
        places = self._places.get((campaign, against, cut, measure), [])
        found: list[Row] = self._rows.take(places).to_pylist() if places else []
        return found

    def whole(self, measure: str, campaign: str = ALL, against: str = CONTROL) -> Row | None:
        """A campaign, or all together, undivided."""
        return next(iter(self.parts(ALL, measure, campaign, against)), None)

    def campaigns_with(self, cut: str, measure: str) -> list[str]:
        """Runs that made the campaigns of which a cut is told."""
        return [
            key[0] for key in self._places if key[1:] == (CONTROL, cut, measure) and key[0] != ALL
        ]
