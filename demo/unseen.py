"""Customers who were erased live on in the simulation, and nothing of them is written."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from demo.deliveries import ID


def without(rows: pa.Table, numbers: Sequence[int]) -> pa.Table:
    """Rows that are not these customers'.

    Args:
        rows: With a customer or an account, whose identifier holds its customer's number.
        numbers: Of customers.
    """
    if not numbers:
        return rows
    name = "customer_id" if "customer_id" in rows.column_names else "account_id"
    found = pc.utf8_slice_codeunits(rows[name].cast(pa.string()), 1, 1 + ID)
    unseen = pa.array([f"{number:0{ID}d}" for number in numbers])
    return rows.filter(pc.invert(pc.is_in(found, unseen)))
