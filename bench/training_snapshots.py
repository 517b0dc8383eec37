"""Features of customers on many dates: what more pairs cost, what more dates, and what all cost.

`training_snapshots.py [CUSTOMERS [HOME]]`; HOME has been ingested already. Every case is a process
of its own: so many pairs of customer and date, drawn by hash, on so many dates.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

from measure import AS_OF, Measured, ingested_bank, measured, write_result

from conf.load import load_config
from features.customer_features import active_customers
from jobs.build_features import plan_of, source_tables
from jobs.engine import open_engine
from jobs.models.training_snapshots import pair_features
from jobs.run import Run
from jobs.runs.staging import Staging
from jobs.scratch import kept
from models.sampling import draw_of, evaluation_sample
from tables.files import scratch_folder
from tables.runs import Runs
from tables.sources import CUSTOMERS as CUSTOMERS_TABLE
from tables.store import Store
from tables.windows import months_before

CUSTOMERS, SEED = 100_000, 1
NEWEST = 3  # months before the end: outcomes must be known
DATES, FEWER, MORE = 6, 3, 12
EVERYBODY = 0  # instead of a number of pairs


def main() -> None:
    """Measure each case and print how they compare."""
    if sys.argv[1:2] == ["case"]:
        _compute(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    customers = int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[2]) if sys.argv[2:] else ingested_bank(Path(folder, "home"), customers)
        many, few = customers, customers // 2
        hardly_any = [(dates, dates) for dates in (FEWER, DATES, MORE)]
        cases = [(few, DATES), (many, DATES), (many, FEWER), (many, MORE), (EVERYBODY, DATES)]
        costs = {case: _measured(home, *case) for case in hardly_any + cases}
    write_result("training_snapshots", _figures(costs, customers))


def _figures(costs: dict[tuple[int, int], Measured], customers: int) -> dict[str, float]:
    """Ratios of CPU; to start and to plan costs what one pair per date costs."""
    many, few = customers, customers // 2

    def ratio(one: tuple[int, int], other: tuple[int, int]) -> float:
        return round(costs[one].cpu_s / costs[other].cpu_s, 3)

    def variable(pairs: int, dates: int) -> float:
        return costs[pairs, dates].cpu_s - costs[dates, dates].cpu_s

    figures: dict[str, float] = {
        "customers": customers,
        "pairs": many,
        "pairs_doubled": ratio((many, DATES), (few, DATES)),
        "pairs_doubled_net": round(variable(many, DATES) / variable(few, DATES), 3),
        "dates_quadrupled": ratio((many, MORE), (many, FEWER)),
        "dates_quadrupled_net": round(variable(many, MORE) / variable(many, FEWER), 3),
        "beside_everybody": ratio((many, DATES), (EVERYBODY, DATES)),
        "beside_everybody_net": round(
            variable(many, DATES) / (costs[EVERYBODY, DATES].cpu_s - costs[DATES, DATES].cpu_s), 3
        ),
    }
    for (pairs, dates), cost in costs.items():
        name = f"{pairs or 'all'}_on_{dates}"
        figures |= {f"cpu_s_{name}": cost.cpu_s, f"peak_mb_{name}": cost.peak_mb}
    return figures


def _measured(home: Path, pairs: int, dates: int) -> Measured:
    return measured([sys.executable, __file__, "case", str(home), str(pairs), str(dates)])


def _compute(home: Path, pairs: int, dates: int) -> None:
    """Compute and write the features of one case."""
    as_of = date.fromisoformat(AS_OF)
    config = load_config("local", ())
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    cohorts = [months_before(as_of, NEWEST + age) for age in range(dates)]
    with open_engine(config.engine) as spark, scratch_folder(home, ".bench-") as scratch:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(home / "tables", "bench", as_of, config.engine.shuffle_partitions)
        run = Run("bench", as_of, "bench", config, home, spark, store, staging)
        if pairs == EVERYBODY:
            for cohort in cohorts:
                everybody = plan_of(run, cohort).rows(source_tables(run, cohort))
                kept(everybody, scratch / str(cohort))
        else:
            _compute_pairs(run, cohorts, pairs // dates, scratch)


def _compute_pairs(run: Run, cohorts: list[date], customers: int, scratch: Path) -> None:
    drawn = {}
    for cohort in cohorts:
        active = active_customers(run.store.known_before(CUSTOMERS_TABLE, cohort), cohort)
        everybody = active.select("customer_id", draw_of(cohort, SEED).alias("draw"))
        sample = evaluation_sample(everybody, customers + 1, customers)
        drawn[cohort] = kept(sample, scratch / f"drawn-{cohort}")
    rows = sum(features.count() for _, features in pair_features(run, drawn, scratch))
    assert rows == customers * len(cohorts), f"{rows} rows of {customers} on {len(cohorts)} dates"


if __name__ == "__main__":
    main()
