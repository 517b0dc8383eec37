"""How long before the as-of date a day lies, in Polars."""

from __future__ import annotations

from datetime import date

import polars as pl


def not_before(day: str, as_of: date) -> pl.Expr:
    """The event has not happened before ``as_of``; no date means never."""
    return pl.col(day).is_null() | (pl.col(day) >= as_of)


def months_ago(day: str, as_of: date) -> pl.Expr:
    """1 is the last month before ``as_of``."""
    months = pl.col(day).dt.year() * 12 + pl.col(day).dt.month().cast(pl.Int32)
    return as_of.year * 12 + as_of.month - months


def days_ago(day: str, as_of: date) -> pl.Expr:
    """1 is the day before ``as_of``."""
    return (pl.lit(as_of) - pl.col(day)).dt.total_days().cast(pl.Int32)


def completed(day: str, as_of: date) -> pl.Expr:
    """Whole months from the day to ``as_of``."""
    return months_ago(day, as_of) - (pl.col(day).dt.day() > 1).cast(pl.Int32)
