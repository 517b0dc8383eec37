"""A year of campaigns measured: `measured_year.py [CUSTOMERS] [HOME]`.

A home of 12 campaigns is made, unless one is named that has been made so, and `xsell measure` is
run on it as anybody would, engine and reports included. Adds `seconds_1m` (as measured: of as many
customers as it says, a million by default) and `peak_mb` to `measurement.json`, beside what
`measurement_coverage.py` writes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import measured, merge_result
from measurement_home import AS_OF, make_home

CUSTOMERS = 1_000_000
XSELL = str(Path(sys.executable).parent / "xsell")


def main() -> None:
    """Make, measure and write."""
    given = dict(enumerate(sys.argv))
    customers = int(given.get(1, CUSTOMERS))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        home = Path(given.get(2, f"{scratch}/home"))
        if not home.exists():
            make_home(home, customers)
        command = [XSELL, "measure", "--home", str(home), "--as-of", str(AS_OF), "--supersede"]
        runs = len(list((home / "tables" / "runs" / "data").iterdir()))
        found = measured([*command, "--set", f"campaign.salt=bench-{runs}"])
    merge_result(
        "measurement",
        {
            "seconds_1m": found.wall_s,
            "cpu_s_1m": found.cpu_s,
            "peak_mb": found.peak_mb,
            "customers": customers,
        },
    )


if __name__ == "__main__":
    main()
