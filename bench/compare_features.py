"""Features of 200,000 customers beside Polars and DuckDB, over the same stored tables, in one run.

Every program is a process of its own on two threads; they take turns, and the median of each
counts. All three write every feature of the catalogue to Parquet, ours in order and as the job
stages it; all values are compared before any figure is printed. 10,000 customers have about a
million transactions, 1,000,000 about a hundred million.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
from features_inputs import Task, task
from measure import AS_OF, Measured, ingested_bank, measured, write_result

CUSTOMERS, TURNS = 200_000, 3
SHOWN = 5
PEERS, OURS = ("duckdb", "polars"), "ours"
ALL = (*PEERS, OURS)
HERE = Path(__file__).parent


def main() -> None:
    """May be said: how many CUSTOMERS, how many TURNS, a HOME that has been ingested already."""
    customers = int(sys.argv[1]) if sys.argv[1:] else CUSTOMERS
    turns = int(sys.argv[2]) if sys.argv[2:] else TURNS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[3]) if sys.argv[3:] else ingested_bank(Path(folder, "home"), customers)
        wanted, out = task(home, date.fromisoformat(AS_OF)), Path(folder)
        costs: defaultdict[str, list[Measured]] = defaultdict(list)
        for turn in range(turns):
            first = turn % len(ALL)  # nobody always finds the memory that the same one left behind
            for name in ALL[first:] + ALL[:first]:
                costs[name].append(_turn(name, home, out, turn))
        _compare(wanted, out)
        if customers <= CUSTOMERS:  # more take it hours
            costs["spark"].append(_ours("spark", home, f"{out}/spark"))
        rows = _rows(wanted)
    for name, runs in costs.items():
        print(name, *runs, sep="\n  ")
    middle = {name: _median(runs) for name, runs in costs.items()}
    write_result("features", _figures(wanted, middle, customers, rows))


def _turn(name: str, home: Path, out: Path, turn: int) -> Measured:
    if name == OURS:
        return _ours("embedded", home, f"{out}/ours-{turn}")
    return _run(f"features_{name}.py", str(home), AS_OF, f"{out}/{name}.parquet")


def _run(program: str, *arguments: str) -> Measured:
    return measured([sys.executable, str(HERE / program), *arguments])


def _ours(engine: str, home: Path, out: str) -> Measured:
    return _run("features_ours.py", engine, str(home), AS_OF, out)


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(
        *(median(getattr(run, name) for run in runs) for name in ("wall_s", "cpu_s", "peak_mb"))
    )


def _rows(wanted: Task) -> int:
    files = list(wanted.files["transactions"])
    counted = duckdb.execute("select count(*) from read_parquet(?)", [files]).fetchone()
    assert counted is not None
    return int(counted[0])


def _compare(wanted: Task, out: Path) -> None:
    """Stop unless the peers got what we staged, every value of every customer exactly."""
    duckdb.execute(f"create view ours as from '{out}/ours-0/tables/customer_features/**/*.parquet'")
    counted = {feature.name: _differs(feature.name) for feature in wanted.features}
    counted["customer_id"] = f"{_differs('customer_id')} + count(*) - count(distinct o.customer_id)"
    for peer in PEERS:
        joined = f"ours o full join '{out}/{peer}.parquet' p on o.customer_id = p.customer_id"
        counts = duckdb.execute(f"select {', '.join(counted.values())} from {joined}").fetchone()
        assert counts is not None
        bad = [f"{name} ({n:,} rows)" for name, n in zip(counted, counts, strict=True) if n]
        if bad:
            sys.exit(f"{peer} differs from ours in {len(bad)} columns: {', '.join(bad[:SHOWN])}")


def _differs(column: str) -> str:
    return f"count(*) filter (o.{column} is distinct from p.{column})"


def _figures(
    wanted: Task, costs: dict[str, Measured], customers: int, rows: int
) -> dict[str, float]:
    ours = costs.pop("ours")
    figures: dict[str, float] = {"customers": customers, "rows": rows}
    figures["features"] = len(wanted.features)
    figures |= {"wall_s": ours.wall_s, "cpu_s": ours.cpu_s, "peak_mb": ours.peak_mb}
    for name, cost in costs.items():
        figures[f"cpu_ratio_{name}"] = round(ours.cpu_s / cost.cpu_s, 3)
        figures[f"memory_ratio_{name}"] = round(ours.peak_mb / cost.peak_mb, 3)
        figures |= {f"wall_s_{name}": cost.wall_s, f"cpu_s_{name}": cost.cpu_s}
        figures[f"peak_mb_{name}"] = cost.peak_mb
    return figures


if __name__ == "__main__":
    main()
