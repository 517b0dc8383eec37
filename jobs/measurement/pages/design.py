"""How large arms were, what they could show, and whether they were drawn by chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.measurement.pages.blocks import TOP, table
from jobs.measurement.pages.found import ALL, MEASURED, Findings, rows_of
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    DASH,
    Row,
    month_in_words,
    number,
    state_in_words,
)

Content = dict[str, Any]


def design_blocks(found: Findings, results: Results, campaign: str = ALL) -> Iterator[Content]:
    """How large arms were, and the least effect that they would find."""
    runs = [one for one in found.oldest_first if campaign in (ALL, one.run_id)]
    rows = [
        _arms(month_in_words(one.as_of), row)
        for one in runs
        if (row := results.whole("response", one.run_id)) is not None
    ]
    of_all = results.whole("response")
    if campaign == ALL and of_all is not None:
        rows.append(_arms("all together", of_all))
    yield table(
        "What the arms can show",
        ("Campaign", "Interval", "Offered", "Withheld", "Least effect found"),
        rows,
        note=(
            "Least effect found: on response, in percentage points, that arms of this size find"
            " four times out of five."
        ),
        file="campaign_results.csv, column detectable",
        text_columns=2,
    )
    yield from _draws(found, campaign)


def _arms(label: str, row: Row) -> tuple[str, ...]:
    detectable = row["detectable"]
    how = row["method"] if row["state"] == MEASURED else state_in_words(row["state"])
    return (
        label,
        how or DASH,
        f"{row['treated']:,}",
        f"{row['control']:,}",
        number(None if detectable is None else 100 * detectable),
    )


def _draws(found: Findings, campaign: str) -> Iterator[Content]:
    """Whether chance alone decided who was withheld, as the effects' own table says."""
    part = found.effects
    rows = rows_of(part, "randomisation", ("campaign",))
    own = [row for row in rows if campaign in (ALL, row["campaign"])]
    if own:
        head = [name for name in own[0] if name not in ("campaign", "campaign_id", "state")]
        yield table(
            "Was the draw by chance?",
            [name.replace("_", " ").capitalize() for name in head],
            [[_shown(row[name]) for name in head] for row in own[:TOP]],
            file="randomisation.csv",
            total=len(own),
        )


def _shown(value: Any) -> str:  # noqa: ANN401 -- a cell is anything
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
