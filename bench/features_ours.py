"""The features on one of our engines: `features_ours.py ENGINE HOME AS_OF OUT`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from conf.load import load_config
from features.catalogue import customer_features_table
from jobs.build_features import plan_of, stage_features
from jobs.engine import open_engine
from jobs.run import Run
from jobs.runs.staging import Staging
from tables.files import make_folder
from tables.runs import Runs
from tables.store import Store


def main() -> None:
    """Stage them as the job does; nothing is audited or committed."""
    kind, home, as_of = sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
    config, out = load_config("local", [f"engine.kind={kind}"]), Path(sys.argv[4])
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    with open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(out / "tables", "features", as_of, config.engine.shuffle_partitions)
        make_folder(out / "tables")
        run = Run("features", as_of, "features", config, out, spark, store, staging)
        table = customer_features_table(tuple(config.products))
        stage_features(run, table, plan_of(run, as_of))


if __name__ == "__main__":
    main()
