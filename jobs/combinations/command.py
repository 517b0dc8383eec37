"""`xsell combinations`: which products are held together, in which order, and what that suggests.

It reads what `xsell features` has published and writes a report; no table, list or model changes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, functions as F

from conf.errors import did_you_mean
from conf.schema import RunConfig
from features.eligibility import open_products
from features.sources import active_customers
from jobs.combinations.analysis import Analysis
from jobs.combinations.package_reach import reach, reach_facts
from jobs.combinations.report import combination_lines, write_combinations
from jobs.engine import open_engine
from jobs.home import Home
from jobs.publishing import Context
from jobs.runs import inputs
from jobs.settings import checked_config
from jobs.steps import Step
from measurement.combinations import Bounds, HeldSets, combined, rules
from measurement.core_periphery import core_periphery
from measurement.packages import Orders, proposals
from measurement.purchase_order import (
    NEVER,
    History,
    Window,
    had_first,
    purchase_order,
    sequels,
)
from tables.errors import UserError
from tables.sources import CUSTOMERS, HOLDINGS
from tables.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NAME = "combinations"
READS = Step(NAME, "jobs.combinations.command:combinations_command", ("ingest", "features"))
UNKNOWN = ""  # a segment that nobody knows


def combinations_command(options: argparse.Namespace) -> int:
    """Print what was found, and write it as a page, tables and packages to be priced."""
    config = checked_config(options.env, options.overrides)
    if options.min_support is not None:
        changed = config.combinations.model_copy(update={"min_support": options.min_support})
        config = config.model_copy(update={"combinations": changed})
    home = Home(Path(options.home).resolve())
    with open_engine(config.engine) as spark:
        found = analysed(Context(options.as_of, config, home, spark), options.segment)
    folder = options.out or _folder(home, options.as_of, options.segment)
    written = write_combinations(folder, found)
    lines = [*combination_lines(found, options.top), "", *(f"{k}: {v}" for k, v in written.items())]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def analysed(context: Context, segment: str | None = None) -> Analysis:
    """Everything that is found out about a month's holdings.

    Raises:
        UserError: A step before it has not been run, or nobody is in the segment.
    """
    config, as_of = context.config, context.as_of
    store = Store(context.home.tables, context.spark, inputs.resolve(context, READS).pins)
    customers = store.known_before(CUSTOMERS, as_of)
    holdings = store.known_before(HOLDINGS, as_of).where(F.col("product_id").isin(*config.products))
    held = _held_sets(held_sets(customers, holdings, as_of).toArrow(), config, segment)
    if segment is not None:
        customers = customers.where(F.col("segment") == segment)
    window = _window(config, as_of)
    history = _history(customers, holdings, window, config)
    found = _measured(held, history, window, config)
    facts = reach_facts(store, customers, holdings, config, as_of)
    counted = reach(facts, found.proposals, config, as_of)
    return replace(found, as_of=str(as_of), segment=segment, reach=counted)


def _measured(held: HeldSets, history: History, window: Window, config: RunConfig) -> Analysis:
    settings, products = config.combinations, held.products
    bounds = Bounds(
        settings.min_support,
        settings.min_clients,
        settings.max_size,
        settings.max_false_share,
    )
    found = combined(held, bounds)
    terms = {name: product.eligibility for name, product in config.products.items()}
    order = purchase_order(history, window, terms)
    first = had_first(history, window.as_of)
    by_pair = {
        (one, other): int(first[a, b])
        for a, one in enumerate(products)
        for b, other in enumerate(products)
    }
    holders = dict(zip(products, held.holders.tolist(), strict=True))
    after = sequels(products, order, settings.min_clients, settings.max_false_share)
    orders = Orders(by_pair, {(one.first, one.then): one for one in after if one.is_sure})
    proposed, others = proposals(found, holders, orders, config)
    return Analysis(
        config=config,
        clients=held.total,
        least=bounds.least(held.total),
        combinations=found,
        rules=list(rules(held, found)),
        sequels=after,
        map=core_periphery(products, held.holders, first, bounds.least(held.total)),
        proposals=proposed,
        not_proposed=others,
    )


def held_sets(customers: DataFrame, holdings: DataFrame, as_of: date) -> DataFrame:
    """How many active customers of each segment hold exactly which products.

    There are few such sets, however many customers there are; every larger question is answered
    from them (`measurement/combinations.py`).
    """
    active = active_customers(customers, as_of).select("customer_id", "segment")
    # The right key is unique: one row per customer.
    held = open_products(holdings, as_of).join(active, "customer_id", how="right")
    return held.groupBy("segment", "open_products").agg(F.count(F.lit(1)).alias("clients"))


def _held_sets(rows: pa.Table, config: RunConfig, segment: str | None) -> HeldSets:
    """In a total order, so that sums of floats do not depend on the engine's."""
    told = [
        (row["segment"] or UNKNOWN, tuple(row["open_products"] or ()), row["clients"])
        for row in rows.to_pylist()
    ]
    segments = sorted({one for one, _, _ in told})
    if segment is not None and segment not in segments:
        known = [one for one in segments if one]
        hint = did_you_mean(segment, known) or f"; there are {', '.join(known) or 'none'}"
        raise UserError(f"no active client is in the segment {segment}{hint}")
    kept = sorted(one for one in told if segment in (None, one[0]))
    products = tuple(config.products)
    return HeldSets(
        products,
        np.array([[name in held for name in products] for _, held, _ in kept], dtype=np.bool_),
        np.array([clients for _, _, clients in kept], dtype=np.int64),
        np.array([segments.index(one) for one, _, _ in kept], dtype=np.int64),
    )


def _window(config: RunConfig, as_of: date) -> Window:
    settings = config.combinations
    return Window(
        as_of.year * 12 + as_of.month - 1, settings.history_months, settings.within_months
    )


def _history(
    customers: DataFrame, holdings: DataFrame, window: Window, config: RunConfig
) -> History:
    """Who was a client when, and what they held: few numbers per holding, on the driver."""
    begins = window.as_of - window.months
    ended = F.least(_month("left_on"), _month("deceased_on"))
    people = customers.select(
        "customer_id",
        _month("joined_on").alias("here_from"),
        F.coalesce(ended, F.lit(NEVER)).alias("here_until"),
    ).where((F.col("here_from") < window.as_of) & (F.col("here_until") >= begins))
    held = holdings.select(
        "customer_id",
        "product_id",
        _month("opened_on").alias("opened"),
        F.coalesce(_month("closed_on"), F.lit(NEVER)).alias("closed"),
    ).where(
        (F.col("opened") < window.as_of)
        & ((F.col("closed") >= begins) | (F.col("opened") >= begins - window.within))
    )
    return _arrays(people.toArrow(), held.toArrow(), tuple(config.products))


def _arrays(people: pa.Table, held: pa.Table, products: tuple[str, ...]) -> History:
    client = pc.index_in(held["customer_id"], value_set=people["customer_id"].combine_chunks())
    held = held.append_column("client", client).filter(pc.is_valid(client)).sort_by("client")
    product = pc.index_in(held["product_id"], value_set=pa.array(products))

    def numbers(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.asarray(column.to_numpy(), dtype=np.int64)

    return History(
        products,
        numbers(people["here_from"]),
        numbers(people["here_until"]),
        numbers(held["client"]),
        numbers(product),
        numbers(held["opened"]),
        numbers(held["closed"]),
    )


def _month(day: str) -> Column:
    """The number of the month in which a day lies."""
    return (F.year(day) * 12 + F.month(day) - 1).cast("int")


def _folder(home: Home, as_of: date, segment: str | None) -> Path:
    return home.reports / str(as_of) / (f"{NAME}-{segment}" if segment else NAME)
