"""What `xsell train` does for products, given the rows: `training_ours.py HOME ROWS NEW_HOME`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from measure import AS_OF

from conf.load import load_config
from jobs import train_propensity
from jobs.engine import open_engine
from jobs.home import Home
from jobs.run import Run
from jobs.runs.staging import Staging
from models.labels import Cohorts
from tables.base import Table
from tables.runs import Runs
from tables.store import Store


class StoredRun(Run):
    """A run whose rows are stored already."""

    def stage(self, table: Table, rows: object) -> None:
        """Nothing to write."""


def main() -> None:
    """Train into a home of its own, with the bank's tables."""
    home, rows, new = (Path(argument) for argument in sys.argv[1:4])
    config, as_of = load_config("local", ()), date.fromisoformat(AS_OF)
    record = Runs(home / "tables").current("train", as_of)
    assert record is not None
    Home(new).create()

    def stored_rows(_run: Run, _chosen: Cohorts) -> pa.Table:
        return pq.read_table(rows)

    def no_uplift(_run: Run) -> None:
        """Learned from other rows, and compared with nothing here."""

    def no_labels(_run: Run, rows: pa.Table) -> pa.Table:
        """Stored already, too."""
        return rows

    replaced = patch.multiple(
        train_propensity,
        training_rows=stored_rows,
        _labels=no_labels,
        challenge_with_uplift=no_uplift,
    )
    with replaced, open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(new / "tables", "bench", as_of, config.engine.shuffle_partitions)
        run = StoredRun("train", as_of, "bench", config, new, spark, store, staging)
        train_propensity.train_propensity(run)


if __name__ == "__main__":
    main()
