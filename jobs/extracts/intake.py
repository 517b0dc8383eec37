"""One source table on its way through an ingest: read, checked, turned into row versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce

from pyspark.sql import DataFrame, functions as F

from extracts.conform import (
    ROW,
    broken_rows,
    duplicate_rows,
    orphan_rows,
    present_rows,
    quarantine_rows,
    sound_rows,
)
from extracts.increments import contested_keys, increment_versions
from extracts.landed import LandedFile, parts_of, pieces
from extracts.outcome import Outcome, outcome_of
from extracts.versions import (
    of_keys,
    placed_state,
    quick_versions,
    without_keys,
)
from tables.base import Table
from tables.keys import key_hash, shares
from tables.sources import REFERENCES, as_delivered
from tables.store import latest_versions

# Write a frame that several plans read, and read it back: no engine-wide cache is relied on.
Keep = Callable[[DataFrame, str], DataFrame]


@dataclass(frozen=True)
class Intake:
    """A table's pending deliveries.

    Attributes:
        table: The table.
        is_whole: Each delivery brings all of its rows.
        files: Its numbered files; there is at least one.
        read: Reads the rows of some parts of the files.
        history: The stored versions.
        has_history: There are any.
        keep: Stores an intermediate result.
    """

    table: Table
    is_whole: bool
    files: Sequence[LandedFile]
    read: Callable[[Sequence[str]], DataFrame]
    history: DataFrame
    has_history: bool
    keep: Keep

    @cached_property
    def delivered(self) -> Table:
        """The table with the source's mark of deletion."""
        return as_delivered(self.table)

    @cached_property
    def landed(self) -> DataFrame:
        """All rows."""
        return self.read(parts_of(self.files))

    @cached_property
    def rows_in(self) -> Mapping[date, int]:
        """Rows read, by delivery."""
        rows: Counter[date] = Counter()
        for file in self.files:
            rows[file.file.delivery.day] += file.rows
        return rows

    @cached_property
    def rows_erased(self) -> Mapping[date, int]:
        """Rows of erased clients, by delivery: they are counted, and nothing of them is kept."""
        rows: Counter[date] = Counter()
        for file in self.files:
            rows[file.file.delivery.day] += file.erased
        return rows

    def check(self, known: Mapping[str, DataFrame]) -> Checked:
        """Find every row that breaks a rule.

        Args:
            known: By table name, the keys other tables may refer to.
        """
        # Nearly always no row breaks a rule by itself: then the rules are not worked out again.
        broken = broken_rows(self.landed, self.delivered)
        is_any_broken = broken.limit(1).count() > 0
        select_sound = sound_rows if is_any_broken else present_rows
        sound = select_sound(self.landed, self.delivered)
        contested = None if self.is_whole else self._contested(sound)
        found = [broken] if is_any_broken else []
        found += self._broken_among_rows(sound, contested, known)
        if not found:
            return Checked(self, Outcome(self.table.name, self.rows_in), contested)
        reasons = reduce(DataFrame.unionByName, found)
        outcome = outcome_of(self.table.name, self.rows_in, reasons)
        if not outcome.broken:
            return Checked(self, outcome, contested)
        kept = self.keep(reasons, f"{self.table.name}-reasons")
        places = self.keep(kept.select(*ROW).distinct(), f"{self.table.name}-places")
        return Checked(self, outcome, contested, kept, places)

    def emptied(self) -> str | None:
        """What is wrong if a table that is delivered whole comes without any row all at once.

        To take it for true would delete everything, such as every flag of difficulty.
        """
        if not self.is_whole:
            return None
        had_rows = self.has_history
        for day, rows in sorted(self.rows_in.items()):
            if had_rows and not rows:
                return (
                    f"{self.table.name} {day}: has no rows at all, and had some before: everything"
                    " would count as deleted. Ask for the table again; if it is true, set"
                    f" checks.may_become_empty to [{self.table.name}]"
                )
            had_rows = rows > 0
        return None

    def _contested(self, sound: DataFrame) -> DataFrame | None:
        """Hashes of the keys of an increment that came more than once or are stored already."""
        frames = [sound, self.history] if self.has_history else [sound]
        hashes = [rows.select(key_hash(self.table.key)) for rows in frames]
        found = None
        for number, (new, *stored) in enumerate(shares(sum(self.rows_in.values()), hashes)):
            share = contested_keys(new, stored[0] if stored else None)
            kept = self.keep(share, f"{self.table.name}-contested-{number}")
            if kept.limit(1).count():
                found = kept if found is None else found.unionByName(kept)
        return found

    def _broken_among_rows(
        self, sound: DataFrame, contested: DataFrame | None, known: Mapping[str, DataFrame]
    ) -> Iterator[DataFrame]:
        """Rows that only a look at other rows shows to be wrong."""
        if self.is_whole:
            yield duplicate_rows(sound, self.delivered, is_whole=True)
        elif contested is not None:
            suspects = of_keys(sound, contested, self.table)
            yield duplicate_rows(suspects, self.delivered, is_whole=False)
        for column, table in REFERENCES.get(self.table.name, {}).items():
            yield orphan_rows(sound, column, known[table.name])


@dataclass(frozen=True)
class Checked:
    """A table's rows after every rule.

    Attributes:
        intake: Where they come from.
        outcome: What came of them, counted.
        contested: Hashes of the keys of an increment that need a closer look, if there are any.
        reasons: A row per rule that a row breaks, if any does.
        places: Where the rows stand that break one, each once.
    """

    intake: Intake
    outcome: Outcome
    contested: DataFrame | None
    reasons: DataFrame | None = None
    places: DataFrame | None = None

    @property
    def accepted(self) -> DataFrame:
        """The rows that count."""
        return self._accepted(self.intake.landed)

    @property
    def quarantine(self) -> DataFrame | None:
        """The others, for the quarantine table."""
        if self.reasons is None:
            return None
        return quarantine_rows(self.intake.landed, self.reasons, self.intake.delivered)

    def versions(self) -> Iterator[DataFrame]:
        """The new row versions, in pieces that can be sorted in memory."""
        if self.intake.is_whole:
            yield from self._whole()
        else:
            yield from self._increment()

    def _accepted(self, landed: DataFrame) -> DataFrame:
        rows = present_rows(landed, self.intake.delivered)
        if self.places is None:
            return rows
        return rows.join(F.broadcast(self.places), on=list(ROW), how="left_anti")

    def _whole(self) -> Iterator[DataFrame]:
        table, days = self.intake.table, sorted(self.intake.rows_in)
        # What is marked as deleted is as gone as what is not delivered any more.
        rows = self.accepted.where(~F.col("is_deleted")).drop("is_deleted")
        set_aside = self._set_aside()
        first_day = F.lit(days[0])
        state = placed_state(latest_versions(table, self.intake.history), first_day, table)

        def keep(found: DataFrame) -> DataFrame:
            return self.intake.keep(found, f"{table.name}-steady")

        yield from quick_versions(rows, set_aside, state, days, table, keep=keep)

    def _set_aside(self) -> DataFrame | None:
        """Rows in quarantine, in the table's types."""
        if self.places is None:
            return None
        # a place stands once in `places`, so no row is doubled
        present = present_rows(self.intake.landed, self.intake.table)
        return present.join(F.broadcast(self.places), on=list(ROW), how="left_semi")

    def _increment(self) -> Iterator[DataFrame]:
        table = self.intake.table
        columns = [*self.intake.delivered.column_names, "delivery"]
        is_first = F.lit(False).alias("is_revision")
        for parts in pieces(self.intake.files):
            rows = self._accepted(self.intake.read(parts))
            if self.contested is not None:
                rows = without_keys(rows, self.contested, table)
            yield rows.select(*columns, is_first)
        if self.contested is not None:
            again = of_keys(self.accepted, self.contested, table)
            before = of_keys(self.intake.history, self.contested, table)
            yield increment_versions(again, before, self.intake.delivered)
