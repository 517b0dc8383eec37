"""A million customers × 12 products beside nothing but the boosters' own predictions.

Ours reads the stored features, scores them with every champion in one pass of the engine and
writes the scores, as the job does; engine, registry and models are started and loaded first. The
peer is `Booster.predict` on a matrix that is there already, and only that is counted. Both take
the same rows in batches of the same size, in two threads or processes, and take turns.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from measure import AS_OF, DEFAULT_BANK, Measured, measured, write_result

from conf.load import load_config
from features.catalogue import customer_features_table
from tables.runs import Runs
from tables.store import Store

CUSTOMERS, TURNS = 1_000_000, 3
SMALLER = (4, 2)  # parts of the bank, to see whether memory follows its size
FILE_ROWS = 125_000
HERE = Path(__file__).parent
ACCELERATORS = ("none", "onedal")
PREDICTED = "predicted.txt"  # the CPU seconds of predicting alone


def main() -> None:
    """May be said: a HOME with trained models and features, how many CUSTOMERS and TURNS."""
    customers = int(sys.argv[2]) if sys.argv[2:] else CUSTOMERS
    turns = int(sys.argv[3]) if sys.argv[3:] else TURNS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        out = Path(folder)
        home = Path(sys.argv[1]) if sys.argv[1:] else _scored_bank(out / "home")
        sizes = [customers // part for part in SMALLER]
        features = {size: _repeated(home, out / str(size), size) for size in (*sizes, customers)}
        peaks = {
            f"peak_mb_{size}": _ours(home, features[size], out, "none").peak_mb for size in sizes
        }
        found = _side_by_side(home, features[customers], out, customers, turns)
        write_result("scoring", found | peaks)


def _side_by_side(
    home: Path, features: Path, out: Path, customers: int, turns: int
) -> dict[str, float]:
    predicting: list[float] = []
    ours: dict[str, list[Measured]] = {accelerator: [] for accelerator in ACCELERATORS}
    for _ in range(turns):
        _run("scoring_predict.py", home, features, out / PREDICTED)
        predicting.append(float((out / PREDICTED).read_text()))
        for accelerator, runs in ours.items():
            runs.append(_ours(home, features, out, accelerator))
    alone = median(predicting)
    plain, accelerated = (median(run.cpu_s for run in runs) for runs in ours.values())
    models = len(load_config("local", ()).products)
    return {
        "customers": customers,
        "models": models,
        "predict_cpu_s": round(alone, 2),
        "cpu_s": plain,
        "cpu_s_accelerated": accelerated,
        "cpu_ratio_booster": round(plain / alone, 3),
        "cpu_ratio_booster_accelerated": round(accelerated / alone, 3),
        "propensities_apart": _apart(out, customers * models),
        "rows_models_per_cpu_s": round(customers * models / plain),
        "wall_s": median(run.wall_s for run in ours["none"]),
        "peak_mb": max(run.peak_mb for run in ours["none"]),
        "peak_mb_accelerated": max(run.peak_mb for run in ours["onedal"]),
    }


def _ours(home: Path, features: Path, out: Path, accelerator: str) -> Measured:
    return _run("scoring_ours.py", home, features, out / accelerator, accelerator)


def _run(program: str, *arguments: object) -> Measured:
    return measured([sys.executable, str(HERE / program), *map(str, arguments)])


def _scored_bank(home: Path) -> Path:
    xsell, place = str(Path(sys.executable).parent / "xsell"), ["--home", str(home)]
    measured([xsell, "demo", *place, *DEFAULT_BANK])
    measured([xsell, "run", *place, "--as-of", AS_OF])
    return home


def _apart(out: Path, rows: int) -> float:
    """The largest difference between any two propensities of a customer for a product."""
    plain, accelerated = (f"'{out}/{name}/**/*.parquet'" for name in ACCELERATORS)
    found = duckdb.execute(
        f"""select count(*), max(abs(a.propensity - b.propensity))
        from {plain} a join {accelerated} b using (customer_id, product_id)"""
    ).fetchone()
    assert found is not None
    if found[0] != rows:
        raise SystemExit(f"{found[0]} propensities of {rows}")
    return float(found[1])


def _repeated(home: Path, target: Path, customers: int) -> Path:
    """The bank's features, as often as needed, every time of other customers."""
    target.mkdir()
    for place, rows in enumerate(_pieces(home, customers)):
        pq.write_table(rows, target / f"{place:03d}.parquet", compression="zstd")
    return target


def _pieces(home: Path, customers: int) -> Iterator[pa.Table]:
    record = Runs(home / "tables").current("features", date.fromisoformat(AS_OF))
    if record is None:
        raise SystemExit(f"{home} has no features of {AS_OF}")
    table = customer_features_table(tuple(load_config("local", ()).products))
    rows = Store(home / "tables", None, record.pins).arrow(table, record.as_of)
    place, names = rows.schema.get_field_index("customer_id"), rows["customer_id"].to_pylist()
    for turn in range(-(-customers // rows.num_rows)):
        others = pa.array([f"{turn:03d}{name}" for name in names])
        repeated = rows.set_column(place, "customer_id", others)
        left = min(rows.num_rows, customers - turn * rows.num_rows)
        for start in range(0, left, FILE_ROWS):
            yield repeated.slice(start, min(FILE_ROWS, left - start))


if __name__ == "__main__":
    main()
