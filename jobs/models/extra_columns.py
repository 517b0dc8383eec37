"""Columns that a data scientist computed, put beside the customers of a training set."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.models.stored_training_set import COHORT_KEY, keys_of
from tables.errors import UserError
from tables.sources import CUSTOMERS

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
RECIPE = 'docs/feature_catalogue.md, "Add a feature"'


def extra_columns(
    table: Any,  # noqa: ANN401 - Arrow's or pandas'
    customers: pa.Table,
    taken: Collection[str],
) -> pa.Table:
    """The columns besides the key, in the order of ``customers``.

    Args:
        table: Arrow or pandas: ``cohort``, ``customer_id`` and numbers or booleans.
        customers: The rows of the training set, each of which has to be there exactly once.
        taken: Names of features, whether a model may use them or not.

    Raises:
        UserError: Rows are missing, of nobody, or there twice; or a column can't be one of a model.
    """
    rows = (
        table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
    )
    _require_key(rows)
    names = [name for name in rows.column_names if name not in COHORT_KEY]
    _require_names(names, taken)
    for name in names:
        _require_numbers(name, rows.schema.field(name).type)
    return rows.select(names).take(_places(rows, customers))


def _require_key(rows: pa.Table) -> None:
    if missing := [name for name in COHORT_KEY if name not in rows.column_names]:
        raise UserError(
            f"extra columns lack {' and '.join(missing)}: they are joined by cohort and"
            " customer_id, as in Workbench.customers"
        )


def _require_names(names: list[str], taken: Collection[str]) -> None:
    if not names:
        raise UserError("extra columns: there are none besides cohort and customer_id")
    for name in names:
        if not NAME.match(name):
            raise UserError(f"extra column {name!r}: use small letters, digits and _, letter first")
        if name in taken:
            raise UserError(
                f"extra column {name} has the name of a feature. Choose another; which features"
                " are read is said by features="
            )
        if name in CUSTOMERS.column_names:
            raise UserError(
                f"extra column {name} is a column of customers: a model may not use what is"
                " personal, nor may it look so"
            )


def _require_numbers(name: str, kind: pa.DataType) -> None:
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (is_number or pa.types.is_boolean(kind)):
        raise UserError(f"extra column {name} is {kind}; a model reads numbers and booleans")


def _places(rows: pa.Table, customers: pa.Table) -> pa.Array:
    """Where each customer's row is."""
    own, wanted = keys_of(_with_dates(rows)), keys_of(customers)
    at = pc.index_in(wanted, value_set=own)
    missing = at.null_count
    unknown = len(own) - pc.sum(pc.is_in(own, value_set=wanted)).as_py() if len(own) else 0
    twice = len(own) - pc.count_distinct(own).as_py()
    if missing or unknown or twice:
        raise UserError(
            f"extra columns: {missing:,} of {len(wanted):,} rows of the training set are missing,"
            f" {unknown:,} are of nobody in it, {twice:,} repeat a cohort and customer_id."
            " Compute one row for each row of Workbench.customers"
        )
    return at


def _with_dates(rows: pa.Table) -> pa.Table:
    """The cohort as a date, whatever pandas made of it."""
    try:
        dates = pc.cast(rows["cohort"], pa.date32())
        return rows.set_column(rows.column_names.index("cohort"), "cohort", dates)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UserError(
            f"extra columns: cohort is {rows.schema.field('cohort').type}, not a date; take it from"
            " Workbench.customers"
        ) from None
