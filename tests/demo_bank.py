"""A synthetic bank for tests of the bank itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any

import duckdb

from conf.load import load_config
from demo.bank import make_demo_bank

UNTIL = date(2026, 11, 1)
MONTHS = 12
CUSTOMERS = 1_500
PRODUCTS = load_config("local", ()).products
SMALL = ("branches", "advisors", "fx_rates")
INCREMENTS = ("transactions", "contacts", "consents")
WHOLE = ("customers", "accounts", "holdings", "flags")
TRUTH = ("propensity", "uplift", "campaigns")


def make(folder, customers=CUSTOMERS, months=MONTHS, seed=7, **more):
    """Landing and truth under ``folder``, and the summary."""
    summary = make_demo_bank(
        folder / "landing",
        truth=folder / "truth",
        customers=customers,
        months=months,
        seed=seed,
        until=UNTIL,
        products=PRODUCTS,
        **more,
    )
    return folder, summary


def digests(folder):
    """Digest of every file by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def query(folder) -> Callable[[str], list[tuple[Any, ...]]]:
    """SQL over the whole tables of the last delivery, all increments, and the truth as true_*."""
    connection = duckdb.connect()
    last = f"{folder}/landing/{UNTIL}"
    files = {table: f"{last}/{table}.parquet" for table in WHOLE}
    files |= {table: f"{folder}/landing/*/{table}.parquet" for table in INCREMENTS}
    files |= {table: f"{last}/{table}.csv" for table in SMALL}
    files |= {f"true_{table}": f"{folder}/truth/{table}.parquet/*.parquet" for table in TRUTH}
    for name, path in files.items():
        connection.execute(f"create view {name} as from '{path}'")
    return lambda text: connection.execute(text).fetchall()
