"""Where a bank's state lies: `--home` and the folders below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tables.files import make_folder


@dataclass(frozen=True)
class Home:
    """The folders below ``--home``; nothing is written anywhere else."""

    path: Path

    @property
    def landing(self) -> Path:
        """Deliveries, as the bank dropped them."""
        return self.path / "landing"

    @property
    def tables(self) -> Path:
        """Delta tables."""
        return self.path / "tables"

    @property
    def mlruns(self) -> Path:
        """The MLflow store and its artifacts."""
        return self.path / "mlruns"

    @property
    def lists(self) -> Path:
        """Campaign lists, copies made from committed runs."""
        return self.path / "lists"

    def lists_of(self, as_of: date, campaign_id: str, run_id: str) -> Path:
        """The list files of one run."""
        return self.lists / str(as_of) / campaign_id / run_id[:12]

    @property
    def reports(self) -> Path:
        """Reports."""
        return self.path / "reports"

    @property
    def log(self) -> Path:
        """The offer log."""
        return self.path / "log"

    @property
    def lock(self) -> Path:
        """Held by the one run that may publish."""
        return self.path / "run.lock"

    def create(self) -> None:
        """Create the folders.

        Raises:
            UserError: One cannot be created or written to.
        """
        for folder in (
            self.path,
            self.landing,
            self.tables,
            self.mlruns,
            self.lists,
            self.reports,
            self.log,
        ):
            make_folder(folder)
