"""What a search for better parameters brings on the demo bank: test log loss, AUC, and its CPU.

Each product's booster is trained with production's parameters and with a search, and both are held
beside each other on the test cohort, which neither has seen. So is what the trials liked best, used
or not: that shows what the judging customers were right, or wrong, to hold back.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from measure import AS_OF, CUSTOMERS, ingested_bank, write_result
from threadpoolctl import threadpool_limits

from conf.load import load_config
from conf.model_settings import SearchSettings
from jobs.engine import open_engine
from jobs.run import Run
from jobs.runs.staging import Staging
from jobs.train_propensity import training_plan, training_rows
from models.evaluate import Estimate, log_loss_gain
from models.labels import cohorts
from models.search import Found
from models.train import Candidate, Plan, propensities, shared_arrays, train_booster
from models.training_set import TEST, TRAIN
from tables.runs import Runs
from tables.store import Store

TRIALS, SAMPLES, SEED = 20, 1000, 1


@dataclass(frozen=True)
class Compared:
    """One product's booster, with production's parameters and with others.

    Attributes:
        searched: What a search made of it.
        gain: Test log loss that production loses by, beside what the search uses.
        best_gain: The same beside what the trials liked best, used or not.
        auc_gain: Test AUC of what the search uses less production's.
        seconds: CPU of a training without, and with a search.
    """

    searched: Candidate
    gain: Estimate
    best_gain: Estimate
    auc_gain: float
    seconds: tuple[float, float]


def main() -> None:
    """Make and ingest the default demo bank, unless a home that has one is given."""
    with tempfile.TemporaryDirectory(prefix="xsell-bench-") as folder, threadpool_limits(1):
        given = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
        plan = _plan(given or ingested_bank(Path(folder) / "home", CUSTOMERS), Path(folder))
        needed = plan.settings.min_positives
        own = [product for product in plan.products if _buyers(plan, product) >= needed]
        train_booster(plan, own[0])  # bins the features, for all that follows
        found = {product: _compared(plan, product) for product in own}
    _print(found)
    cpu = [sum(one.seconds[place] for one in found.values()) for place in (0, 1)]
    write_result(
        "search",
        {
            "trials": TRIALS,
            "products": len(found),
            "better": sum(_is_used(one) for one in found.values()),
            "log_loss_gain": round(fmean(one.gain.value for one in found.values()), 6),
            "best_log_loss_gain": round(fmean(one.best_gain.value for one in found.values()), 6),
            "auc_gain": round(fmean(one.auc_gain for one in found.values()), 5),
            "cpu_ratio": round(cpu[1] / cpu[0], 2),
        },
    )


def _plan(home: Path, folder: Path) -> Plan:
    """What the training processes would be told."""
    as_of, config = date.fromisoformat(AS_OF), load_config("local")
    record = Runs(home / "tables").current("ingest", as_of)
    assert record is not None, f"{home} has not been ingested for {as_of}"
    with open_engine(config.engine) as spark:
        store = Store(home / "tables", spark, record.pins)
        staging = Staging(home / "tables", "bench", as_of, config.engine.shuffle_partitions)
        run = Run("bench", as_of, "bench", config, home, spark, store, staging)
        chosen = cohorts(as_of, config.time)
        (folder / "arrays").mkdir()
        return training_plan(run.config, training_rows(run, chosen), folder / "arrays")


def _buyers(plan: Plan, product_id: str) -> int:
    data, place = shared_arrays(plan.folder), plan.products.index(product_id)
    return int((data.outcomes[data.rows(place, TRAIN), place] == 1).sum())


def _compared(plan: Plan, product_id: str) -> Compared:
    searching = replace(
        plan, settings=plan.settings.model_copy(update={"search": SearchSettings(trials=TRIALS)})
    )
    production, cheap = _timed(lambda: train_booster(plan, product_id))
    searched, dear = _timed(lambda: train_booster(searching, product_id))
    liked = _as_liked(plan, product_id, searched.found)
    gains = [_gain(plan, production, other) for other in (searched, liked)]
    aucs = [one.metrics["auc"].value for one in (production, searched)]
    return Compared(searched, gains[0], gains[1], aucs[1] - aucs[0], (cheap, dear))


def _as_liked(plan: Plan, product_id: str, found: Found | None) -> Candidate:
    """The booster with what the trials liked best, whatever the judging customers said."""
    believed = found and replace(found, gain=Estimate(1.0, 1.0, 1.0))
    with patch("models.train.search", lambda *_: believed):
        return train_booster(plan, product_id)


def _gain(plan: Plan, production: Candidate, other: Candidate) -> Estimate:
    data, product_id = shared_arrays(plan.folder), production.scorer.product_id
    place = plan.products.index(product_id)
    rows = data.rows(place, TEST)
    before, after = (propensities(plan, one.scorer, rows) for one in (production, other))
    return log_loss_gain(after, before, data.outcomes[rows, place] == 1, SAMPLES, SEED)


def _timed(train: Callable[[], Candidate]) -> tuple[Candidate, float]:
    started = time.process_time()
    return train(), time.process_time() - started


def _is_used(one: Compared) -> bool:
    return bool(one.searched.found and one.searched.found.used)


def _print(found: dict[str, Compared]) -> None:
    for product_id, one in found.items():
        told = one.searched.found.in_words() if one.searched.found else "too few buyers"
        print(f"{product_id}: {told}")
        print(
            f"    test log loss gain of what is used {one.gain.in_words(5, sign=True)},"
            f" of what was liked best {one.best_gain.in_words(5, sign=True)};"
            f" AUC {one.auc_gain:+.4f}; {one.seconds[0]:.1f} CPU-s, searching {one.seconds[1]:.1f}"
        )


if __name__ == "__main__":
    main()
