"""What a page shows of one campaign, or of several plans side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.campaigns.plots import plots
from jobs.campaigns.tables import Section, cells, lever_remarks, sections

Content = dict[str, Any]


def campaign_content(
    names: Sequence[str], figures: Sequence[Content], more: Sequence[Section] = ()
) -> Content:
    """Figures of plans, the same as text row by row, and what is drawn.

    Args:
        names: Of the plans.
        figures: As ``campaign_figures`` gives them, with those of the choice.
        more: Sections that follow the first one.
    """
    first, *others = sections(figures)
    found = [first, *more, *others]
    tables = [cells(section, names) for section in found]
    return {
        "plans": [
            {"name": name, "figures": one, "control": one["detectable"][0]["sentence"]}
            | {"limits": [*one["dearest_limits"], *lever_remarks(one), *one["minima_not_met"]]}
            for name, one in zip(names, figures, strict=True)
        ],
        "tables": [{"header": header, "rows": rows} for header, *rows in tables],
        "plots": plots(names, figures, {section.title: section for section in found}),
    }
