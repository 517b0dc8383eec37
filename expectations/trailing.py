"""Contracts that hold the newest month of deliveries beside the months before it.

Each looks at counts only: bounds that a bank's life stays within, and a broken extract does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from statistics import median

from pyspark.sql import DataFrame, functions as F

from conf.check_settings import TrailingSettings
from expectations.history import (
    CREDITS,
    DEBITS,
    OTHER,
    ROWS,
    History,
    code_columns,
    monthly_counts,
    monthly_rows,
    new_others,
    nulls_of,
)
from expectations.suite import Fact, Severity
from tables.base import Table
from tables.categories import BILLS, Category
from tables.sources import FAIL_CLOSED

# Beyond its limit a share may differ by as much as chance alone makes of so few rows.
STANDARD_ERRORS = 4
DEBITS_BY_NATURE = (
    *BILLS,
    Category.GROCERIES,
    Category.DINING,
    Category.SHOPPING,
    Category.LEISURE,
    Category.FUEL,
    Category.CAR,
    Category.TRAVEL,
    Category.FEES,
    Category.PENALTY_INTEREST,
)
# A code, and no person's name: those are written with a capital and small letters.
CODE_NAME = re.compile(r"[a-z][a-z_]{1,29}|[A-Z][A-Z_]{1,29}")
MIN_ROWS_OF_NAMED = 100
MOST_NEW_CODES = 1_000
MOST_NAMES = 5


def trailing_facts(
    table: Table,
    versions: DataFrame,
    volumes: Mapping[int, int],
    *,
    products: Collection[str],
    as_of: date,
    limits: TrailingSettings,
) -> tuple[Fact, ...]:
    """What the newest month of a table's deliveries must have in common with those before it.

    Args:
        table: Which table.
        versions: Its stored row versions, with ``delivery``.
        volumes: Rows delivered by month before ``as_of``, 1 the last; empty if never delivered.
        products: Configured product ids.
        as_of: Cut-off, exclusive.
        limits: Bounds.
    """
    if not volumes:
        return ()
    newest = min(volumes)
    codes = code_columns(table, products)
    facts = list(volume_facts(table, volumes, limits))
    if codes or any(column.is_nullable for column in table.columns):
        rows = monthly_rows(table, versions, as_of, newest, limits.months)
        counted = tuple(monthly_counts(table, rows, codes).collect())
        history = History(counted, newest)
        facts += null_facts(table, history, limits)
        facts += sign_facts(history, limits) if "amount" in table.column_names else ()
        if len(history.before) >= limits.min_months:
            for column, words in codes.items():
                facts.append(_no_new_code(column, history, rows, words, limits))
                facts.append(_no_lost_code(column, history, limits))
    return tuple(facts)


def freshness_facts(
    table: Table,
    last_delivery: date | None,
    volumes: Mapping[int, int],
    as_of: date,
    limits: TrailingSettings,
) -> tuple[Fact, ...]:
    """How old the news of a table may be; rows, only where every month usually brings some."""
    severity: Severity = "critical" if table in FAIL_CLOSED else "warning"
    facts = []
    if last_delivery is not None:
        most = limits.max_days_since_delivery
        facts.append(
            Fact(
                f"the last delivery is at most {most} days old",
                (as_of - last_delivery).days,
                at_most=most,
                severity=severity,
            )
        )
    usual = _usual_volume(volumes, limits)
    if table.name in limits.max_days_since_record and (usual or 0) >= limits.empty_from:
        most = limits.max_days_since_record[table.name]
        age = F.datediff(F.lit(as_of), F.max("recorded_at").cast("date"))
        facts.append(
            Fact(
                f"the newest row was recorded at most {most} days before the as-of date",
                # a table without rows has a rule of its own
                F.coalesce(age, F.lit(0)),
                at_most=most,
                severity=severity,
            )
        )
    return tuple(facts)


def volume_facts(
    table: Table, volumes: Mapping[int, int], limits: TrailingSettings
) -> Iterator[Fact]:
    """As many rows as usual."""
    usual = _usual_volume(volumes, limits)
    if usual is None:
        return
    now = volumes[min(volumes)]
    factor = limits.max_volume_factors.get(table.name, limits.max_volume_factor)
    detail = f"{now:,} rows, {usual:,.0f} in the median of the months before"
    if usual >= limits.empty_from:
        yield Fact(
            "the newest month brought rows, as those before it did",
            now,
            at_least=1,
            at_most=float(max(now, 1)),
            detail=detail,
        )
    if usual >= limits.min_rows:
        yield Fact(
            f"rows are neither {factor:g} times as many as in the months before nor as few",
            round(now / usual, 4),
            round(1 / factor, 4),
            factor,
            "warning",
            detail,
        )


def _usual_volume(volumes: Mapping[int, int], limits: TrailingSettings) -> float | None:
    """The median of the months before the newest; None if there are too few."""
    newest = min(volumes, default=0)
    before = [rows for month, rows in volumes.items() if 0 < month - newest <= limits.months]
    return median(before) if len(before) >= limits.min_months else None


def null_facts(table: Table, history: History, limits: TrailingSettings) -> Iterator[Fact]:
    """Columns are as full as usual."""
    for column in table.columns:
        if column.is_nullable:
            yield from _share_fact(
                f"{column.name} is empty in as large a share as in the months before, give or take"
                f" {limits.max_null_share_change:.0%}",
                nulls_of(column.name),
                limits.max_null_share_change,
                history,
                limits,
            )


def sign_facts(history: History, limits: TrailingSettings) -> Iterator[Fact]:
    """Credits above zero, debits below, in the usual mixture."""
    newest = history.newest
    sides = [history.count(name, newest) for name in (CREDITS, DEBITS)]
    if sum(sides) >= limits.min_rows:
        detail = f"{sides[0]:,} credits, {sides[1]:,} debits"
        yield Fact("there are credits and debits", min(sides), 1, float(sum(sides)), detail=detail)
        yield Fact(
            f"credits and debits are at least {limits.min_side_share:.0%} of bookings each",
            round(min(sides) / sum(sides), 4),
            limits.min_side_share,
            1,
            "warning",
            detail,
        )
    yield from _share_fact(
        "credits are as large a share of bookings as in the months before, give or take"
        f" {limits.max_credit_share_change:.0%}",
        CREDITS,
        limits.max_credit_share_change,
        history,
        limits,
    )
    turned = [code for code in DEBITS_BY_NATURE if _is_credited(history, code, limits)]
    yield Fact(
        "categories that are payments, as rent or groceries, are debits in most rows",
        len(turned),
        severity="warning",
        detail=", ".join(turned),
    )


def _is_credited(history: History, category: str, limits: TrailingSettings) -> bool:
    credits, debits = (
        history.count(name, history.newest, lambda row: row["category"] == category)
        for name in (CREDITS, DEBITS)
    )
    return credits > debits and credits + debits >= limits.min_code_rows


def _share_fact(
    sentence: str, name: str, most: float, history: History, limits: TrailingSettings
) -> Iterator[Fact]:
    rows, now = history.count(ROWS, history.newest), history.share(name, history.newest)
    usual, months = history.usual_share(name, limits.min_rows)
    if rows < limits.min_rows or months < limits.min_months:
        return
    by_chance = STANDARD_ERRORS * (max(usual * (1 - usual), 1 / rows) / rows) ** 0.5
    yield Fact(
        sentence,
        round(abs(now - usual), 4),
        at_most=round(most + by_chance, 4),
        severity="warning",
        detail=f"{now:.1%} of {rows:,} rows, {usual:.1%} in the median of {months} months before",
    )


def _no_new_code(
    column: str,
    history: History,
    rows: DataFrame,
    words: Collection[str],
    limits: TrailingSettings,
) -> Fact:
    """No code that nobody has seen for months."""
    now = history.codes(column, history.newest)
    seen = {code for month in history.before for code in history.codes(column, month)}
    new = [code for code in sorted(now) if now[code] >= limits.min_code_rows and code not in seen]
    names = [code for code in new if code != OTHER]
    count = len(names)
    if now[OTHER] >= limits.min_code_rows:
        others = new_others(rows, column, words, history.newest, limits.min_code_rows)
        found = others.limit(MOST_NEW_CODES).collect()
        count += len(found)
        names += [row["code"] for row in found if _may_be_named(row["code"], row["now"])]
    return Fact(
        f"{column} has no code that the months before lack",
        count,
        severity="warning",
        detail=", ".join(names[:MOST_NAMES]),
    )


def _no_lost_code(column: str, history: History, limits: TrailingSettings) -> Fact:
    """Every code that is frequent in each of the months before is still there."""
    now = history.codes(column, history.newest)
    before = [history.codes(column, month) for month in history.before]
    lost = [
        code
        for code in sorted(before[0])
        if code not in now and min(counts[code] for counts in before) >= limits.min_code_rows
    ]
    return Fact(
        f"{column} lacks no code that the months before have",
        len(lost),
        severity="warning",
        detail=", ".join(lost[:MOST_NAMES]),
    )


def _may_be_named(code: str, rows: int) -> bool:
    return rows >= MIN_ROWS_OF_NAMED and CODE_NAME.fullmatch(code) is not None
