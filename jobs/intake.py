"""One source table on its way through an ingest: read, checked, turned into row versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from extracts.conform import (
    ROW,
    broken_rows,
    duplicate_rows,
    orphan_rows,
    present_rows,
    quarantine_rows,
    sound_rows,
)
from extracts.landed import LandedFile
from extracts.outcome import Outcome, outcome_of
from extracts.versions import (
    contested_keys,
    increment_versions,
    key_hash,
    placed_state,
    whole_versions,
)
from tables.base import Table
from tables.sources import REFERENCES
from tables.store import latest_versions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Write a frame that several plans read, and read it back: no engine-wide cache is relied on.
Keep = Callable[["DataFrame", str], "DataFrame"]


@dataclass(frozen=True)
class Intake:
    """A table's pending deliveries.

    Attributes:
        table: The table.
        is_whole: Each delivery brings all of its rows.
        files: Its numbered files; there is at least one.
        landed: Their rows.
        history: The stored versions.
        keep: Stores an intermediate result.
    """

    table: Table
    is_whole: bool
    files: Sequence[LandedFile]
    landed: DataFrame
    history: DataFrame
    keep: Keep

    @cached_property
    def rows_in(self) -> Mapping[date, int]:
        """Rows read, by delivery."""
        rows: Counter[date] = Counter()
        for file in self.files:
            rows[file.file.delivery.day] += file.rows
        return rows

    def check(self, known: Mapping[str, DataFrame]) -> Checked:
        """Find every row that breaks a rule.

        Args:
            known: By table name, the keys other tables may refer to.
        """
        sound = sound_rows(self.landed, self.table)
        among_rows = duplicate_rows(sound, self.table, self.is_whole)
        for column, table in REFERENCES.get(self.table.name, {}).items():
            among_rows = among_rows.unionByName(orphan_rows(sound, column, known[table.name]))
        reasons = broken_rows(self.landed, self.table).unionByName(among_rows)
        outcome = outcome_of(self.table.name, self.rows_in, reasons)
        if not outcome.broken:
            return Checked(self, outcome, sound, None, None)
        kept = self.keep(reasons, f"{self.table.name}-reasons")
        places = self.keep(kept.select(*ROW).distinct(), f"{self.table.name}-places")
        accepted = sound.join(places, on=list(ROW), how="left_anti")
        # a place stands once in `places`, so no row is doubled
        present = present_rows(self.landed, self.table)
        set_aside = present.join(places, on=list(ROW), how="left_semi")
        quarantine = quarantine_rows(self.landed, kept, self.table)
        return Checked(self, outcome, accepted, set_aside, quarantine)


@dataclass(frozen=True)
class Checked:
    """A table's rows after every rule.

    Attributes:
        intake: Where they come from.
        outcome: What came of them, counted.
        accepted: The rows that count.
        set_aside: The others, in the table's types, if there are any.
        quarantine: The same for the quarantine table.
    """

    intake: Intake
    outcome: Outcome
    accepted: DataFrame
    set_aside: DataFrame | None
    quarantine: DataFrame | None

    def versions(self) -> DataFrame:
        """The new row versions."""
        return self._whole() if self.intake.is_whole else self._increment()

    def _whole(self) -> DataFrame:
        table, history = self.intake.table, self.intake.history
        first_day = F.lit(min(self.intake.rows_in))
        state = placed_state(latest_versions(table, history), first_day, table)
        return whole_versions(self.accepted, self.set_aside, state, table)

    def _increment(self) -> DataFrame:
        table, history, keep = self.intake.table, self.intake.history, self.intake.keep
        contested = keep(contested_keys(self.accepted, history, table), f"{table.name}-contested")
        columns = [*table.column_names, "delivery"]
        first = [F.lit(False).alias("is_deleted"), F.lit(False).alias("is_revision")]
        if contested.limit(1).count() == 0:
            return self.accepted.select(*columns, *first)
        hashed = self.accepted.select("*", key_hash(table))
        past = history.select("*", key_hash(table))
        # `contested` holds a hash once, so that no row is doubled
        plain = hashed.join(contested, on="key_hash", how="left_anti").select(*columns, *first)
        again = hashed.join(contested, on="key_hash", how="left_semi")
        before = past.join(contested, on="key_hash", how="left_semi")
        return plain.unionByName(increment_versions(again, before, table))
