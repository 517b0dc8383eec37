"""What is to be checked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from audit.independent.files import Violation


@dataclass(frozen=True)
class Campaign:
    """A committed campaign, as far as it is to be checked.

    Attributes:
        run_id: Its run.
        lists: Folder of its files.
        committed: SHA-256 of each, by path below the folder, as the run recorded them.
        decisions: Parquet files of its decisions.
        read: Deliveries that it was made from, with SHA-256 of each manifest.
    """

    run_id: str
    lists: Path
    committed: Mapping[str, str]
    decisions: Sequence[Path]
    read: Mapping[date, str]


@dataclass(frozen=True)
class Checked:
    """What became of one rule.

    Attributes:
        rule: Its name.
        rows: How many rows or files it was asked of.
        of: What these are.
        violations: How many break it; of a limit, one for each that is broken.
        examples: The first of them.
    """

    rule: str
    rows: int
    of: str
    violations: int = 0
    examples: tuple[Violation, ...] = ()


@dataclass
class Report:
    """What was checked, and what was not.

    Attributes:
        rules: In the order in which they were asked.
        not_compared: Gates that were not recomputed, and why.
        remarks: What else a reader has to know.
    """

    rules: list[Checked] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def violations(self) -> int:
        """Of all rules together."""
        return sum(one.violations for one in self.rules)
