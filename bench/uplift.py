"""Is the demo bank's planted uplift found in its randomised past campaigns?

`uplift.py [CUSTOMERS [HOME]]`; HOME has been ingested already. Deliveries say only who was
contacted; who was kept back comes from the truth, as it would from the bank's own offer log. Ranks
are compared with the planted uplift product by product, on customers whom no model has seen.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from measure import AS_OF, CUSTOMERS, ingested_bank, write_result
from scipy.stats import spearmanr

from conf.load import load_config
from jobs.engine import open_engine
from jobs.models.train_uplift import randomised_history
from jobs.run import Run
from jobs.runs.staging import Staging
from models.evaluate import flat
from models.matrix import Vector
from models.qini import uplift_figures
from models.uplift import RandomisedHistory, TrainedUplift, train_uplift
from tables.runs import Runs
from tables.store import Store
from tables.windows import months_before

MONTHS = 12  # of campaigns, up to the newest whose outcomes are known


def main() -> None:
    """Train on the campaigns of a year and compare."""
    customers = int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[2]) if sys.argv[2:] else ingested_bank(Path(folder, "home"), customers)
        found, history, rows = _trained(home, Path(folder))
        planted = _planted(home / "truth", rows)
    ranks = dict(_rank_correlations(rows, planted, found.uplift))
    for product_id, rank in _rank_correlations(rows, planted, found.propensity):
        print(f"{product_id:<20}{ranks[product_id]:>8.3f}   propensity {rank:>8.3f}")
    print(f"verdict: {found.verdict}")
    print(found.power.warning or f"detectable: {found.power.detectable:.2%}")
    write_result(
        "uplift",
        {
            "contacts": rows.num_rows,
            "control": found.power.control,
            "demo_uplift_rank_correlation": round(fmean(ranks.values()), 4),
            "lowest_rank_correlation": round(min(ranks.values()), 4),
            "beats_propensity": int(found.verdict.passed),
            "qini_of_truth": round(uplift_figures(planted, history.arms)["qini"].value, 6),
            **{name: round(figure, 6) for name, figure in flat(found.figures).items()},
        },
    )


def _trained(home: Path, folder: Path) -> tuple[TrainedUplift, RandomisedHistory, pa.Table]:
    as_of, config = date.fromisoformat(AS_OF), load_config("local")
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    scratch = folder / "scratch"
    scratch.mkdir()
    with open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(folder, "bench", as_of, config.engine.shuffle_partitions)
        run = Run("bench", as_of, "bench", config, home, spark, store, staging)
        history, rows = randomised_history(run, _contacts(home / "truth", as_of), scratch)
    return train_uplift(history, config.models), history, rows


def _contacts(truth: Path, as_of: date) -> pa.Table:
    """The planted campaigns of the last months."""
    oldest = pa.scalar(months_before(as_of, MONTHS), pa.date32())
    is_recent = (pc.field("month") >= oldest) & (pc.field("month") < pa.scalar(as_of, pa.date32()))
    campaigns = ds.dataset(truth / "campaigns.parquet").to_table(filter=is_recent)
    renamed = {"month": "cohort"}
    names = [renamed.get(name, name) for name in campaigns.schema.names]
    texts = campaigns.rename_columns(names)
    for name in ("customer_id", "product_id"):
        place = texts.schema.get_field_index(name)
        texts = texts.set_column(place, name, texts[name].cast(pa.string()))
    return texts


def _planted(truth: Path, rows: pa.Table) -> Vector:
    """The true uplift of each row."""
    uplift = ds.dataset(truth / "uplift.parquet").to_table()
    for place, name in enumerate(("customer_id", "product_id")):
        uplift = uplift.set_column(place, name, uplift[name].cast(pa.string()))
    numbered = rows.append_column("row", pa.array(np.arange(rows.num_rows)))
    both = numbered.join(uplift, ["customer_id", "product_id"], join_type="inner").sort_by("row")
    assert both.num_rows == rows.num_rows, f"{rows.num_rows - both.num_rows} have no known truth"
    return both["uplift"].to_numpy()


def _rank_correlations(
    rows: pa.Table, planted: Vector, ranking: Vector
) -> Iterator[tuple[str, float]]:
    """By product, Spearman's rank correlation with what was planted."""
    products = np.array(rows["product_id"].to_pylist())
    for product_id in np.unique(products):
        own = products == product_id
        yield str(product_id), float(spearmanr(ranking[own], planted[own]).statistic)


if __name__ == "__main__":
    main()
