"""A million customers x 20 offers within every limit: seconds, memory, gap, and what it is worth.

Beside it, under the same limits, what is taken in turn: customer by customer, the highest
propensity first, product by product the highest profit first, and the highest profit of all first.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import Measured, measured, write_result
from optimiser_options import OFFERS

SIZES = (10_000, 100_000, 1_000_000)
SIMPLE = ("customer_order", "score_first", "product_value", "value_first")
PROGRAM = Path(__file__).parent / "optimiser_ours.py"


def main() -> None:
    """May be said: the numbers of CUSTOMERS, the last of which counts."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    result: dict[str, float] = {}
    for customers in sizes:
        found, run = _chosen(customers, is_beside=False)
        print(f"{customers:,} customers: {found}, {run}", flush=True)
        result |= {
            f"seconds_{customers}": found["seconds"],
            f"cpu_s_{customers}": found["cpu_s"],
            f"gap_{customers}": found["gap"],
            f"peak_mb_{customers}": run.peak_mb,
        }
        last = found | {"peak_mb": run.peak_mb, "customers": customers, "offers": OFFERS}
    beside, _ = _chosen(sizes[-1], is_beside=True)
    ratios = {name: beside[f"profit_ratio_{name}"] for name in SIMPLE}
    result |= last | {name: value for name, value in beside.items() if name not in last}
    write_result("optimiser", result | {"profit_ratio_greedy": min(ratios.values())})


def _chosen(customers: int, is_beside: bool) -> tuple[dict[str, float], Measured]:
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        out = Path(folder) / "found.json"
        more = ["beside"] if is_beside else []
        run = measured([sys.executable, str(PROGRAM), str(customers), str(out), *more])
        found: dict[str, float] = json.loads(out.read_text(encoding="utf-8"))
        return found, run


if __name__ == "__main__":
    main()
