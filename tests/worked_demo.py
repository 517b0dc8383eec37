"""Lists of a test's own that a small demo bank's branches work through."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from demo.bank import make_demo_bank
from demo.months import day_number, first_of
from demo.people import BLOCK, BRANCHES_PER_BLOCK
from demo.portfolio import PLACE
from demo.worklists import Handed, Lines, Work, Worklists
from tests.demo_bank import PRODUCTS

UNTIL = date(2026, 8, 1)
MONTHS, SEED = 12, 10
OFFERS = tuple(PLACE)


def lists(campaigns: Iterable[tuple[date, Iterable[tuple[int, str, bool]]]]) -> Worklists:
    """Lists of campaigns: number of the client, product, is it a renewal; sorted by client."""
    handed, rows = [], []
    for place, (as_of, offers) in enumerate(campaigns):
        handed.append(Handed(as_of, f"{place:06x}", "monthly"))
        rows += [(place, as_of, *offer) for offer in offers]
    campaign, begun, who, products, renewals = zip(*rows, strict=True) if rows else [()] * 5
    product = np.array([PLACE[name] for name in products], dtype=np.int64)
    numbers = np.array(who, dtype=np.int64)
    first = np.array([day_number(day) + 7 for day in begun], dtype=np.int64)
    branch = numbers // BLOCK * BRANCHES_PER_BLOCK + numbers % BRANCHES_PER_BLOCK
    lines = Lines(
        who=numbers,
        place=np.zeros(len(rows), dtype=np.int64),
        campaign=np.array(campaign, dtype=np.int64),
        offer=product,
        product=product,
        products=1 << product,
        is_renewal=np.array(renewals, dtype=np.bool_),
        is_partner=np.zeros(len(rows), dtype=np.bool_),
        channel=np.zeros(len(rows), dtype=np.int64),
        branch=branch,
        advisor=branch * 3 + numbers % 3,
        first=first,
        last=first + 44,
        factor=np.ones(len(rows)),
        added=np.zeros(len(rows)),
    )
    return Worklists(tuple(handed), OFFERS, lines)


def worked(folder: Path, to_work: Worklists | None, customers: int, **more) -> Path:
    """A bank of so many customers whose branches work through lists, or who have none."""
    after = more.pop("after", first_of(UNTIL, -MONTHS))
    unseen = more.pop("unseen", ())
    work = to_work and Work(to_work, after, folder / "returned", unseen)
    make_demo_bank(
        folder / "landing",
        truth=folder / "truth",
        customers=customers,
        months=MONTHS,
        seed=SEED,
        until=UNTIL,
        products=PRODUCTS,
        work=work,
        **more,
    )
    return folder


def query(folder: Path):
    """SQL over the last delivery's whole tables, all contacts, and the truth of reactions."""
    sql = duckdb.connect()
    for table in ("holdings", "customers", "flags"):
        sql.execute(f"create view {table} as from '{folder}/landing/{UNTIL}/{table}.parquet'")
    for table in ("contacts", "consents"):
        sql.execute(f"create view {table} as from '{folder}/landing/*/{table}.parquet'")
    reactions = f"{folder}/truth/reactions.parquet/*.parquet"
    sql.execute(f"create view reactions as from '{reactions}'")
    return lambda text: sql.execute(text).fetchall()
