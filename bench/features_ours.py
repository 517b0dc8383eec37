"""The features on one of our engines: `features_ours.py ENGINE HOME AS_OF OUT [measures]`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from functools import reduce
from pathlib import Path

from features_inputs import WRITTEN_THRICE, Task, task
from pyspark.sql import DataFrame

from conf.load import load_config
from features.catalogue import customer_features_table
from features.customer_features import SnapshotPlan, SourceTables
from features.measures import measured
from features.product_facts import product_facts
from features.sources import Cut
from jobs.build_features import source_tables, stage_features
from jobs.engine import open_engine
from jobs.run import Run
from jobs.staging import Staging
from tables.base import Table
from tables.files import make_folder
from tables.runs import Runs
from tables.store import Store


def main() -> None:
    """Stage them as the job does, or write the measures alone; nothing is audited or committed."""
    kind, home, as_of = sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
    config, out = load_config("local", [f"engine.kind={kind}"]), Path(sys.argv[4])
    wanted = task(home, as_of)
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None
    with open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(out / "tables", "features", as_of, config.engine.shuffle_partitions)
        make_folder(out / "tables")
        run = Run("features", as_of, "features", config, out, spark, store, staging)
        cut = Cut(
            as_of,
            config.time.observation_months,
            config.bank.base_currency,
            product_facts(config.products, config.lifetime_value),
        )
        if sys.argv[5:]:
            _measures(wanted, source_tables(run, as_of), cut).write.parquet(f"{out}/measures")
        else:
            stage_features(run, _table(wanted), SnapshotPlan(wanted.features, cut))


def _table(wanted: Task) -> Table:
    """``customer_features`` with the wanted features alone."""
    every = customer_features_table(tuple(wanted.products))
    names = {*every.key, *(feature.name for feature in wanted.features)}
    return replace(every, columns=tuple(c for c in every.columns if c.name in names))


def _measures(wanted: Task, sources: SourceTables, cut: Cut) -> DataFrame:
    first, *others = (
        measured(source.rows(sources, cut), source, wanted.of(source)) for source in WRITTEN_THRICE
    )
    # each has one row per customer
    return reduce(lambda some, more: some.join(more, on="customer_id", how="left"), others, first)


if __name__ == "__main__":
    main()
