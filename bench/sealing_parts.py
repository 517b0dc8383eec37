"""Seal a bank's decisions many times over, and verify: `sealing_parts.py HOME AS_OF COPIES OUT`.

The decisions of a committed campaign are repeated under other customers, so that millions are made
of thousands. Prints seconds and CPU of each part as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pyspark.sql import functions as F

from audit import verify_offer_log
from audit.check_log import check_log
from audit.checkpoint import VerifierKey
from audit.export_log import export_log
from conf.load import load_config
from jobs.audit.log_keys import published_keys
from jobs.audit.seal import seal, stage_log
from jobs.engine import open_engine
from jobs.home import Home
from jobs.run import Run
from jobs.runs.staging import Staging
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, CHECKPOINTS, DECISIONS, OFFER_LOG
from tables.files import make_folder
from tables.runs import Runs
from tables.store import Store

RUN_ID = "0" * 64


def main() -> None:
    """Seal, verify with our own code, export, verify the export."""
    home, as_of, copies = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3])
    out = make_folder(Path(sys.argv[4]))
    record = Runs(home / "tables").current("campaign", as_of)
    assert record is not None, f"{home} has no campaign of {as_of}"
    found: dict[str, float] = {}
    config = load_config("local", [])
    with open_engine(config.engine) as spark:
        decisions = Store(home / "tables", spark, record.pins).snapshot(DECISIONS, as_of)
        customer = F.concat_ws("-", F.col("id").cast("string"), "customer_id")
        many = decisions.crossJoin(spark.range(copies)).withColumns(
            {"customer_id": customer, "run_id": F.lit(RUN_ID)}
        )
        staging = Staging(out / "tables", RUN_ID, as_of, config.engine.shuffle_partitions)
        store = Store(out / "tables", spark, {})
        run = Run("campaign", as_of, RUN_ID, config, out, spark, store, staging)
        _timed("decisions", found, lambda: run.stage(DECISIONS, many))
        _timed("log", found, lambda: stage_log(run))
        for table in (CAMPAIGN_LISTS, CARE_LISTS):  # what the run states last is about lists
            run.stage(table, arrow_schema(table).empty_table())
        _timed("tree", found, lambda: seal(run))
    found["entries"] = staging.rows(OFFER_LOG) + 1  # what the run states last
    found["peak_mb_seal"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _verify(Store(out / "tables", None, {}, staging.files), out, found)
    sys.stdout.write(json.dumps(found) + "\n")


def _verify(store: Store, out: Path, found: dict[str, float]) -> None:
    keys = [VerifierKey.from_text(text) for text in published_keys(Home(out))]

    def ours() -> None:
        check = check_log(store, keys)
        assert not check.findings, check.findings
        assert check.entries == found["entries"], "everything was looked at"

    _timed("check", found, ours)
    exported = make_folder(out / "export")
    _timed("export", found, lambda: export_log(store, keys, exported))

    def alone() -> None:
        [row] = store.arrow_records(CHECKPOINTS).to_pylist()
        assert row["size"] == found["entries"]
        assert verify_offer_log.main([str(exported)]) == 0

    _timed("alone", found, alone)


def _timed(what: str, found: dict[str, float], work: Callable[[], object]) -> None:
    started, cpu = time.monotonic(), time.process_time()
    work()
    found[f"{what}_s"] = round(time.monotonic() - started, 1)
    found[f"{what}_cpu_s"] = round(time.process_time() - cpu, 1)


if __name__ == "__main__":
    main()
