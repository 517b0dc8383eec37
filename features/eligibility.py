"""May this customer hold this product? Said once, for labels and for campaigns alike."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, functions as F

from conf.schema import EligibilityRules, Product
from tables.reason_codes import ReasonCode

INCOME_MONTHS = 3


def eligibility_failures(
    product_id: str, product: Product, as_of: date
) -> dict[ReasonCode, Column]:
    """Each rule of a product with a column that is true where the rule fails, and never null.

    Args:
        product_id: The product as in ``conf/base/products.yaml``.
        product: Its configuration; only rules that restrict are returned.
        as_of: Age is counted in completed years on this day.

    Returns:
        Columns over a frame with ``birth_date``, ``income_amount_3m`` (regular income of three
        months), ``balance_amount`` and ``open_products`` (array of product ids held).
    """
    rules = product.eligibility
    failures = _age_failures(rules, as_of) | _money_failures(rules)
    if not product.can_be_held_twice:
        failures[ReasonCode.ALREADY_HELD] = _holds_any([product_id])
    if rules.requires_any:
        failures[ReasonCode.LACKS_REQUIRED_PRODUCT] = ~_holds_any(rules.requires_any)
    if rules.excludes:
        failures[ReasonCode.HOLDS_EXCLUDED_PRODUCT] = _holds_any(rules.excludes)
    return failures


def is_eligible(product_id: str, product: Product, as_of: date) -> Column:
    """No rule of the product fails."""
    failures = eligibility_failures(product_id, product, as_of).values()
    return ~reduce(or_, failures, F.lit(False))


def _age_failures(rules: EligibilityRules, as_of: date) -> dict[ReasonCode, Column]:
    """Age in completed years; an unknown age fails a product that has an age limit.

    Who was born on 29 February is a year older on 1 March, where there is no 29 February.
    """
    failures: dict[ReasonCode, Column] = {}
    born_on = F.col("birth_date")
    if rules.min_age is not None:
        youngest = _years_before(as_of, rules.min_age)
        failures[ReasonCode.TOO_YOUNG] = F.coalesce(born_on > F.lit(youngest), F.lit(False))
    if rules.max_age is not None:
        too_old_from = _years_before(as_of, rules.max_age + 1)
        failures[ReasonCode.TOO_OLD] = F.coalesce(born_on <= F.lit(too_old_from), F.lit(False))
    if failures:
        failures[ReasonCode.AGE_UNKNOWN] = born_on.isNull()
    return failures


def birthday(birth_date: str, age: int) -> Column:
    """The day on which a customer reaches an age."""
    same_month = F.add_months(birth_date, 12 * age)
    is_missing = F.dayofmonth(same_month) != F.dayofmonth(birth_date)
    return F.date_add(same_month, F.when(is_missing, F.lit(1)).otherwise(F.lit(0)))


def age_on(birth_date: str, as_of: date) -> Column:
    """Completed years on a day; null if the birth date is unknown."""
    this_year = F.lit(as_of.year) - F.year(birth_date)
    day_of_birth = F.month(birth_date) * 100 + F.dayofmonth(birth_date)
    has_yet_to_come = day_of_birth > F.lit(as_of.month * 100 + as_of.day)
    return this_year - F.when(has_yet_to_come, F.lit(1)).otherwise(F.lit(0))


def _years_before(as_of: date, years: int) -> date:
    """The last day of birth of those who have reached an age."""
    is_leap_day = (as_of.month, as_of.day) == (2, 29)
    year = as_of.year - years
    return date(year, 2, 28) if is_leap_day and not isleap(year) else as_of.replace(year=year)


def _money_failures(rules: EligibilityRules) -> dict[ReasonCode, Column]:
    """Income and balance below their limits; an unknown amount does not reach any limit."""
    failures: dict[ReasonCode, Column] = {}
    if rules.min_monthly_income is not None:
        needed = F.lit(rules.min_monthly_income * INCOME_MONTHS)
        failures[ReasonCode.INCOME_TOO_LOW] = _is_below("income_amount_3m", needed)
    if rules.min_balance is not None:
        failures[ReasonCode.BALANCE_TOO_LOW] = _is_below("balance_amount", F.lit(rules.min_balance))
    return failures


def _is_below(amount: str, limit: Column) -> Column:
    return F.coalesce(F.col(amount) < limit, F.lit(True))


def _holds_any(products: Sequence[str]) -> Column:
    """Unknown holdings count as none."""
    held = [F.array_contains("open_products", product_id) for product_id in products]
    return F.coalesce(reduce(or_, held), F.lit(False))


def open_products(holdings: DataFrame, as_of: date) -> DataFrame:
    """What each customer holds on ``as_of``, which is after the opening and not after the last day.

    Args:
        holdings: One row per holding known before ``as_of``.
        as_of: Cut-off, exclusive.

    Returns:
        ``customer_id`` and ``open_products``; customers who hold nothing are absent.
    """
    is_opened = F.col("opened_on") < F.lit(as_of)
    is_not_closed = F.col("closed_on").isNull() | (F.col("closed_on") >= F.lit(as_of))
    return (
        holdings.where(is_opened & is_not_closed)
        .groupBy("customer_id")
        .agg(F.array_sort(F.collect_set("product_id")).alias("open_products"))
    )
