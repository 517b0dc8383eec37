"""May this customer hold this product? The rules of `features/eligibility.py` without an engine.

They are written twice because a Column cannot be asked of an array; a test holds both beside each
other. For what looks back at millions of customers and needs no engine otherwise.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from conf.schema import EligibilityRules, Product
from features.eligibility import INCOME_MONTHS

Bools = npt.NDArray[np.bool_]
BORN, INCOME, BALANCE = "birth_date", "income_amount_3m", "balance_amount"


def columns_needed(product_id: str, product: Product) -> list[str]:
    """What ``eligible_rows`` asks of a product's customers: features, and the birth date."""
    rules = product.eligibility
    asked = {
        BORN: rules.min_age is not None or rules.max_age is not None,
        INCOME: rules.min_monthly_income is not None,
        BALANCE: rules.min_balance is not None,
    }
    held = [] if product.can_be_held_twice else [product_id]
    products = [*held, *rules.requires_any, *rules.excludes]
    return [
        *(name for name, is_asked in asked.items() if is_asked),
        *dict.fromkeys(f"has_{name}" for name in products),
    ]


def eligible_rows(product_id: str, product: Product, customers: pa.Table, as_of: date) -> Bools:
    """Of each customer whether no rule of the product fails.

    Args:
        product_id: The product as in ``conf/base/products.yaml``.
        product: Its configuration.
        customers: The columns that ``columns_needed`` names, one row per customer.
        as_of: Age is counted in completed years on this day.
    """
    rules, found = product.eligibility, np.ones(customers.num_rows, dtype=np.bool_)
    for passes in (*_ages(rules, customers, as_of), *_amounts(rules, customers)):
        found &= passes
    if not product.can_be_held_twice:
        found &= ~_holds_any(customers, [product_id])
    if rules.requires_any:
        found &= _holds_any(customers, rules.requires_any)
    return found & ~_holds_any(customers, rules.excludes)


def _ages(rules: EligibilityRules, customers: pa.Table, as_of: date) -> Iterator[Bools]:
    """An unknown age fails a product that has an age limit."""
    if rules.min_age is not None:
        youngest = _years_before(as_of, rules.min_age)
        yield _is_true(pc.less_equal(customers[BORN], pa.scalar(youngest, pa.date32())))
    if rules.max_age is not None:
        too_old_from = _years_before(as_of, rules.max_age + 1)
        yield _is_true(pc.greater(customers[BORN], pa.scalar(too_old_from, pa.date32())))


def _amounts(rules: EligibilityRules, customers: pa.Table) -> Iterator[Bools]:
    """An unknown amount does not reach any limit."""
    if rules.min_monthly_income is not None:
        yield _reaches(customers[INCOME], rules.min_monthly_income * INCOME_MONTHS)
    if rules.min_balance is not None:
        yield _reaches(customers[BALANCE], rules.min_balance)


def _reaches(amounts: pa.ChunkedArray, limit: Decimal) -> Bools:
    # The double nearest to an amount in cents is the same on both sides.
    return _is_true(pc.greater_equal(pc.cast(amounts, pa.float64()), float(limit)))


def _holds_any(customers: pa.Table, products: Sequence[str]) -> Bools:
    """Unknown holdings count as none."""
    found = np.zeros(customers.num_rows, dtype=np.bool_)
    for name in products:
        found |= _is_true(customers[f"has_{name}"])
    return found


def _is_true(values: pa.ChunkedArray) -> Bools:
    known = pc.fill_null(values, False)
    return np.asarray(known.to_numpy(), dtype=np.bool_)


def _years_before(as_of: date, years: int) -> date:
    """The last day of birth of those who have reached an age."""
    is_leap_day = (as_of.month, as_of.day) == (2, 29)
    year = as_of.year - years
    return date(year, 2, 28) if is_leap_day and not isleap(year) else as_of.replace(year=year)
