"""Score stored features as the job does: `scoring_ours.py HOME FEATURES OUT ACCELERATOR`."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from measure import AS_OF

from conf.load import load_config
from features.catalogue import customer_features_table
from jobs.engine import open_engine
from jobs.runs.staging import Staging
from models.registry import champions
from models.score import score
from tables.derived import PROPENSITY_SCORES


def main() -> None:
    """Write the scores below OUT, where nothing else stays."""
    home, features, out = (Path(argument) for argument in sys.argv[1:4])
    config, as_of = load_config("local", ()), date.fromisoformat(AS_OF)
    used = {
        product: replace(one, scorer=replace(one.scorer, is_accelerated=sys.argv[4] != "none"))
        for product, one in champions(config, home).items()
    }
    shutil.rmtree(out, ignore_errors=True)
    staging = Staging(out, "bench", as_of, config.engine.shuffle_partitions)
    table = customer_features_table(tuple(config.products))
    with open_engine(config.engine) as spark:
        rows = spark.read.schema(table.ddl).parquet(*sorted(map(str, features.iterdir())))
        staging.stage(PROPENSITY_SCORES, score(rows, used, as_of, 1), is_ordered=True)


if __name__ == "__main__":
    main()
