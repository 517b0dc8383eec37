"""A million customers × 12 products beside nothing but the boosters' own predictions.

Ours reads the stored features, scores them with every champion in one pass of the engine and
writes the scores; the peer is `Booster.predict` on a matrix that is there already, and only that is
counted. Both take the same rows in two threads or processes and take turns.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from measure import AS_OF, DEFAULT_BANK, Measured, measured, write_result

from conf.load import load_config
from features.catalogue import customer_features_table
from models.registry import champions
from tables.runs import Runs
from tables.store import Store

CUSTOMERS, TURNS = 1_000_000, 3
HERE = Path(__file__).parent
PREDICTED = "predicted.txt"  # the CPU seconds of predicting alone


def main() -> None:
    """May be said: a HOME whose models are trained and features built, how many CUSTOMERS."""
    customers = int(sys.argv[2]) if sys.argv[2:] else CUSTOMERS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[1]) if sys.argv[1:] else _scored_bank(Path(folder, "home"))
        features, out = Path(folder, "features"), Path(folder)
        rows = _repeated(home, features, customers)
        costs: dict[str, list[Measured]] = {"none": [], "onedal": []}
        predicting = []
        for _ in range(TURNS):
            _run("scoring_predict.py", home, features, out / PREDICTED)
            predicting.append(float((out / PREDICTED).read_text()))
            for accelerator, runs in costs.items():
                runs.append(_run("scoring_ours.py", home, features, out / accelerator, accelerator))
        apart = _apart(out)
    alone = median(predicting)
    figures = {"customers": rows, "models": len(champions(load_config("local", ()), home))}
    figures |= {"predict_cpu_s": round(alone, 2), "propensities_apart": apart}
    for accelerator, runs in costs.items():
        cpu = median(run.cpu_s for run in runs)
        figures |= {f"cpu_s_{accelerator}": cpu, f"cpu_ratio_{accelerator}": round(cpu / alone, 3)}
        figures[f"peak_mb_{accelerator}"] = max(run.peak_mb for run in runs)
    write_result("scoring", figures)


def _run(program: str, *arguments: object) -> Measured:
    return measured([sys.executable, str(HERE / program), *map(str, arguments)])


def _scored_bank(home: Path) -> Path:
    xsell, place = str(Path(sys.executable).parent / "xsell"), ["--home", str(home)]
    measured([xsell, "demo", *place, *DEFAULT_BANK])
    measured([xsell, "run", *place, "--as-of", AS_OF])
    return home


def _apart(out: Path) -> float:
    """The largest difference between any two propensities of a customer for a product."""
    found = duckdb.execute(
        f"""select max(abs(a.propensity - b.propensity))
        from '{out}/none/*.parquet' a full join '{out}/onedal/*.parquet' b
        using (customer_id, product_id)"""
    ).fetchone()
    assert found is not None
    return float(found[0])


def _repeated(home: Path, target: Path, customers: int) -> int:
    """The bank's features, as often as needed, every time of other customers."""
    record = Runs(home / "tables").current("features", date.fromisoformat(AS_OF))
    assert record is not None, f"{home} has no features of {AS_OF}"
    table = customer_features_table(tuple(load_config("local", ()).products))
    rows = Store(home / "tables", None, record.pins).arrow(table, record.as_of)
    target.mkdir()
    place, ids = rows.schema.get_field_index("customer_id"), rows["customer_id"].to_pylist()
    times = -(-customers // rows.num_rows)
    for turn in range(times):
        others = pa.array([f"{turn:03d}{name}" for name in ids])
        repeated = rows.set_column(place, "customer_id", others)
        pq.write_table(repeated, target / f"{turn:03d}.parquet", compression="zstd")
    return times * rows.num_rows


if __name__ == "__main__":
    main()
