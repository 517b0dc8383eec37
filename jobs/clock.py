"""The one place that asks the clock: when a model was decided about, when a client looked up."""

from __future__ import annotations

from datetime import UTC, datetime


def time_of_decision() -> str:
    """Now, UTC, to the second; it goes into the record of decisions and into nothing else."""
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 - when it was decided


def time_of_lookup() -> str:
    """Now, UTC, to the second; it goes into the record of look-ups and into nothing else."""
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251 - when it was asked
