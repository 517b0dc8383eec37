"""What came of delivered rows: accepted or set aside, counted, and whether that is tolerable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame, functions as F

from extracts.conform import ROW
from extracts.rules import FIXES, Rule
from tables.sources import FAIL_CLOSED


@dataclass(frozen=True)
class Broken:
    """How often one rule was broken by one column of a delivered table, and where for example."""

    delivery: date
    rule: Rule
    column_name: str
    rows: int
    example_file: str
    example_row: int


@dataclass(frozen=True)
class Outcome:
    """Rows of one table by delivery.

    Attributes:
        table_name: The table.
        rows_in: Rows read, by delivery.
        quarantined: Rows set aside, by delivery; one that broke two rules counts once.
        broken: Which rules, how often.
    """

    table_name: str
    rows_in: Mapping[date, int]
    quarantined: Mapping[date, int] = field(default_factory=dict)
    broken: Sequence[Broken] = ()

    def problems(self, max_share: float, max_by_rule: Mapping[str, float]) -> Iterator[str]:
        """Why the deliveries can't be taken in spite of the quarantine.

        Args:
            max_share: Of the rows of a delivery, whatever their reasons.
            max_by_rule: Of the rows with one reason; rules that are left out have no own limit.
        """
        for day, rows in sorted(self.quarantined.items()):
            share = rows / self.rows_in[day]
            if self.table_name in {table.name for table in FAIL_CLOSED}:
                noun = "row" if rows == 1 else "rows"
                yield self._problem(day, f"{rows} doubtful {noun}, and none is tolerated")
            elif share > max_share:
                yield self._problem(
                    day,
                    f"{rows} of {self.rows_in[day]} rows break a rule, {share:.1%};"
                    f" checks.max_quarantine_share is {max_share:.1%}",
                )
            else:
                yield from self._frequent(day, max_by_rule)

    def _frequent(self, day: date, max_by_rule: Mapping[str, float]) -> Iterator[str]:
        """Reasons that too many rows have, though all in all there are few enough."""
        for one in self.broken:
            share, most = one.rows / self.rows_in[day], max_by_rule.get(one.rule, 1.0)
            if one.delivery == day and share > most:
                yield (
                    f"{self.table_name} {day}: {share:.1%} of {self.rows_in[day]} rows;"
                    f" checks.max_quarantine_share_by_rule is {most:.1%} for {one.rule}:"
                    f" {_reason(one)}"
                )

    def _problem(self, day: date, finding: str) -> str:
        reasons = "; ".join(_reason(one) for one in self.broken if one.delivery == day)
        return f"{self.table_name} {day}: {finding}: {reasons}"


def outcome_of(table_name: str, rows_in: Mapping[date, int], reasons: DataFrame) -> Outcome:
    """Count what was set aside.

    Args:
        table_name: The table.
        rows_in: Rows read, by delivery.
        reasons: One row per row and rule it broke, as ``extracts.conform`` makes them.
    """
    place = F.struct("file_name", "row_number")
    found = (
        reasons.groupBy("delivery", "rule", "column_name")
        .agg(F.count(F.lit(1)).alias("rows"), F.min(place).alias("example"))
        .orderBy("delivery", "rule", "column_name")
        .collect()
    )
    if not found:
        return Outcome(table_name, rows_in)
    counts = reasons.select(*ROW).distinct().groupBy("delivery").count().collect()
    return Outcome(
        table_name,
        rows_in,
        {row["delivery"]: row["count"] for row in counts},
        [_broken(row.asDict()) for row in found],
    )


def all_problems(
    outcomes: Iterable[Outcome], max_share: float, max_by_rule: Mapping[str, float]
) -> list[str]:
    """One line per table and delivery that is beyond what the quarantine may hold."""
    return [problem for outcome in outcomes for problem in outcome.problems(max_share, max_by_rule)]


def _broken(row: Mapping[str, object]) -> Broken:
    example = row["example"]
    return Broken(
        row["delivery"],  # type: ignore[arg-type]
        Rule(str(row["rule"])),
        str(row["column_name"]),
        int(str(row["rows"])),
        example["file_name"],  # type: ignore[index]
        example["row_number"],  # type: ignore[index]
    )


def _reason(one: Broken) -> str:
    return (
        f"{one.rule} ({one.column_name}) in {one.rows}, e.g. {one.example_file} row"
        f" {one.example_row}: {FIXES[one.rule]}"
    )
