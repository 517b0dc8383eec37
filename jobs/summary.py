"""What a person reads at the end of a run: counts per step, and where the lists lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.reports import report_page

if TYPE_CHECKING:
    from jobs.publishing import Context, StepResult


def summary_lines(context: Context, results: Sequence[StepResult]) -> list[str]:
    """One line per step with its counts, then its reports and the folder of the lists."""
    if all(result.was_there_already for result in results):
        lines = [f"Nothing to do: {context.as_of} is complete."]
    else:
        lines = [f"{context.as_of} is complete."]
    for result in results:
        lines.append(f"  {result.record.step:<9} {_counts(result.record.counts)}")
    for result in results:
        record = result.record
        page = report_page(context.home.path, record.step, record.as_of, record.run_id)
        if page.exists():
            lines.append(f"Report: {page}")
    if results[-1].record.step == "campaign":
        from jobs.exports import lists_folder

        lines.append(f"Lists: {lists_folder(context.home, results[-1].record)}")
    return lines


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in counts.items())


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
