"""Who pays a customer and whom the customer pays, month after month, whatever it is called.

A category may be missing or wrong; the same counterparty in the same month after month is not.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, functions as F

from features.sources import BOOKINGS, Cut, Source, SourceTables, place_of
from tables.categories import Category
from tables.windows import months_before

# Bits of ``months_12m``: the lowest is the last month before the as-of date.
LAST_2, LAST_3, MONTHS_3_AND_4, MONTHS_3_TO_8 = 0b11, 0b111, 0b1100, 0b11111100
LAST_6, MONTHS_4_TO_12 = 0b111111, 0b111111111000
REGULAR_CREDIT_MONTHS, REGULAR_DEBIT_MONTHS, NEW_MONTHS, ENDED_MONTHS = 4, 5, 2, 4
LONGEST_MONTH, HALF_A_MONTH = 31, 15
QUARTER, HALF_A_YEAR, YEAR = 3, 6, 12
DIGITS = 19  # of the largest number of cents


def _counterparty_rows(tables: SourceTables, cut: Cut) -> DataFrame:
    """One row per customer, counterparty and direction of 12 months, without own transfers."""
    is_paid = F.col("is_credit") | F.col("is_debit")
    has_other_side = F.col("counterparty_id").isNotNull() & ~F.col("is_own_transfer")
    # Days are at hand, months would be worked out twice: to choose bookings, and of those chosen.
    is_of_the_year = F.col("days_ago") <= F.lit((cut.as_of - months_before(cut.as_of, YEAR)).days)
    bookings = BOOKINGS.rows(tables, cut).where(is_paid & has_other_side & is_of_the_year)
    pairs = bookings.groupBy("customer_id", "counterparty_id", "is_credit")
    return _described(pairs.agg(*_of_both(), *_of_payers(cut)), cut)


def _of_both() -> list[Column]:
    """What is asked of payers and payees alike."""
    month = F.call_function("shiftleft", F.lit(1), F.col("months_ago") - F.lit(1))
    return [
        F.bit_or(month).alias("months_12m"),
        F.count("days_ago").alias("bookings"),
        F.min("days_ago").alias("days_ago"),
        F.min("months_ago").alias("months_ago"),
        F.sum(F.when(F.col("months_ago") <= HALF_A_YEAR, F.col("cents"))).alias("cents_6m"),
        _pays_for(Category.INSURANCE).alias("is_insurer"),
        _pays_for(Category.LOAN_PAYMENT).alias("is_lender"),
    ]


def _of_payers(cut: Cut) -> list[Column]:
    """How even credits and their days are; null for payees, whose rows are many."""
    is_recent = F.col("is_credit") & (F.col("months_ago") <= QUARTER)
    is_half_a_year = F.col("is_credit") & (F.col("months_ago") <= HALF_A_YEAR)
    recent, half_a_year = F.when(is_recent, F.col("cents")), F.when(is_half_a_year, F.col("cents"))
    day = F.when(is_half_a_year, _day_of_month(cut))
    # From the 16th to the 15th, so that the 30th and the 1st are neighbours.
    turned = (day + F.lit(HALF_A_MONTH)) % F.lit(LONGEST_MONTH)
    return [
        F.sum(recent).alias("cents_3m"),
        F.count(recent).alias("count_3m"),
        F.count(half_a_year).alias("count_6m"),
        (F.max(half_a_year) - F.min(half_a_year)).alias("range_cents_6m"),
        F.least(F.max(day) - F.min(day), F.max(turned) - F.min(turned)).alias("day_range_6m"),
    ]


def _day_of_month(cut: Cut) -> Column:
    return F.dayofmonth(F.date_sub(F.lit(cut.as_of), F.col("days_ago")))


def _pays_for(category: Category) -> Column:
    # To count takes a third of what the greatest of booleans takes on Sail.
    return F.count(F.when(F.col("category") == F.lit(place_of(category)), F.lit(1))) > 0


def _described(pairs: DataFrame, cut: Cut) -> DataFrame:
    """What the months of a counterparty say: regular, begun, ended."""
    # Shops are paid several times a month: a bill comes once, with one exception.
    is_bill = F.col("bookings") <= _months(MONTHS_4_TO_12 | LAST_3) + F.lit(1)
    may_count = F.col("is_credit") | is_bill
    regular_months = F.when(F.col("is_credit"), F.lit(REGULAR_CREDIT_MONTHS)).otherwise(
        F.lit(REGULAR_DEBIT_MONTHS)
    )
    has_begun = (_months(LAST_3) >= NEW_MONTHS) & (_months(MONTHS_4_TO_12) == 0)
    was_regular = (_months(MONTHS_3_TO_8) >= ENDED_MONTHS) & (_months(MONTHS_3_AND_4) > 0)
    return pairs.select(
        "*",
        F.when(F.col("is_credit"), _day_of_month(cut)).alias("last_day"),
        ((_months(LAST_6) >= regular_months) & may_count).alias("is_regular"),
        (has_begun & may_count).alias("has_begun"),
        (was_regular & (_months(LAST_2) == 0) & may_count).alias("has_ended"),
        _precedence().alias("precedence"),
    )


def _precedence() -> Column:
    """Of payers the larger sum first, then the identifier; payees are many and never put in order.

    As one text, a third faster than a struct.
    """
    cents = F.coalesce(F.col("cents_6m"), F.lit(0)).cast("string")
    order = F.concat(F.lpad(cents, DIGITS, "0"), F.col("counterparty_id"))
    return F.when(F.col("is_credit"), order)


def _months(bits: int) -> Column:
    """In how many of these months there was a booking."""
    return F.bit_count(F.col("months_12m").bitwiseAND(F.lit(bits)))


COUNTERPARTIES = Source("counterparties", ("transactions", "fx_rates"), _counterparty_rows)
