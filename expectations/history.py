"""What each month's deliveries of a table held, counted by code in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from pyspark.sql import Column, DataFrame, Row, Window, functions as F

from tables.base import Table
from tables.categories import BookingChannel, Category
from tables.sources import CODES, TRANSACTIONS
from tables.windows import months_ago, months_before

# Stands for every code that our vocabulary lacks, so that the groups stay few in any delivery.
OTHER = "(other)"
ROWS, CREDITS, DEBITS = "n_rows", "n_credits", "n_debits"
BOOKING_CODES = {"category": tuple(Category), "channel": tuple(BookingChannel)}


@dataclass(frozen=True)
class History:
    """Counts per month; a month is known by how many months before the as-of date it lies.

    Attributes:
        counted: One row per month and codes, as ``monthly_counts`` makes them.
        newest: The month that is judged.
    """

    counted: tuple[Row, ...]
    newest: int

    @property
    def before(self) -> tuple[int, ...]:
        """The months before the newest, that brought rows."""
        found = {row["month"] for row in self.counted} - {self.newest}
        return tuple(sorted(found))

    def count(self, name: str, month: int, of: Callable[[Row], bool] | None = None) -> int:
        """The sum of a count over a month's groups."""
        return sum(
            int(row[name])
            for row in self.counted
            if row["month"] == month and (of is None or of(row))
        )

    def share(self, name: str, month: int) -> float:
        """A count as a share of the month's rows."""
        return self.count(name, month) / max(1, self.count(ROWS, month))

    def usual_share(self, name: str, min_rows: int) -> tuple[float, int]:
        """The median of a share over the months before that have enough rows; their number."""
        shares = [
            self.share(name, month) for month in self.before if self.count(ROWS, month) >= min_rows
        ]
        return (median(shares) if shares else 0.0), len(shares)

    def codes(self, column: str, month: int) -> Counter[str]:
        """Rows by code, codes outside of the vocabulary as one."""
        counts: Counter[str] = Counter()
        for row in self.counted:
            if row["month"] == month and row[column] is not None:
                counts[row[column]] += row[ROWS]
        return counts


def code_columns(table: Table, products: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The columns of a table that hold codes, and the codes that we know."""
    found = dict(CODES.get(table.name, {}))
    if table.name == TRANSACTIONS.name:
        found |= BOOKING_CODES
    if "product_id" in table.column_names:
        found["product_id"] = tuple(products)
    return found


def monthly_rows(
    table: Table, versions: DataFrame, as_of: date, newest: int, months: int
) -> DataFrame:
    """A table's rows, each with the ``month`` whose deliveries brought it.

    A row of a whole table belongs to every month at whose end it was part of the table.

    Args:
        table: Which table.
        versions: Its stored row versions.
        as_of: A delivery of that day belongs to the month that it ends.
        newest: The month to be judged; 1 is the last before ``as_of``.
        months: How many months before it.
    """
    brought = versions.where(F.col("delivery") <= F.lit(as_of))
    if table.kind == "whole":
        return _present(table, brought, as_of, newest, newest + months)
    return brought.where(
        (F.col("delivery") > F.lit(months_before(as_of, newest + months)))
        & (F.col("delivery") <= F.lit(months_before(as_of, newest - 1)))
        & ~F.col("is_deleted")
    ).select(*table.column_names, _month("delivery", as_of).alias("month"))


def _month(delivery: str, as_of: date) -> Column:
    """How many months before ``as_of`` a delivery came; one on a first day ends a month."""
    is_first = F.dayofmonth(delivery) == 1
    return months_ago(delivery, as_of) + F.when(is_first, F.lit(1)).otherwise(F.lit(0))


def _present(table: Table, brought: DataFrame, as_of: date, newest: int, oldest: int) -> DataFrame:
    lasting = _lasting(table, brought)
    until = F.coalesce(_month("replaced", as_of) + F.lit(1), F.lit(newest))
    first = F.greatest(until, F.lit(newest))
    last = F.least(_month("delivery", as_of), F.lit(oldest))
    return lasting.where((first <= last) & ~F.col("is_deleted")).select(
        *table.column_names, F.explode(F.sequence(first, last)).alias("month")
    )


def _lasting(table: Table, brought: DataFrame) -> DataFrame:
    """Each version with the delivery that ``replaced`` it; most keys have one and never were."""
    several = brought.groupBy(*table.key).count().where(F.col("count") > 1).drop("count")
    in_order = Window.partitionBy(*table.key).orderBy("recorded_at", "delivery")
    replaced = F.lead("delivery").over(in_order)
    never = F.lit(None).cast("date")
    changing, steady = (
        brought.join(several, on=list(table.key), how=how) for how in ("left_semi", "left_anti")
    )
    return steady.select("*", never.alias("replaced")).unionByName(
        changing.select("*", replaced.alias("replaced"))
    )


def monthly_counts(
    table: Table, rows: DataFrame, codes: Mapping[str, Collection[str]]
) -> DataFrame:
    """Rows, nulls of every column that may be null, credits and debits per month and codes."""
    known = [
        F.when(F.col(column).isin(*words) | F.col(column).isNull(), F.col(column))
        .otherwise(F.lit(OTHER))
        .alias(column)
        for column, words in codes.items()
    ]
    signs = []
    if "amount" in table.column_names:
        signs = [
            F.count_if(F.col("amount") > 0).alias(CREDITS),
            F.count_if(F.col("amount") < 0).alias(DEBITS),
        ]
    nulls = [
        F.count_if(F.col(column.name).isNull()).alias(nulls_of(column.name))
        for column in table.columns
        if column.is_nullable
    ]
    return rows.groupBy("month", *known).agg(F.count(F.lit(1)).alias(ROWS), *nulls, *signs)


def nulls_of(column: str) -> str:
    """The name of the count of a column's nulls."""
    return f"nulls_{column}"


def new_others(
    rows: DataFrame, column: str, words: Collection[str], newest: int, min_rows: int
) -> DataFrame:
    """Codes outside of the vocabulary in enough rows of the newest month and in none before."""
    is_other = F.col(column).isNotNull() & ~F.col(column).isin(*words)
    return (
        rows.where(is_other)
        .groupBy(F.col(column).alias("code"))
        .agg(
            F.count_if(F.col("month") == newest).alias("now"),
            F.count_if(F.col("month") > newest).alias("before"),
        )
        .where((F.col("now") >= min_rows) & (F.col("before") == 0))
        .orderBy(F.desc("now"), "code")
    )
