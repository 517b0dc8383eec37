"""Features of drawn banks by classic Spark, for a test in another process.

``python -m tests.property.spark_snapshots TARGET SEED…`` writes them to TARGET.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from conf.schema import EngineSettings
from features.catalogue import feature_catalogue
from jobs.engine import open_engine
from tests.bank import PRODUCTS, snapshot
from tests.drawn_bank import drawn

FEATURES = feature_catalogue(PRODUCTS)
CLASSIC = EngineSettings(kind="spark", url="local[2]", shuffle_partitions=2)


def main(target: str, *seeds: str) -> None:
    with open_engine(CLASSIC) as spark:
        found = {int(seed): snapshot(spark, drawn(int(seed)), FEATURES) for seed in seeds}
    Path(target).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
