"""`Booster.predict` of every champion and nothing else: `scoring_predict.py HOME FEATURES OUT`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq

from conf.load import load_config
from jobs.engine import SAIL
from models.matrix import feature_matrix
from models.registry import champions
from models.scorer import Scorer

PROCESSES = 2
BATCH = int(SAIL["SAIL_EXECUTION__BATCH_SIZE"])


def main() -> None:
    """Write the CPU seconds that both processes spent in predicting."""
    home, features = Path(sys.argv[1]), Path(sys.argv[2])
    found = champions(load_config("local", ()), home).values()
    scorers = [one.scorer for one in found if one.scorer.kind != "segment_rate"]
    files = sorted(features.iterdir())
    with ProcessPoolExecutor(PROCESSES) as pool:
        seconds = pool.map(_predict, [scorers] * len(files), files)
        Path(sys.argv[3]).write_text(str(sum(seconds)), encoding="utf-8")


def _predict(scorers: list[Scorer], file: Path) -> float:
    rows = pq.read_table(file)
    features = scorers[0].features  # the same for all
    assert all(scorer.features == features for scorer in scorers)
    seconds = 0.0
    for start in range(0, rows.num_rows, BATCH):
        batch = feature_matrix(rows.slice(start, BATCH), features)
        for scorer in scorers:
            matrix, booster = scorer.with_attributes(batch), scorer.booster()
            begun = time.process_time()
            booster.predict(matrix, raw_score=True, num_threads=1)
            seconds += time.process_time() - begun
    return seconds


if __name__ == "__main__":
    main()
