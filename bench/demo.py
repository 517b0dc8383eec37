"""A demo bank of a million customers and 100 million transactions: does it stream?"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pyarrow.dataset as ds
from measure import AS_OF, measured, write_result

CUSTOMERS = 1_000_000


def main() -> None:
    """Make the bank, count what was written, and throw it away; it takes 7 GB of disk."""
    xsell = str(Path(sys.executable).parent / "xsell")
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as home:
        place = ["--home", home, "--until", AS_OF]
        made = measured([xsell, "demo", *place, "--customers", str(CUSTOMERS)])
        landed = Path(home, "landing").glob("*/transactions*")
        transactions = sum(ds.dataset(path).count_rows() for path in landed)
    write_result(
        "demo",
        {
            "wall_s": made.wall_s,
            "cpu_s": made.cpu_s,
            "peak_mb": made.peak_mb,
            "customers": CUSTOMERS,
            "transactions": transactions,
            "transactions_per_s": round(transactions / made.wall_s),
        },
    )


if __name__ == "__main__":
    main()
