"""A synthetic bank as deliveries (DESIGN §3), with its planted truth beside it.

Planted, each with its own module: true propensities (`demo.hazards`), which depend on months of bookings and on
holdings; uplift of contacts in randomised past campaigns (`demo.campaigns`); lives that change behaviour
(`demo.life`, `demo.purchases`); consents, flags, deaths, leavers, late bookings. The truth is described in
`demo.truth`. Every draw is a hash of seed, purpose, month and customer (`demo.draws`).
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from conf.schema import Product
from demo.chunk import Plan, simulate
from demo.draws import Draws
from demo.files import Written, write_csv, write_manifest
from demo.hazards import PLANTED
from demo.months import history
from demo.network import small_tables
from tables.errors import UserError

WARM_UP_MONTHS = 12
FEWEST_MONTHS = 1
TRUTH_FOLDERS = ("propensity.parquet", "uplift.parquet", "campaigns.parquet")

Progress = Callable[[int], None]


@dataclass(frozen=True)
class DemoSummary:
    """What was written."""

    deliveries: int
    rows: Mapping[str, int]  # by table, over all deliveries


def make_demo_bank(  # noqa: PLR0913 - the command's own arguments
    out: Path,
    *,
    truth: Path,
    customers: int,
    months: int,
    seed: int,
    until: date,
    products: Mapping[str, Product],
    processes: int = 1,
    progress: Progress | None = None,
) -> DemoSummary:
    """Write the bank's deliveries to ``out`` and the planted truth to ``truth``.

    Args:
        out: The landing folder; gets one folder per month.
        truth: Gets the folders of `demo.truth`, in place of older ones.
        customers: Everybody who ever joins, leavers included.
        months: Months of history, one delivery each.
        seed: Same seed, same bytes, for any number of processes.
        until: Day of the last delivery, a first of a month.
        products: As configured; those the bank has no truth for are not sold.
        processes: Chunks of customers worked on at a time; beyond one, progress comes chunk by chunk.
        progress: Is told the transactions written so far.

    Raises:
        UserError: An argument makes no sense, or ``out`` already holds one of the deliveries.
    """
    _check(customers, months, until)
    plan = Plan(
        landing=out,
        truth=truth,
        customers=customers,
        months=history(until, months, WARM_UP_MONTHS),
        seed=seed,
        products={product_id: products[product_id] for product_id in PLANTED if product_id in products},
    )
    _clear(plan)
    written = _write_small(plan) + list(_write_chunks(plan, processes, progress))
    by_delivery = groupby(sorted(written, key=lambda file: file.delivery), lambda file: file.delivery)
    for delivery, files in by_delivery:
        write_manifest(out, delivery, files)
    return _summary(months, written)


def _check(customers: int, months: int, until: date) -> None:
    if until.day != 1:
        raise UserError(f"--until {until} is not the first day of a month")
    if customers < 1 or months < FEWEST_MONTHS:
        raise UserError(f"a bank needs customers and months, not {customers} and {months}")


def _clear(plan: Plan) -> None:
    """Remove what an interrupted attempt left; a complete delivery is never touched."""
    folders = [plan.landing / f"{month.after:%Y-%m-%d}" for month in plan.months if month.index >= 0]
    complete = [folder.name for folder in folders if (folder / "manifest.json").exists()]
    if complete:
        raise UserError(
            f"{plan.landing} already holds {len(complete)} of these deliveries, e.g. {complete[0]};"
            " choose another --out or remove them"
        )
    for folder in [*folders, *(plan.truth / name for name in TRUTH_FOLDERS)]:
        if folder.exists():
            shutil.rmtree(folder)


def _write_small(plan: Plan) -> list[Written]:
    """Branches, advisors and rates of every delivery."""
    draws = Draws(plan.seed)
    return [
        write_csv(plan.landing, f"{month.after:%Y-%m-%d}", table.name, table.column_names, lines)
        for now, month in enumerate(plan.months)
        if month.index >= 0
        for table, lines in small_tables(draws, plan.customers, plan.months, now)
    ]


def _write_chunks(plan: Plan, processes: int, progress: Progress | None) -> Iterator[Written]:
    total = 0

    def tell(transactions: int) -> None:
        nonlocal total
        total += transactions
        if progress is not None:
            progress(total)

    if min(processes, plan.chunks) == 1:
        for chunk in range(plan.chunks):
            yield from simulate(plan, chunk, tell)
        return
    # Arrow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        work = [pool.submit(simulate, plan, chunk) for chunk in range(plan.chunks)]
        for done in as_completed(work):
            files = done.result()
            tell(sum(file.rows for file in files if file.table == "transactions"))
            yield from files


def _summary(months: int, written: list[Written]) -> DemoSummary:
    rows: Counter[str] = Counter()
    for file in written:
        rows[file.table] += file.rows
    return DemoSummary(months, dict(sorted(rows.items())))
