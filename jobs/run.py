"""What a job gets: its as-of date, its configuration, what it may read, and where its rows go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from conf.schema import RunConfig
from jobs.progress import progress_bar
from jobs.runs.staging import Staging
from tables.base import Table
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from extracts.deliveries import Delivery


@dataclass(frozen=True)
class Repeated:
    """What a repetition of a past run goes by, in place of what is current.

    Attributes:
        models: Digests of the models that were in use, by what they were registered for.
        before: Place of the past run among all: what was committed later is not there.
    """

    models: Mapping[str, str]
    before: int


@dataclass(frozen=True)
class Run:
    """One execution of one step. Nothing it stages is visible before the executor commits it.

    Attributes:
        counts: For the summary and the ``runs`` table.
        figures: What the report shows beside the contracts.
        list_files: SHA-256 of the list files to be published, by path below the run's lists.
        repeated: Of a repetition, what it goes by; nothing of it is ever committed.
    """

    step: str
    as_of: date
    run_id: str
    config: RunConfig
    home: Path
    spark: SparkSession
    store: Store
    staging: Staging
    deliveries: tuple[Delivery, ...] = ()
    counts: dict[str, object] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    list_files: dict[str, str] = field(default_factory=dict)
    repeated: Repeated | None = None

    @property
    def models(self) -> Mapping[str, str] | None:
        """Digests of the models to go by; None: those that are in use."""
        return self.repeated.models if self.repeated else None

    def stage(self, table: Table, rows: DataFrame | pa.Table) -> None:
        """Write the rows of this run; see ``Staging.stage``."""
        self.staging.stage(table, rows)

    def note(self, **counts: object) -> None:
        """Facts for the summary at the end and for the ``runs`` table."""
        self.counts.update(counts)

    def count(self, name: str, more: int) -> None:
        """Add to a count; one that stays 0 is not mentioned."""
        if more:
            self.counts[name] = int(str(self.counts.get(name, 0))) + more

    def progress(self, total: int, label: str) -> AbstractContextManager[Callable[[int], None]]:
        """A bar on a terminal, plain lines in a log; the yielded function advances it."""
        return progress_bar(total, f"{self.step}: {label}")
