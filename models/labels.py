"""Bought in the outcome window? The only file here that looks past a cohort's date."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, functions as F

from conf.schema import Product, TimeSettings
from features.eligibility import is_eligible, open_products
from tables.windows import months_before


@dataclass(frozen=True)
class Cohorts:
    """Which past dates train, calibrate and test; each part's outcomes end before the next begins.

    Attributes:
        train: Consecutive months, oldest first.
        calibration: Later than every training outcome.
        test: Later than every calibration outcome; its own outcomes are known at the as-of date.
    """

    train: tuple[date, ...]
    calibration: date
    test: date

    @property
    def all(self) -> tuple[date, ...]:
        """Every cohort, oldest first."""
        return (*self.train, self.calibration, self.test)


def cohorts(as_of: date, time: TimeSettings) -> Cohorts:
    """The latest cohorts whose outcomes end before the next part, and the last by ``as_of``."""
    test = _latest_over_by(as_of, time)
    calibration = _latest_over_by(test, time)
    newest = _latest_over_by(calibration, time)
    ages = range(time.train_cohorts - 1, -1, -1)
    return Cohorts(tuple(months_before(newest, age) for age in ages), calibration, test)


def outcome_window(cohort: date, time: TimeSettings) -> tuple[date, date]:
    """First day of the outcome window, and the first day after it; clips at short months."""
    opens = cohort + timedelta(days=time.gap_days)
    index = opens.year * 12 + opens.month - 1 + time.outcome_months
    year, month = index // 12, index % 12 + 1
    return opens, date(year, month, min(opens.day, calendar.monthrange(year, month)[1]))


def _latest_over_by(limit: date, time: TimeSettings) -> date:
    """The latest first of a month whose outcome window ends at ``limit`` or before."""
    cohort = limit
    while outcome_window(cohort, time)[1] > limit:
        cohort = months_before(cohort, 1)
    return cohort


def with_outcomes(
    snapshot: DataFrame,
    *,
    customers: DataFrame,
    held: DataFrame,
    bought: DataFrame,
    products: Mapping[str, Product],
    cohort: date,
    time: TimeSettings,
) -> DataFrame:
    """Add to each customer of a cohort which products the customer went on to buy.

    Args:
        snapshot: Customer features as of ``cohort``, one row per active customer.
        customers: Known before ``cohort``; gives the birth date for age limits.
        held: Holdings known before ``cohort``: who could not buy because it was there already.
        bought: Holdings known before the as-of date of the training run, hence later purchases.
        products: Active products by id.
        cohort: As-of date of the snapshot.
        time: Gap and outcome window.

    Returns:
        The snapshot with one nullable boolean per product, named by ``outcome_column``: null where
        the customer could not buy it, else whether it was opened in the outcome window.
    """
    born = customers.select("customer_id", "birth_date")
    return (
        snapshot.join(born, on="customer_id", how="left")  # customer_id is the key of customers
        .join(open_products(held, cohort), on="customer_id", how="left")  # grouped by it
        .join(purchases(bought, cohort, time), on="customer_id", how="left")  # grouped by it
        .select(
            *snapshot.columns,
            *(_outcome(product_id, product, cohort) for product_id, product in products.items()),
        )
    )


def outcome_column(product_id: str) -> str:
    """Name of the column that ``with_outcomes`` adds for a product."""
    return f"outcome__{product_id}"


def label_rows(outcomes: pa.Table, product_id: str, as_of: date) -> pa.Table:
    """The labels of one product: the customers who could buy it, shaped as LABELS.

    Args:
        outcomes: ``cohort``, ``customer_id`` and the product's outcome column.
        product_id: The product.
        as_of: As-of date of the training run.
    """
    has_bought = outcomes[outcome_column(product_id)]
    could_buy = outcomes.filter(pc.is_valid(has_bought))
    return pa.table(
        {
            "as_of": pa.repeat(pa.scalar(as_of), could_buy.num_rows),
            "cohort": could_buy["cohort"],
            "customer_id": could_buy["customer_id"],
            "product_id": pa.repeat(product_id, could_buy.num_rows),
            "has_bought": pc.drop_null(has_bought),
        }
    )


def outcome_codes(outcomes: pa.Table, product_id: str) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The outcomes of one product as numbers: -1 could not buy, 0 did not, 1 did."""
    codes = pc.fill_null(pc.cast(outcomes[outcome_column(product_id)], pa.int8()), -1)
    return np.asarray(codes.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int8)


def purchases(bought: DataFrame, cohort: date, time: TimeSettings) -> DataFrame:
    """``bought_products``, opened in the outcome window; one row per customer who bought any."""
    opens, closes = outcome_window(cohort, time)
    in_outcome_window = (F.col("opened_on") >= F.lit(opens)) & (F.col("opened_on") < F.lit(closes))
    return (
        bought.where(in_outcome_window)
        .groupBy("customer_id")
        .agg(F.collect_set("product_id").alias("bought_products"))
    )


def _outcome(product_id: str, product: Product, cohort: date) -> Column:
    has_bought = F.coalesce(F.array_contains("bought_products", product_id), F.lit(False))
    outcome = F.when(is_eligible(product_id, product, cohort), has_bought)
    return outcome.alias(outcome_column(product_id))
