"""What sealing adds to a campaign, and how long verifying and explaining take.

`sealing.py [HOME] [ENTRIES]`: HOME has the scores of 2026-11-01 (without one, the default demo
bank is made and run). Its decisions are sealed once as they are, which is held against all that
`xsell campaign` takes, and then repeated until there are so many. Writes `audit.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from measure import AS_OF, CUSTOMERS, ingested_bank, measured, write_result

from tables.derived import CAMPAIGN_LISTS
from tables.runs import Runs
from tables.store import Store

ENTRIES = 10_000_000
XSELL = str(Path(sys.executable).parent / "xsell")


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        scratch = Path(name)
        given = dict(enumerate(sys.argv))
        home = Path(given[1]) if 1 in given else _bank(scratch / "home")
        wanted = int(given.get(2, ENTRIES))
        campaign = _campaign(home)
        once = _sealed(home, 1, scratch / "once")
        many = _sealed(home, -(-wanted // int(once["entries"])), scratch / "many")
        explained = _explained(home)
    sealing = once["log_cpu_s"] + once["tree_cpu_s"]
    scale = 10_000_000 / many["entries"]
    write_result(
        "audit",
        {
            "seal_share": round(sealing / (campaign - sealing), 3),
            "seal_cpu_s": round(sealing, 1),
            "campaign_cpu_s": round(campaign, 1),
            "campaign_entries": once["entries"],
            "entries": many["entries"],
            "seal_s_10m": round(scale * (many["log_s"] + many["tree_s"]), 1),
            "seal_peak_mb": round(many["peak_mb_seal"], 1),
            "verify_s_10m": round(scale * many["check_s"], 1),
            "verify_alone_s_10m": round(scale * many["alone_s"], 1),
            "export_s_10m": round(scale * many["export_s"], 1),
            "explain_s": round(explained, 2),
        },
    )


def _bank(home: Path) -> Path:
    ingested_bank(home, CUSTOMERS)
    subprocess.run([XSELL, "run", "--home", home, "--as-of", AS_OF], check=True)
    return home


def _campaign(home: Path) -> float:
    """CPU seconds of the campaign, once more: another salt, so that it is not there already."""
    runs = len(Runs(home / "tables").committed())
    command = [XSELL, "campaign", "--home", str(home), "--as-of", AS_OF, "--supersede"]
    return measured([*command, "--set", f"campaign.salt=bench-{runs}"]).cpu_s


def _explained(home: Path) -> float:
    """Seconds until all that was decided about a client is told; the median of five calls."""
    record = Runs(home / "tables").current("campaign", date.fromisoformat(AS_OF))
    assert record is not None, "the campaign was made above"
    listed = Store(home / "tables", None, record.pins).arrow(CAMPAIGN_LISTS, record.as_of)
    client = listed["customer_id"][0].as_py()
    command = [XSELL, "offers", "explain", "--home", str(home), "--run", record.run_id]
    seconds = []
    for _ in range(5):
        started = time.monotonic()
        subprocess.run([*command, "--customer", client], check=True, capture_output=True)
        seconds.append(time.monotonic() - started)
    return median(seconds)


def _sealed(home: Path, copies: int, out: Path) -> dict[str, float]:
    program = str(Path(__file__).with_name("sealing_parts.py"))
    command = [sys.executable, program, str(home), AS_OF, str(copies), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(found, flush=True)
    return found


if __name__ == "__main__":
    main()
