"""`xsell demo --react`: the demo bank's branches work through the lists of its campaigns.

The same bank is simulated again, with these lists in place of its own campaigns, and the deliveries
that nobody has ingested yet are replaced. What was ingested never changes: each draw of the bank is
a hash of its own, so that what came before a list comes out as it was.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from conf.schema import Product
from demo.bank import make_demo_bank
from demo.files import MANIFEST, write_rows
from demo.worklists import Work
from jobs.demo.marker import Made, read_marker, write_marker
from jobs.demo.worked_lists import standing_campaigns, worked_lists
from jobs.home import Home
from jobs.privacy.erased_clients import remembered
from jobs.progress import progress_bar
from tables.errors import UserError
from tables.files import make_folder, scratch_folder, write_tree
from tables.runs import Runs

RETURNED = "returned"
PART = "part-00000.parquet"
SCRATCH = ".react-"
TRUTH = "truth"
# A client makes about a hundred bookings in two years; the bar only needs the order of magnitude.
BOOKINGS_PER_CUSTOMER_AND_MONTH = 4
DAY = timedelta(days=1)


def react(
    home: Home,
    landing: Path,
    products: Mapping[str, Product],
    *,
    processes: int = 1,
    with_alone: bool = True,
) -> None:
    """Let branches work through all lists that are out; under the run lock.

    Args:
        home: Whose campaigns.
        landing: Its deliveries.
        products: As configured.
        processes: Chunks worked on at a time.
        with_alone: Also simulate the bank without any list, for the truth.

    Raises:
        UserError: There is nothing to work through, or what has been ingested would change.
    """
    made = read_marker(landing)
    if made is None:
        raise UserError(f"{landing} holds no demo bank. Make it with xsell demo first")
    campaigns = standing_campaigns(home, made.until)
    worked = tuple((record.as_of, record.run_id) for record in campaigns)
    if not worked:
        raise UserError(
            f"no list is out that deliveries follow (the last one is of {made.until})."
            " Run xsell run --as-of YYYY-MM-01 for an earlier month first"
        )
    if worked == made.worked:
        sys.stderr.write(f"demo      all lists before {made.until} were worked through before\n")
        return
    ingested = _last_ingested(home)
    _refuse_ingested(made, worked, ingested)
    started = time.monotonic()
    with scratch_folder(home.path, SCRATCH) as scratch:
        work = Work(
            lists=worked_lists(home, campaigns),
            after=ingested - DAY,
            returned=scratch / RETURNED,
            unseen=_unseen(home, made),
        )
        _simulate(made, work, products, scratch, processes)
        _refuse_other(home, landing, scratch, ingested)
        if with_alone:
            _leave_alone(made, work, products, scratch, processes)
        _put(home, landing, scratch, ingested)
    write_marker(landing, made, worked)
    sys.stderr.write(
        f"demo      {time.monotonic() - started:.1f} s: branches worked through the lists of"
        f" {', '.join(str(as_of) for as_of, _ in worked)}; deliveries after {ingested} tell\n"
    )


def _last_ingested(home: Home) -> date:
    """Day of the last delivery that was ingested; a campaign was made of it."""
    newest = Runs(home.tables).newest("ingest", lambda _: True)
    assert newest is not None
    return date.fromisoformat(max(newest.inputs))


def _refuse_ingested(made: Made, worked: tuple[tuple[date, str], ...], ingested: date) -> None:
    """Deliveries after a campaign tell what came of it, so they must not be in use already."""
    changed = min(as_of for as_of, _ in set(worked) ^ set(made.worked))
    if changed < ingested:
        raise UserError(
            f"deliveries up to {ingested} have been ingested without what came of the lists of"
            f" {changed}, and would change. In a new home, say xsell demo --react after each"
            " xsell run"
        )


def _simulate(
    made: Made, work: Work, products: Mapping[str, Product], scratch: Path, processes: int
) -> None:
    """The deliveries from the last ingested one on, that one for comparison."""
    bookings = made.customers * made.months * BOOKINGS_PER_CUSTOMER_AND_MONTH
    with progress_bar(bookings, "demo: transactions", "row") as advance:
        make_demo_bank(
            scratch / "landing",
            truth=scratch / TRUTH,
            customers=made.customers,
            months=made.months,
            seed=made.seed,
            until=made.until,
            products=products,
            processes=processes,
            progress=advance,
            work=work,
        )


def _leave_alone(
    made: Made, work: Work, products: Mapping[str, Product], scratch: Path, processes: int
) -> None:
    """What is bought in the same bank without a single contact from a list, as a truth."""
    alone = scratch / "alone"
    undone = replace(work, lists=work.lists.left_undone(), after=made.until - DAY)
    _simulate(made, undone, products, alone, processes)
    holdings = ds.dataset(next((alone / "landing" / str(made.until)).glob("holdings*")))
    since = pc.field("opened_on") >= pa.scalar(work.lists.begin)
    rows = holdings.to_table(["customer_id", "product_id", "opened_on", "closed_on"], filter=since)
    folder = make_folder(scratch / TRUTH / "alone.parquet")
    write_rows(rows.sort_by([(name, "ascending") for name in rows.column_names]), folder / PART)


def _unseen(home: Home, made: Made) -> tuple[int, ...]:
    """Numbers of erased clients."""
    erased = remembered(home)
    if erased is None:
        return ()
    return tuple(
        number for number in range(made.customers) if erased.knows("customer_id", f"C{number:07d}")
    )


def _refuse_other(home: Home, landing: Path, scratch: Path, ingested: date) -> None:
    """The last ingested delivery comes out as it was, or this is not the same bank."""
    if remembered(home) is not None:
        return  # whose rows were taken out of it, nobody can say
    name = f"{ingested}/{MANIFEST}"
    if (scratch / "landing" / name).read_bytes() != (landing / name).read_bytes():
        raise UserError(
            f"delivery {ingested} was ingested and would come out otherwise: it was made by another"
            " version or with other products. Make the bank in a new home"
        )


def _put(home: Home, landing: Path, scratch: Path, ingested: date) -> None:
    """Replace what follows the last ingested delivery, the newest first, and the truth."""
    returned = make_folder(home.path / RETURNED)
    for made in sorted((scratch / "landing").iterdir(), reverse=True):
        if made.name > str(ingested):
            _replace(made, landing / made.name)
            _replace(scratch / RETURNED / made.name, returned / made.name)
    for folder in sorted((scratch / TRUTH).iterdir()):
        _replace(folder, home.path / TRUTH / folder.name)


def _replace(made: Path, target: Path) -> None:
    """Put a folder in place of another; none in place of one that is not made any more."""
    if made.exists():
        write_tree(target, lambda new: _copy(made, new))
    elif target.exists():
        shutil.rmtree(target)


def _copy(folder: Path, new: Path) -> None:
    shutil.copytree(folder, new, dirs_exist_ok=True)
