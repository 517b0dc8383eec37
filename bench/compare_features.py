"""Features of 200,000 customers beside Polars and DuckDB, over the same stored tables, in one run.

Every program is a process of its own on two threads. What all three compute is compared value by
value before any figure is printed; ours then also has to work out the features themselves.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

import duckdb
from features_inputs import Task, task
from measure import AS_OF, Measured, measured, write_result

from features.catalogue import feature_catalogue

CUSTOMERS = 200_000
PEERS = ("duckdb", "polars")
HERE = Path(__file__).parent


def main() -> None:
    """Both may be said: how many CUSTOMERS, and a HOME that has been ingested already."""
    customers = int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[2]) if sys.argv[2:] else _bank(Path(folder, "home"), customers)
        wanted = task(home, date.fromisoformat(AS_OF))
        out = Path(folder)
        costs = {
            peer: _run(f"features_{peer}.py", str(home), AS_OF, f"{out}/{peer}.parquet")
            for peer in PEERS
        }
        costs["ours"] = _run("features_ours.py", "embedded", str(home), AS_OF, f"{out}/ours")
        _run("features_ours.py", "embedded", str(home), AS_OF, f"{out}/measures", "measures")
        _compare(wanted, out)
        costs["spark"] = _run("features_ours.py", "spark", str(home), AS_OF, f"{out}/spark")
    write_result("features", _figures(wanted, costs, customers))


def _bank(home: Path, customers: int) -> Path:
    xsell = str(Path(sys.executable).parent / "xsell")
    place = ["--home", str(home)]
    measured([xsell, "demo", *place, "--customers", str(customers), "--until", AS_OF])
    measured([xsell, "ingest", *place, "--as-of", AS_OF])
    return home


def _run(program: str, *arguments: str) -> Measured:
    return measured([sys.executable, str(HERE / program), *arguments])


def _compare(wanted: Task, out: Path) -> None:
    """Stop unless the peers got what we got; a sum of nothing may be null or zero."""
    duckdb.execute(f"create view ours as from '{out}/measures/*.parquet'")
    for peer in PEERS:
        differs = ", ".join(
            f"count(*) filter ({_text('o', name)} <> {_text('p', name)})"
            for name in wanted.names.values()
        )
        joined = f"ours o full join '{out}/{peer}.parquet' p using (customer_id)"
        counts = duckdb.execute(f"select {differs} from {joined}").fetchone()
        assert counts is not None
        bad = [m for m, count in zip(wanted.names, counts, strict=True) if count]
        if bad:
            sys.exit(f"{peer} differs in {len(bad)} measures, e.g. {bad[0]}")


def _text(side: str, name: str) -> str:
    return f"coalesce({side}.{name}::varchar, '0')"


def _figures(wanted: Task, costs: dict[str, Measured], customers: int) -> dict[str, float]:
    ours = costs["ours"]
    every = len(feature_catalogue(tuple(wanted.products)))
    figures = {"customers": customers, "features": len(wanted.features), "features_of": every}
    for name in PEERS:
        figures[f"cpu_ratio_{name}"] = round(ours.cpu_s / costs[name].cpu_s, 3)
        figures[f"memory_ratio_{name}"] = round(ours.peak_mb / costs[name].peak_mb, 3)
    for name, cost in costs.items():
        figures |= {f"wall_s_{name}": cost.wall_s, f"peak_mb_{name}": cost.peak_mb}
        if name != "spark":  # nobody waits for its Java process, so that its seconds are lost
            figures[f"cpu_s_{name}"] = cost.cpu_s
    return figures


if __name__ == "__main__":
    main()
