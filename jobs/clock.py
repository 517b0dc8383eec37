"""The one place that asks the clock: when a decision about a model was made."""

from __future__ import annotations

from datetime import UTC, datetime


def time_of_decision() -> str:
    """Now, UTC, to the second; it goes into the record of decisions and into nothing else."""
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 - when it was decided
