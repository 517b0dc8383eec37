"""Score stored features as the job does: `scoring_ours.py HOME FEATURES OUT ACCELERATOR`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from measure import AS_OF

from conf.load import load_config
from jobs.engine import open_engine
from models.registry import champions
from models.score import score


def main() -> None:
    """Write the scores to OUT."""
    home, features, out, accelerator = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    config, is_accelerated = load_config("local", ()), accelerator != "none"
    used = {
        product: replace(one, scorer=replace(one.scorer, is_accelerated=is_accelerated))
        for product, one in champions(config, home).items()
    }
    with open_engine(config.engine) as spark:
        rows = spark.read.parquet(features)
        scores = score(rows, used, date.fromisoformat(AS_OF), 1)
        scores.write.mode("overwrite").parquet(out)


if __name__ == "__main__":
    main()
