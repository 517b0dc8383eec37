"""What the values of the delivered tables mean, as known before an as-of date.

Critical is what ingestion promises (a row that breaks it belongs in quarantine) and what no result
could be trusted without; what a bank's data may well contain in single rows is a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from math import inf

from great_expectations.expectations import Expectation
from pyspark.sql import DataFrame, functions as F

from expectations.measures import count_where, repeated, values_without
from expectations.rules import (
    SOME_ROW,
    matches,
    not_before,
    not_blank,
    one_of,
    rows_at_least,
    within,
)
from expectations.suite import Fact, Severity, Suite
from tables.base import Table
from tables.categories import BookingChannel, Category
from tables.sources import (
    ACCOUNTS,
    ADVISORS,
    BRANCHES,
    CODES,
    CONSENTS,
    CONTACTS,
    CUSTOMER_MERGES,
    CUSTOMERS,
    EARLIEST,
    FLAGS,
    FX_RATES,
    HOLDINGS,
    LATEST,
    REFERENCES,
    SOURCES,
    TRANSACTIONS,
)

CURRENCY = "^[A-Z]{3}$"
# Without these there is nobody to score and nothing to learn from.
NEVER_EMPTY = (BRANCHES, CUSTOMERS, ACCOUNTS, TRANSACTIONS, HOLDINGS)


# References that no result depends on, beside those of tables/sources.py.
SERVED_BY: Mapping[str, Mapping[str, Table]] = {
    "advisors": {"branch_id": BRANCHES},
    "customers": {"branch_id": BRANCHES, "advisor_id": ADVISORS},
}

MEANINGS: Mapping[str, tuple[Expectation, ...]] = {
    CUSTOMER_MERGES.name: (),
    BRANCHES.name: (not_blank("name"),),
    ADVISORS.name: (not_blank("name", "warning"), not_blank("role", "warning")),
    FX_RATES.name: (
        matches("currency", CURRENCY, "an ISO 4217 code"),
        within("rate_to_base", 0.00000001, 1_000_000),
    ),
    CUSTOMERS.name: (
        not_before("left_on", "joined_on", "warning"),
        not_before("joined_on", "birth_date", "warning"),
        not_before("deceased_on", "birth_date", "warning"),
        matches("language", "^[a-z]{2}$", "an ISO 639-1 code", "warning"),
    ),
    ACCOUNTS.name: (
        matches("currency", CURRENCY, "an ISO 4217 code"),
        not_before("closed_on", "opened_on", "warning"),
    ),
    TRANSACTIONS.name: (
        matches("currency", CURRENCY, "an ISO 4217 code"),
        one_of("category", list(Category), "warning"),
        one_of("channel", list(BookingChannel), "warning"),
    ),
    HOLDINGS.name: (
        not_before("closed_on", "opened_on", "warning"),
        not_before("matures_on", "opened_on", "warning"),
    ),
    CONSENTS.name: (not_before("recorded_at", "changed_at", "warning"),),
    FLAGS.name: (not_before("valid_to", "valid_from", "warning"),),
    CONTACTS.name: (not_before("disposition_on", "contacted_on", "warning"),),
}


def source_suites(
    sources: Mapping[str, DataFrame], as_of: date, products: Collection[str]
) -> tuple[Suite, ...]:
    """The contracts of all delivered tables.

    A whole table is held against its contract as it is known; an increment, as what it adds: what
    was stored before kept its contract when it came.

    Args:
        sources: Every whole table and ``customer_merges`` by name, as known before ``as_of``.
        as_of: Cut-off, exclusive.
        products: Configured product ids.
    """
    return tuple(_suite(table, sources, as_of, products) for table in SOURCES)


def never_null(table: Table, counted: Mapping[str, int] | None = None) -> Iterator[Fact]:
    """Columns that must say something do.

    They are counted together in one job, where an expectation each would take a tenth of a second.

    Args:
        table: The table.
        counted: Nulls by column, where their number is known already.
    """
    for column in table.columns:
        if not column.is_nullable:
            nulls = (counted or {}).get(column.name)
            measure = count_where(F.col(column.name).isNull()) if nulls is None else nulls
            yield Fact(f"{column.name} is never null", measure)


def ever_brought(table: Table, rows: int) -> Fact:
    """The table has rows.

    Args:
        table: An increment: what a single run adds may be nothing.
        rows: How many rows of it all deliveries brought.
    """
    return Fact(SOME_ROW, rows, at_least=1, at_most=inf, severity=_if_empty(table))


def _if_empty(table: Table) -> Severity:
    return "critical" if table in NEVER_EMPTY else "warning"


def _suite(
    table: Table, sources: Mapping[str, DataFrame], as_of: date, products: Collection[str]
) -> Suite:
    names, is_whole = table.column_names, table.kind == "whole"
    dates = [column.name for column in table.columns if column.type == "date"]
    return Suite(
        table,
        rules=(
            *([rows_at_least(1, _if_empty(table))] if is_whole else []),
            *(one_of(column, codes) for column, codes in CODES.get(table.name, {}).items()),
            *(within(column, EARLIEST, LATEST) for column in dates),
            *([one_of("product_id", products, "warning")] if "product_id" in names else []),
            *MEANINGS[table.name],
        ),
        facts=(
            # Of increments the audit sees to it: a share of the keys at a time, in bounded memory.
            *([Fact("no key occurs twice", repeated(table.key))] if is_whole else []),
            *(never_null(table) if is_whole else ()),
            Fact(
                "nothing was recorded on or after the as-of date",
                count_where(F.col("recorded_at") >= F.lit(as_of).cast("timestamp")),
            ),
            *_references(table, sources),
        ),
    )


def _references(table: Table, sources: Mapping[str, DataFrame]) -> list[Fact]:
    if table == CUSTOMER_MERGES:
        return []  # who was given up is no customer any more
    # A warning: a customer may be erased at the bank while older bookings remain.
    references = {**REFERENCES.get(table.name, {}), **SERVED_BY.get(table.name, {})}
    return [
        Fact(
            f"{column} names a row of {other.name}",
            values_without(column, _keys(other, sources)),
            severity="warning",
        )
        for column, other in references.items()
    ]


def _keys(table: Table, sources: Mapping[str, DataFrame]) -> DataFrame:
    """Every key that other tables may name; of customers, those that were given up as well."""
    keys = sources[table.name].select(table.key[0])
    if table == CUSTOMERS:
        return keys.unionByName(sources[CUSTOMER_MERGES.name].select("customer_id"))
    return keys
