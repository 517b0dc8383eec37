"""Production's models on public data, beside what others published and what has to be reached.

Data come from ``../shared/data``; what is absent is left out with a line. What is measured is not
what was tuned: settings are production's unless the line says otherwise.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
from measure import write_result
from public import DATA, Line, flat_lines, parquet
from public_coil import coil
from public_uci import uci
from public_uplift import hillstrom, insurance
from public_zimnat import zimnat
from threadpoolctl import threadpool_limits

from models.evaluate import Estimate

FOLDER = Path("var/bench")
BERKA = Path("var-berka/reports/berka_backtest.json")
DataSet = Callable[[Callable[[str, str], pd.DataFrame], Path], list[Line]]
DATA_SETS: Mapping[str, DataSet] = {
    "coil": coil,
    "uci": uci,
    "zimnat": zimnat,
    "hillstrom": hillstrom,
    "insurance": insurance,
}


def main() -> None:
    """All data sets, or those named."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines: list[Line] = []
    with threadpool_limits(1):
        for name in sys.argv[1:] or DATA_SETS:
            lines += _measured(name)
    lines += _berka()
    print(*lines, sep="\n")
    write_result("models", flat_lines(lines), FOLDER)


def _measured(name: str) -> list[Line]:
    started = time.process_time()
    try:
        lines = DATA_SETS[name](parquet, FOLDER)
    except FileNotFoundError as missing:
        print(f"{name}: skipped, {missing.filename} is not there (data sets lie in {DATA})")
        return []
    print(f"{name}: {time.process_time() - started:.0f} CPU-s")
    return lines


def _berka() -> list[Line]:
    """What ``make berka`` found last."""
    if not BERKA.exists():
        print(f"berka: skipped, {BERKA} is not there: run make berka")
        return []
    found = json.loads(BERKA.read_text(encoding="utf-8"))
    figures = (found[f"propensity_decile_lift{end}"] for end in ("", "_low", "_high"))
    balance = f"account balance alone {found['account_balance_decile_lift']:.2f}"
    what = "lift of loan buyers in the best tenth (from the last make berka)"
    return [Line("berka_top_decile_lift", "Berka", what, Estimate(*figures), balance, digits=2)]


if __name__ == "__main__":
    main()
