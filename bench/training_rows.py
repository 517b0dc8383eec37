"""The rows a training run had, from what it stored: `training_rows.py HOME ROWS ARRAYS`.

Draw and fold are worked out again as `models/sampling.py` does. The segment, which the training set
does not hold, is drawn: only the baseline by segment looks at it, and its cost is the same.
"""

from __future__ import annotations

import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measure import AS_OF

from conf.load import load_config
from jobs.train_propensity import training_plan, training_table
from models.labels import outcome_column
from models.sampling import HEX_DIGITS
from models.training_set import FOLDS, PARTS
from tables.derived import LABELS
from tables.runs import Runs
from tables.store import Store

SEGMENTS = ("affluent", "mass", "new", "young")


def main() -> None:
    """Write the rows as a table for ours, and as arrays for the peer."""
    home, rows, arrays = (Path(argument) for argument in sys.argv[1:4])
    config, as_of = load_config("local", ()), date.fromisoformat(AS_OF)
    record = Runs(home / "tables").current("train", as_of)
    if record is None:
        raise SystemExit(f"no model was trained for {as_of} in {home}")
    store, products = Store(home / "tables", None, record.pins), tuple(config.products)
    found = _with_hashes(store.arrow(training_table(products), as_of), config.models.seed)
    labels = store.arrow(LABELS, as_of)
    for product_id in products:
        found = _with_outcome(found, labels, product_id)
    pq.write_table(found, rows, compression="zstd")
    arrays.mkdir()
    training_plan(config, found, arrays)


def _with_hashes(rows: pa.Table, seed: int) -> pa.Table:
    names = rows["customer_id"].to_pylist()
    cohorts = rows["cohort"].to_pylist()
    draw = np.array([_number(f"draw {seed} {c} {n}") for c, n in zip(cohorts, names, strict=True)])
    draw = draw / 16.0**HEX_DIGITS
    weight = rows["weight"].to_numpy()
    is_train = pc.equal(rows["part"], PARTS[0]).to_numpy()
    is_drawn = ~is_train | (draw < 1 / weight[is_train].max())
    fold = np.array([_number(f"fold {seed} {name}") % FOLDS for name in names], dtype=np.int8)
    segment = np.array(SEGMENTS)[[_number(name) % len(SEGMENTS) for name in names]]
    columns = {"draw": draw, "is_drawn": is_drawn, "fold": fold, "segment": segment}
    for name, values in columns.items():
        rows = rows.append_column(name, pa.array(values))
    return rows


def _number(text: str) -> int:
    return int(sha256(text.encode()).hexdigest()[:HEX_DIGITS], 16)


def _with_outcome(rows: pa.Table, labels: pa.Table, product_id: str) -> pa.Table:
    """Both are sorted by cohort and customer: a label's place is found by its key."""
    own = labels.filter(pc.equal(labels["product_id"], product_id))
    places = pc.index_in(_keys(rows), value_set=_keys(own).combine_chunks())
    return rows.append_column(outcome_column(product_id), own["has_bought"].take(places))


def _keys(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(
        pc.cast(rows["cohort"], pa.string()), pc.cast(rows["customer_id"], pa.string()), " "
    )


if __name__ == "__main__":
    main()
