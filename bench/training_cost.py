"""What training costs from the stored training set on, beside a bare script of the same fits.

Ours is all that `xsell train` does with the rows: boosters, calibration, baselines, intervals,
groups, cards, registry. The peer fits the same boosters on the same rows with the same parameters
and folds, and does nothing else. Both use two processes of one thread each and take turns.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from measure import AS_OF, Measured, ingested_bank, measured, merge_result

CUSTOMERS, TURNS = 200_000, 3
HERE = Path(__file__).parent


def main() -> None:
    """May be said: a HOME of 200,000 customers that is trained, and how many TURNS."""
    turns = int(sys.argv[2]) if sys.argv[2:] else TURNS
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder:
        home = Path(sys.argv[1]).resolve() if sys.argv[1:] else _trained_bank(Path(folder, "home"))
        rows, arrays = Path(folder, "rows.parquet"), Path(folder, "arrays")
        _run("training_rows.py", home, rows, arrays)
        ours: list[Measured] = []
        bare: list[Measured] = []
        for turn in range(turns):
            bare.append(_run("training_bare.py", arrays))
            ours.append(_run("training_ours.py", home, rows, Path(folder, f"ours-{turn}")))
    cpu, alone = (median(run.cpu_s for run in runs) for runs in (ours, bare))
    merge_result(
        "training",
        {
            "cpu_s": cpu,
            "cpu_s_bare": alone,
            "cpu_ratio_bare": round(cpu / alone, 3),
            "training_peak_mb": max(run.peak_mb for run in ours),
            "training_peak_mb_bare": max(run.peak_mb for run in bare),
        },
    )


def _run(program: str, *arguments: object) -> Measured:
    found = measured([sys.executable, str(HERE / program), *map(str, arguments)])
    print(f"{program:<20} {found}")
    return found


def _trained_bank(home: Path) -> Path:
    ingested_bank(home, CUSTOMERS)
    xsell = str(Path(sys.executable).parent / "xsell")
    measured([xsell, "train", "--home", str(home), "--as-of", AS_OF])
    return home


if __name__ == "__main__":
    main()
