"""`Booster.predict` of every champion and nothing else: `scoring_predict.py HOME FEATURES OUT`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from conf.load import load_config
from models.matrix import feature_matrix
from models.registry import champions
from models.scorer import Scorer

PROCESSES = 2


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
    rows, seconds = pq.read_table(file), 0.0
    for scorer in scorers:
        matrix = scorer.with_attributes(feature_matrix(rows, scorer.features))
        booster = scorer.booster()
        begun = time.process_time()
        np.asarray(booster.predict(matrix, raw_score=True, num_threads=1))
        seconds += time.process_time() - begun
    return seconds


if __name__ == "__main__":
    main()
