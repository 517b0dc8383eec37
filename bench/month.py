"""The default month, from the demo bank to its lists: seconds and memory, install excluded."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow.dataset as ds
from measure import AS_OF, CUSTOMERS, DEFAULT_BANK, measured, write_result


def main() -> None:
    """Measure both commands of `make run` in an empty home."""
    xsell = str(Path(sys.executable).parent / "xsell")
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as home:
        place = ["--home", home]
        demo = measured([xsell, "demo", *place, *DEFAULT_BANK])
        month = measured([xsell, "run", *place, "--as-of", AS_OF])
        again = measured([xsell, "run", *place, "--as-of", AS_OF])
        landed = Path(home, "landing").glob("*/transactions*")
        transactions = sum(ds.dataset(path).count_rows() for path in landed)
    write_result(
        "month",
        {
            "wall_s": round(demo.wall_s + month.wall_s, 2),
            "demo_wall_s": demo.wall_s,
            "run_wall_s": month.wall_s,
            "rerun_wall_s": again.wall_s,
            "cpu_s": round(demo.cpu_s + month.cpu_s, 2),
            "peak_mb": max(demo.peak_mb, month.peak_mb),
            "customers": CUSTOMERS,
            "transactions": transactions,
        },
    )


if __name__ == "__main__":
    main()
