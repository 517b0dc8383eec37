"""A first load of 100 million CSV transactions, beside DuckDB reading, casting and writing them.

Both get the same delivery: the demo bank's whole history in one. Ours numbers every row, checks
digests, contracts, keys and references, finds who owned each account, and commits; DuckDB reads
text, casts it and writes Parquet.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import AS_OF, Measured, measured, write_result

from extracts.deliveries import MANIFEST
from tables.files import sha256_of
from tables.sources import CUSTOMER_MERGES, SOURCES

CUSTOMERS = 1_000_000
DELIVERED = [table for table in SOURCES if table != CUSTOMER_MERGES]  # by the demo bank
MEMORY_LIMIT = "8GB"
CSV_FORMAT = "(FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ')"

# The command itself, with a watch on what it spends on contracts and the audit before the commit.
TIMED = """
import sys, time
from pathlib import Path
from jobs.runs import audit_staged
from jobs.cli import main
audit = audit_staged.audit
def timed(run):
    started = time.monotonic()
    audit(run)
    (run.home / "audit_seconds").write_text(str(time.monotonic() - started))
audit_staged.audit = timed
sys.exit(main(["ingest", *sys.argv[1:]]))
"""


def main() -> None:
    """Make the bank as CSV, ingest it, and let DuckDB do its part; 30 GB of disk."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home, made = Path(folder, "home"), Path(folder, "made")
        xsell = str(Path(sys.executable).parent / "xsell")
        bank = ["--customers", str(customers), "--until", AS_OF]
        measured([xsell, "demo", "--home", str(made), *bank])
        rows = _as_one_delivery(made / "landing", home / "landing" / AS_OF)
        ours = measured([sys.executable, "-c", TIMED, "--home", str(home), "--as-of", AS_OF])
        audit_s = float((home / "audit_seconds").read_text(encoding="utf-8"))
        theirs = _duckdb(home / "landing" / AS_OF, Path(folder, "parquet"))
    write_result(
        "ingest",
        {
            "time_ratio_duckdb": round(ours.wall_s / theirs.wall_s, 2),
            "cpu_ratio_duckdb": round(ours.cpu_s / theirs.cpu_s, 2),
            "wall_s": ours.wall_s,
            "wall_s_duckdb": theirs.wall_s,
            "validation_share": round(audit_s / ours.wall_s, 3),
            "peak_mb": ours.peak_mb,
            "peak_mb_duckdb": theirs.peak_mb,
            "rows": rows,
        },
    )


def _as_one_delivery(landing: Path, target: Path) -> int:
    """The last of each whole table and all of each increment, as CSV; returns the transactions."""
    target.mkdir(parents=True)
    files: dict[str, dict[str, object]] = {}
    for table in DELIVERED:
        days = sorted(folder.name for folder in landing.iterdir() if folder.is_dir())
        for day in days if table.kind == "increment" else days[-1:]:
            name = f"{table.name}/{day}.csv"
            (target / table.name).mkdir(exist_ok=True)
            found = _scan(landing / day, table.name)
            columns = ", ".join(table.column_names)
            duckdb.execute(
                f"COPY (SELECT {columns} FROM {found}) TO '{target / name}' {CSV_FORMAT}"
            )
            counted = duckdb.execute(f"SELECT count(*) FROM {found}").fetchone()
            assert counted is not None
            files[name] = {"rows": counted[0], "sha256": sha256_of(target / name)}
    manifest = {"delivery": AS_OF, "files": files}
    (target / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return sum(int(str(entry["rows"])) for name, entry in files.items() if "transactions" in name)


def _scan(folder: Path, name: str) -> str:
    parts = sorted(str(path) for path in [*folder.glob(f"{name}.*"), *folder.glob(f"{name}/*")])
    return f"read_{'csv' if parts[0].endswith('.csv') else 'parquet'}({parts})"


def _duckdb(delivery: Path, out: Path) -> Measured:
    """Read, cast and write every table in a process of its own, on all cores."""
    out.mkdir()
    statements = [
        f"SET memory_limit = '{MEMORY_LIMIT}'; SET preserve_insertion_order = false;",
        "SET enable_progress_bar = false;",
    ]
    for table in DELIVERED:
        casts = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in table.columns)
        text = f"read_csv('{delivery / table.name}/*.csv', all_varchar = true, header = true)"
        target = f"'{out / table.name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        statements.append(f"COPY (SELECT {casts} FROM {text}) TO {target};")
    program = f"import duckdb; duckdb.execute({' '.join(statements)!r})"
    return measured([sys.executable, "-c", program])


if __name__ == "__main__":
    main()
