"""A synthetic bank as deliveries (DESIGN §3), with its planted truth beside it.

Planted, each in its own module: true propensities (`demo.hazards`), which depend on months of
bookings and on holdings; uplift of contacts in randomised past campaigns (`demo.campaigns`); lives
that change behaviour (`demo.life`, `demo.purchases`); consents, flags, deaths, leavers, late
bookings. The truth is described in `demo.truth`. Every draw is a hash of seed, purpose, month and
customer (`demo.draws`).
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
from demo.chunk import Chunk, Plan, simulate
from demo.draws import Draws
from demo.files import MANIFEST, Written, write_csv, write_manifest
from demo.hazards import PLANTED
from demo.months import history
from demo.network import small_tables
from demo.worklists import Work
from tables.errors import UserError

WARM_UP_MONTHS = 12
CHUNK_SIZE = 25_000  # a constant, so that no part depends on how large the bank is
TRUTH_FOLDERS = (
    "propensity.parquet", "uplift.parquet", "campaigns.parquet", "reactions.parquet",
)  # fmt: skip

Progress = Callable[[int], None]


@dataclass(frozen=True)
class DemoSummary:
    """What was written."""

    deliveries: int
    rows: Mapping[str, int]  # by table, over all deliveries


def make_demo_bank(
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
    work: Work | None = None,
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
        processes: Chunks worked on at a time; beyond one, progress comes chunk by chunk.
        progress: Is told how many more transactions are written.
        work: Lists that branches work through, in place of the bank's own campaigns from then on;
            only deliveries after a day are written then.

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
        products={name: products[name] for name in PLANTED if name in products},
        chunk_size=CHUNK_SIZE,
        work=work,
    )
    _clear(plan)
    written = _write_small(plan)
    written += _write_chunks(plan, processes, progress or (lambda _: None))
    written.sort(key=lambda file: (file.delivery, file.path))
    for delivery, files in groupby(written, lambda file: file.delivery):
        write_manifest(out / delivery, files)
    return _summary(written)


def _check(customers: int, months: int, until: date) -> None:
    if until.day != 1:
        raise UserError(f"--until {until} is not the first day of a month")
    if min(customers, months) < 1:
        raise UserError(f"a bank needs customers and months, not {customers} and {months}")


def _clear(plan: Plan) -> None:
    """Remove what an interrupted attempt left; a bank that is complete is never touched."""
    folders = [plan.landing / month.delivery for month in plan.months if plan.writes(month)]
    if all((folder / MANIFEST).exists() for folder in folders):
        raise UserError(
            f"{plan.landing} already holds these deliveries, the last one {folders[-1].name};"
            " choose another --out or remove them"
        )
    for folder in [*folders, *(plan.truth / name for name in TRUTH_FOLDERS)]:
        if folder.exists():
            shutil.rmtree(folder)


def _write_small(plan: Plan) -> list[Written]:
    """Branches, advisors and rates of every delivery."""
    draws = Draws(plan.seed)
    return [
        write_csv(plan.landing / month.delivery, table.name, table.column_names, lines)
        for now, month in enumerate(plan.months)
        if plan.writes(month)
        for table, lines in small_tables(draws, plan.customers, plan.months, now)
    ]


def _write_chunks(plan: Plan, processes: int, progress: Progress) -> Iterator[Written]:
    if min(processes, plan.chunks) == 1:
        for chunk in range(plan.chunks):
            yield from Chunk(plan, chunk).run(progress)
        return
    # Arrow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        work = [pool.submit(simulate, plan, chunk) for chunk in range(plan.chunks)]
        for done in as_completed(work):
            files = done.result()
            progress(sum(file.rows for file in files if file.table == "transactions"))
            yield from files


def _summary(written: list[Written]) -> DemoSummary:
    rows: Counter[str] = Counter()
    for file in written:
        rows[file.table] += file.rows
    deliveries = {file.delivery for file in written}
    return DemoSummary(len(deliveries), dict(sorted(rows.items())))
