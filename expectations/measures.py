"""Numbers about a whole table: counted by the engine, one row and one column each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame, functions as F

from expectations.suite import Measure

# Bounds of propensity between which the share of customers is compared from month to month:
# fixed, since quantiles differ between engines.
DRIFT_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
# What an empty class counts as: a logarithm of zero would make any drift infinite.
SMALLEST_SHARE = 1e-4


def count_where(is_broken: Column) -> Measure:
    """Rows for which the condition is true."""
    return F.count_if(is_broken)


def repeated(key: Collection[str]) -> Measure:
    """Keys that occur more than once."""
    return lambda rows: (
        rows.groupBy(*key).agg(F.count("*").alias("times")).agg(F.count_if(F.col("times") > 1))
    )


def differs_within(column: str) -> Measure:
    """1 if there is more than one value, else 0."""
    return F.coalesce((F.min(column) != F.max(column)).cast("int"), F.lit(0))


def values_without(column: str, known: DataFrame) -> Measure:
    """Rows whose value is not null and not among the known ones.

    Args:
        column: What to look at.
        known: One column, the known values.
    """
    names = known.toDF(column).distinct()
    return lambda rows: (
        rows.where(F.col(column).isNotNull())
        # counted first, so that no engine holds the rows themselves while it joins
        .groupBy(column)
        .agg(F.count("*").alias("times"))
        .join(names, on=column, how="left_anti")
        .agg(F.coalesce(F.sum("times"), F.lit(0)))
    )


def groups_larger_than(
    column: str,
    limit: int,
    limits: Mapping[str, int] | None = None,
    of: Column | None = None,
) -> Measure:
    """Groups with more rows than their limit; only those ``of`` which a condition holds count."""
    is_counted = F.lit(True) if of is None else of
    allowed = F.lit(limit)
    for name, own_limit in sorted((limits or {}).items()):
        allowed = F.when(F.col(column) == name, F.lit(own_limit)).otherwise(allowed)
    return lambda rows: (
        rows.groupBy(column)
        .agg(F.count_if(is_counted).alias("size"))
        .agg(F.count_if(F.col("size") > allowed))
    )


def groups_not_ranked_densely(column: str, rank: str) -> Measure:
    """Groups whose ranks are not 1, 2, 3, … without gap or repetition."""
    is_dense = (
        (F.col("first") == 1)
        & (F.col("last") == F.col("size"))
        & (F.col("different") == F.col("size"))
    )
    return lambda rows: (
        rows.groupBy(column)
        .agg(
            F.min(rank).alias("first"),
            F.max(rank).alias("last"),
            F.count("*").alias("size"),
            F.count_distinct(rank).alias("different"),
        )
        .agg(F.count_if(~F.coalesce(is_dense, F.lit(False))))
    )


def customers_without_each_once(
    customers: DataFrame, column: str, codes: Collection[str]
) -> Measure:
    """Customers who do not have each code exactly once, strangers among the rows included."""
    is_known = F.col(column).isin(*codes)
    is_complete = (
        (F.col("size") == len(codes))
        & (F.col("different") == len(codes))
        & (F.col("known") == len(codes))
        & F.col("is_customer")
    )
    expected = customers.select("customer_id", F.lit(True).alias("is_customer"))
    return lambda rows: (
        rows.groupBy("customer_id")
        .agg(
            F.count("*").alias("size"),
            F.count_distinct(column).alias("different"),
            F.count_if(is_known).alias("known"),
        )
        .join(expected, on="customer_id", how="full_outer")
        .agg(F.count_if(~F.coalesce(is_complete, F.lit(False))))
    )


def lowest_mean(group: str, value: str) -> Measure:
    """The smallest mean of any group."""
    return lambda rows: rows.groupBy(group).agg(F.avg(value).alias("mean")).agg(F.min("mean"))


def highest_mean(group: str, value: str) -> Measure:
    """The largest mean of any group."""
    return lambda rows: rows.groupBy(group).agg(F.avg(value).alias("mean")).agg(F.max("mean"))


def largest_drift(group: str, value: str, before: DataFrame) -> Measure:
    """The largest population stability index of any group, against the rows of a month before.

    PSI = Σ (p - q) ln(p / q) over classes of the value (Siddiqi, Credit Risk Scorecards, 2006);
    groups that have only one of the two months are left out.
    """
    terms = [
        (F.col(f"p{i}") - F.col(f"q{i}")) * F.ln(F.col(f"p{i}") / F.col(f"q{i}"))
        for i in range(len(DRIFT_BOUNDS) + 1)
    ]
    psi = reduce(add, terms)
    then = _shares(before, group, value, "q")
    return lambda rows: (
        _shares(rows, group, value, "p")
        .join(then, on=group, how="inner")
        .agg(F.coalesce(F.max(psi), F.lit(0.0)))
    )


def _shares(rows: DataFrame, group: str, value: str, prefix: str) -> DataFrame:
    """One row per group: the share of its rows in each class of the value."""
    lows = (float("-inf"), *DRIFT_BOUNDS)
    highs = (*DRIFT_BOUNDS, float("inf"))
    shares = [
        F.count_if((F.col(value) >= low) & (F.col(value) < high)) / F.count("*")
        for low, high in zip(lows, highs, strict=True)
    ]
    return rows.groupBy(group).agg(
        *(
            F.greatest(share, F.lit(SMALLEST_SHARE)).alias(f"{prefix}{i}")
            for i, share in enumerate(shares)
        )
    )
