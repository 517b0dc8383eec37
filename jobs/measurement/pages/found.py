"""What the pages of a measurement are made of; `jobs/measurement/pages/page.py` writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from measurement.offers import Campaign

ALL = "all"
CONTROL, HOLDOUT = "campaign_control", "global_holdout"
MEASURED = "measured"
RESULTS = "campaign_results"


@dataclass(frozen=True)
class Part:
    """What one part of a measurement found.

    Attributes:
        headlines: Sentences, the most telling first.
        tables: Its figures by file name without an ending, as they lie beside the pages.
    """

    headlines: tuple[str, ...]
    tables: Mapping[str, pa.Table]


@dataclass(frozen=True)
class Findings:
    """Everything that is told of past campaigns on one as-of date.

    Attributes:
        as_of: What was known before it counts.
        run_id: The run that measured.
        currency: Of all money.
        max_false_share: Of the parts of a cut that are told as sure, so many may be chance.
        campaigns: Those that are measured, or it is said why not.
        results: Rows of ``CAMPAIGN_RESULTS``.
        effects: How controls were drawn, and whatever else belongs to effects.
        credit: Goals, assists and checks of credit, of all campaigns.
        clients: Contacts and what clients thought of them.
        models: Whether models are still right.
        contacts: Contacts about what was offered, by the run that made the campaign.
        names: What to call products and partners; whoever has none is called by the identifier.
        missing: Why a part is None, a sentence by its name.
    """

    as_of: date
    run_id: str
    currency: str
    max_false_share: float
    campaigns: tuple[Campaign, ...]
    results: pa.Table
    effects: Part | None = None
    credit: Part | None = None
    clients: Part | None = None
    models: Part | None = None
    contacts: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, pa.Table]:
        """Every figure, by the name of the file beside the pages that has it."""
        found = {RESULTS: self.results}
        for part in (self.effects, self.credit, self.clients, self.models):
            found |= part.tables if part is not None else {}
        return found

    @property
    def oldest_first(self) -> list[Campaign]:
        """The campaigns in the order in which they were made."""
        return sorted(self.campaigns, key=lambda one: (one.as_of, one.run_id))


def rows_of(part: Part | None, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a part's table; none where it, or a column that is needed, is not there.

    Args:
        part: May be missing.
        name: Of the table.
        columns: That are needed.
    """
    table = part.tables.get(name) if part is not None else None
    if table is None or not set(columns) <= set(table.column_names):
        return []
    found: list[dict[str, Any]] = table.to_pylist()
    return found
