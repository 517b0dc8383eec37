"""The features on one of our engines: `features_ours.py ENGINE HOME AS_OF OUT [measures]`."""

from __future__ import annotations

import sys
from datetime import date
from functools import reduce
from pathlib import Path

from features_inputs import WRITTEN_THRICE, Task, task
from pyspark.sql import DataFrame

from conf.load import load_config
from features.customer_features import SourceTables, computed
from features.measures import measured
from features.product_facts import product_facts
from features.sources import MONTHS_APART, Cut
from jobs.engine import open_engine
from tables.runs import Runs
from tables.sources import CUSTOMERS, SOURCES
from tables.store import Store
from tables.windows import months_before


def main() -> None:
    """Compute and write them, or the measures alone; nothing is audited or committed."""
    kind, home, as_of = sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
    config = load_config("local", [f"engine.kind={kind}"])
    wanted = task(home, as_of)
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None
    with open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        known = {table.name: store.known_before(table, as_of) for table in SOURCES}
        del known["branches"], known["advisors"], known["customer_merges"]
        before = store.known_before(CUSTOMERS, months_before(as_of, MONTHS_APART))
        sources = SourceTables(**known, customers_before=before)
        cut = Cut(
            as_of,
            config.time.observation_months,
            config.bank.base_currency,
            product_facts(config.products, config.lifetime_value),
        )
        if sys.argv[5:]:
            rows = _measures(wanted, sources, cut)
        else:
            rows = computed(wanted.features, sources, cut)
        rows.write.parquet(sys.argv[4])


def _measures(wanted: Task, sources: SourceTables, cut: Cut) -> DataFrame:
    first, *others = (
        measured(source.rows(sources, cut), source, wanted.of(source)) for source in WRITTEN_THRICE
    )
    # each has one row per customer
    return reduce(lambda some, more: some.join(more, on="customer_id", how="left"), others, first)


if __name__ == "__main__":
    main()
