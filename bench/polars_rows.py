"""The rows that measures are taken of, in Polars: one lazy frame for each kind of rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
from polars_bookings import Tables, account_rows, booking_rows, month_rows, payee_rows, payer_rows
from polars_days import completed, days_ago, months_ago, not_before

from features.event_sources import MAJORITY
from features.product_facts import ProductFacts
from features.recurring_sources import YEAR
from features.sources import MONTHS_APART, OWN_MARKETING, SEGMENTS
from tables.windows import months_before


def row_frames(
    tables: Tables, as_of: date, products: Mapping[str, ProductFacts]
) -> dict[str, pl.LazyFrame]:
    """One lazy frame for each kind of rows, by its name.

    Args:
        tables: Each table, and ``customers_before``: customers as known before.
        as_of: Cut-off, exclusive.
        products: What is known of each configured product.
    """
    bookings = booking_rows(tables, as_of)
    return {
        "customers": _customers(tables["customers"], as_of),
        "customers half a year before": _earlier_customers(tables, as_of),
        "dates of birth": _births(tables, as_of),
        "holdings": _holdings(tables, as_of, products),
        "open accounts": account_rows(tables, as_of),
        "bookings": bookings,
        "months": month_rows(bookings),
        "payers": payer_rows(bookings, as_of),
        "payees": payee_rows(bookings, as_of),
        "contacts": _contacts(tables, as_of),
        "consents": _consents(tables, as_of),
        "flags": _flags(tables, as_of),
    }


def _customers(customers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Active customers."""
    is_here = (pl.col("joined_on") < as_of) & not_before("left_on", as_of)
    ranks = {name: rank for rank, name in enumerate(SEGMENTS, start=1)}
    alone = pl.col("household_id").is_null()
    size = pl.len().over("household_id").cast(pl.Int32)
    return customers.filter(is_here & not_before("deceased_on", as_of)).select(
        "customer_id",
        "segment",
        pl.col("segment").replace_strict(ranks, default=None).alias("segment_rank"),
        pl.when(alone).then(1).otherwise(size).alias("household_size"),
        completed("joined_on", as_of).alias("months_since_joined"),
        pl.col("payroll_employer_id").is_not_null().alias("has_payroll_employer"),
        pl.col("advisor_id").is_not_null().alias("has_advisor"),
        "branch_id",
        "advisor_id",
    )


def _earlier_customers(tables: Tables, as_of: date) -> pl.LazyFrame:
    """Customers who were active, and known, some months before."""
    before = _customers(tables["customers_before"], months_before(as_of, MONTHS_APART))
    now = tables["customers"].select("customer_id", "branch_id", "advisor_id")
    return before.join(now, on="customer_id", suffix="_now").select(
        "customer_id",
        "segment_rank",
        "household_size",
        *(
            pl.col(f"{name}_id")
            .ne_missing(pl.col(f"{name}_id_now"))
            .alias(f"has_{name}_changed_6m")
            for name in ("branch", "advisor")
        ),
    )


def _births(tables: Tables, as_of: date) -> pl.LazyFrame:
    last_day = months_before(as_of, 12 * MAJORITY)
    year_before = months_before(as_of, 12 * (MAJORITY + 1))
    has_turned = pl.col("birth_date").is_between(year_before, last_day, closed="right")
    return tables["customers"].select("customer_id", has_turned.alias("has_turned_18_12m"))


def _holdings(tables: Tables, as_of: date, products: Mapping[str, ProductFacts]) -> pl.LazyFrame:
    """Each holding beside what is expected of its product by the months held so far."""
    facts = pl.LazyFrame(
        {
            "product_id": list(products),
            "is_partner": [facts.is_partner for facts in products.values()],
            "expected": [facts.remaining_cents for facts in products.values()],
        }
    )
    is_open = not_before("closed_on", as_of)
    is_due = is_open & (pl.col("matures_on") >= as_of)
    closed = pl.when(pl.col("closed_on") < as_of).then(months_ago("closed_on", as_of))
    months_held = completed("opened_on", as_of)
    place = pl.min_horizontal(months_held, pl.col("expected").list.len() - 1)
    return (
        tables["holdings"]
        .filter(pl.col("opened_on") < as_of)
        .join(facts, on="product_id", how="left")
        .select(
            "customer_id",
            "product_id",
            is_open.alias("is_open"),
            days_ago("opened_on", as_of).alias("days_ago"),
            months_ago("opened_on", as_of).alias("months_ago"),
            months_held.alias("months_held"),
            closed.alias("closed_months_ago"),
            pl.when(is_due).then(-days_ago("matures_on", as_of)).alias("days_to_maturity"),
            pl.col("is_partner").fill_null(value=False),
            pl.col("expected").list.get(place).fill_null(0).alias("remaining_cents"),
        )
    )


def _contacts(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_observed = pl.col("contacted_on").is_between(
        months_before(as_of, YEAR), as_of, closed="left"
    )
    is_known = pl.coalesce("disposition_on", "contacted_on") < as_of
    return (
        tables["contacts"]
        .filter(is_observed)
        .select(
            "customer_id",
            "product_id",
            pl.when(is_known).then(pl.col("disposition")).alias("disposition"),
            days_ago("contacted_on", as_of).alias("days_ago"),
            months_ago("contacted_on", as_of).alias("months_ago"),
        )
    )


def _consents(tables: Tables, as_of: date) -> pl.LazyFrame:
    is_own = pl.col("purpose") == OWN_MARKETING
    made = tables["consents"].filter(is_own, pl.col("changed_at").dt.date() < as_of)
    by_channel = made.group_by("customer_id", "channel")
    return by_channel.agg(pl.col("is_granted").max_by("changed_at"))


def _flags(tables: Tables, as_of: date) -> pl.LazyFrame:
    return (
        tables["flags"]
        .filter(pl.col("valid_from") < as_of)
        .select(
            "customer_id",
            "flag",
            days_ago("valid_from", as_of).alias("days_ago"),
            months_ago("valid_from", as_of).alias("months_ago"),
        )
    )
