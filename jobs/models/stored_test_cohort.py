"""The test cohort that a training run stored: features and outcomes, read without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.matrix import Outcomes
from models.training_set import PARTS, TEST
from tables.derived import LABELS, TRAINING_SET
from tables.errors import UserError
from tables.runs import Runs
from tables.store import Store


@dataclass(frozen=True)
class StoredCohort:
    """Test customers who could buy one product.

    Attributes:
        cohort: Its date.
        rows: The columns asked for.
        has_bought: What happened.
    """

    cohort: str
    rows: pa.Table
    has_bought: Outcomes


def stored_test_cohort(
    home: Path, run_id: str, product_id: str, columns: Sequence[str]
) -> StoredCohort:
    """The test cohort of a training run.

    Args:
        home: Where state lives.
        run_id: Of the training run.
        product_id: Whose outcomes.
        columns: Of the features.

    Raises:
        UserError: The run is gone, or stored other features.
    """
    record = Runs(home / "tables").find(run_id)
    if record is None:
        raise UserError(f"training run {run_id[:12]} is not in {home / 'tables'}")
    store = Store(home / "tables", None, record.pins)
    stored = store.stored_columns(TRAINING_SET, record.as_of)
    if missing := sorted(set(columns) - stored.names):
        raise UserError(f"training run {run_id[:12]} stored no {', '.join(missing[:3])}")
    in_test = pc.equal(stored.column("part"), PARTS[TEST])
    names = ["customer_id", "cohort", *columns]
    rows = pa.table({name: stored.column(name).filter(in_test) for name in names})
    bought = _labels(store, record.as_of, product_id, rows)
    has_bought = np.asarray(pc.drop_null(bought).to_numpy(), dtype=np.bool_)
    dates = ", ".join(str(day) for day in pc.unique(rows["cohort"]).to_pylist())
    return StoredCohort(dates, rows.filter(pc.is_valid(bought)), has_bought)


def _labels(store: Store, as_of: date, product_id: str, rows: pa.Table) -> pa.ChunkedArray:
    """Per row whether the product was bought; null where it could not be."""
    stored = store.stored_columns(LABELS, as_of)
    is_wanted = pc.and_(
        pc.equal(stored.column("product_id"), product_id),
        pc.is_in(stored.column("cohort"), value_set=pc.unique(rows["cohort"])),
    )
    customers = stored.column("customer_id").filter(is_wanted)
    has_bought = stored.column("has_bought").filter(is_wanted)
    return has_bought.take(pc.index_in(rows["customer_id"], value_set=customers.combine_chunks()))


class SampledTestCohort:
    """Some test customers of a training run, for every product: each column is read once.

    Args:
        home: Where state lives.
        run_id: Of the training run.
        most: Of more customers some at equal distances are taken: ids often tell who came first.

    Raises:
        UserError: The run is gone.
    """

    def __init__(self, home: Path, run_id: str, most: int) -> None:
        record = Runs(home / "tables").find(run_id)
        if record is None:
            raise UserError(f"training run {run_id[:12]} is not in {home / 'tables'}")
        store = Store(home / "tables", None, record.pins)
        self._stored = store.stored_columns(TRAINING_SET, record.as_of)
        places = np.flatnonzero(pc.equal(self._stored.column("part"), PARTS[TEST]).to_numpy())
        some = np.linspace(0, len(places) - 1, min(len(places), most)).astype(np.int64)
        self._places = pa.array(places[some])
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._labels = store.snapshot_where(
            LABELS,
            record.as_of,
            pc.field("cohort").isin(pc.unique(self._column("cohort")))
            & pc.field("customer_id").isin(self._column("customer_id").combine_chunks()),
            ["customer_id", "product_id"],
        )

    def could_buy(self, product_id: str, columns: Sequence[str]) -> pa.Table:
        """Those of them who could buy a product.

        Args:
            product_id: The product.
            columns: Of the features.

        Raises:
            UserError: The run stored other features.
        """
        if missing := sorted(set(columns) - self._stored.names):
            raise UserError(f"the training run stored no {', '.join(missing[:3])}")
        of_product = self._labels.filter(pc.equal(self._labels["product_id"], product_id))
        could = pc.is_in(
            self._column("customer_id"), value_set=of_product["customer_id"].combine_chunks()
        )
        return pa.table({name: self._column(name) for name in columns}).filter(could)

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self._columns:
            self._columns[name] = self._stored.column(name).take(self._places)
        return self._columns[name]
