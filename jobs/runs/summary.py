"""What a person reads at the end of a run: counts per step, and where the lists lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jobs.measurement.files import measurement_page
from jobs.reports import report_page

if TYPE_CHECKING:
    from jobs.publishing import Context, StepResult
    from tables.runs import RunRecord

TOLD = "told"  # among the counts of a run: sentences, not a figure


def summary_lines(context: Context, results: Sequence[StepResult]) -> list[str]:
    """One line per step with its counts, then its reports and the folder of the lists."""
    if all(result.was_there_already for result in results):
        lines = [f"Nothing to do: {context.as_of} is complete."]
    else:
        lines = [f"{context.as_of} is complete."]
    for result in results:
        lines.append(f"  {result.record.step:<9} {_counts(result.record.counts)}")
    lines += [line for result in results for line in _told(result.record.counts)]
    for result in results:
        record = result.record
        page = report_page(context.home.path, record.step, record.as_of, record.run_id)
        if page.exists():
            lines.append(f"Report: {page}")
    for result in results:
        lines += _folders(context, result.record)
    return lines


def _folders(context: Context, record: RunRecord) -> list[str]:
    """Where the files lie that a step made for people."""
    if record.step == "campaign":
        from jobs.runs.exports import lists_folder

        return [f"Lists: {lists_folder(context.home, record)}"]
    if record.step == "measure":
        page = measurement_page(context.home, record.as_of, record.run_id)
        # A month that was measured by a former version may have no page.
        if not page.exists():
            return []
        return [f"Measurement: {page}"]
    return []


def _told(counts: Mapping[str, object]) -> list[str]:
    """Sentences that a step has for a person."""
    told = counts.get(TOLD, ())
    assert isinstance(told, list | tuple)
    return list(told)


def _counts(counts: Mapping[str, object]) -> str:
    shown = ((name, value) for name, value in counts.items() if name != TOLD)
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in shown)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
