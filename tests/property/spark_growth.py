"""Frequent sets of drawn banks by Spark's FPGrowth, for a test in another process.

``python -m tests.property.spark_growth TARGET SEED…`` writes them to TARGET.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
from pyspark.ml.fpm import FPGrowth

from conf.schema import EngineSettings
from jobs.engine import open_engine

CLASSIC = EngineSettings(kind="spark", url="local[2]", shuffle_partitions=2)
CLIENTS, PRODUCTS, LEAST = 400, 10, 30


def drawn(seed: int) -> np.ndarray:
    """Who holds what; one row per client."""
    draws = np.random.default_rng(seed)
    return draws.random((CLIENTS, PRODUCTS)) < draws.uniform(0.1, 0.8, PRODUCTS)


def main(target: str, *seeds: str) -> None:
    with open_engine(CLASSIC) as spark:
        found = {}
        for seed in map(int, seeds):
            rows = [(np.flatnonzero(row).tolist(),) for row in drawn(seed)]
            baskets = spark.createDataFrame(rows, "items array<int>")
            # half a client less, so that rounding cannot decide about a set
            growth = FPGrowth(itemsCol="items", minSupport=(LEAST - 0.5) / CLIENTS)
            sets = growth.fit(baskets).freqItemsets.collect()
            found[seed] = {tuple(sorted(row["items"])): row["freq"] for row in sets}
    Path(target).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
