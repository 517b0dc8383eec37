"""`xsell demo`: make the synthetic bank and say how fast it comes."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from conf.load import load_config
from demo.bank import make_demo_bank
from jobs.home import Home
from jobs.progress import progress_bar
from jobs.rewriting import publishing
from tables.errors import UserError
from tables.files import make_folder, write_file

# A client makes about a hundred bookings in two years; the bar only needs the order of magnitude.
BOOKINGS_PER_CUSTOMER_AND_MONTH = 4
MARKER = ".demo"
UNFINISHED = "unfinished\n"


def demo_command(options: argparse.Namespace) -> int:
    """Write the deliveries, or find that they are there already."""
    config = load_config(options.env, options.overrides)
    home = Home(Path(options.home).resolve())
    home.create()
    landing = Path(options.out).resolve() if options.out else home.landing
    wanted = (
        f"{options.customers} customers, {options.months} months, seed {options.seed},"
        f" until {options.until}\n"
    )
    with publishing(home, "xsell demo"):
        if _is_there(landing, wanted):
            sys.stderr.write(f"demo      already there: {landing}\n")
            return 0
        started = time.monotonic()
        bookings = options.customers * options.months * BOOKINGS_PER_CUSTOMER_AND_MONTH
        write_file(make_folder(landing) / MARKER, UNFINISHED.encode())
        with progress_bar(bookings, "demo: transactions", "row") as advance:
            made = make_demo_bank(
                landing,
                truth=home.path / "truth",
                customers=options.customers,
                months=options.months,
                seed=options.seed,
                until=options.until,
                products=config.products,
                processes=options.processes,
                progress=advance,
            )
        write_file(landing / MARKER, wanted.encode())
        seconds = time.monotonic() - started
    rows = made.rows["transactions"]
    sys.stderr.write(
        f"demo      {seconds:.1f} s: {options.customers:,} customers, {rows:,} transactions"
        f" ({rows / seconds:,.0f} a second), {options.months} deliveries in {landing}\n"
    )
    return 0


def _is_there(landing: Path, wanted: str) -> bool:
    """The landing folder holds this very bank; an unfinished one is made again.

    Raises:
        UserError: It holds other deliveries, which must not be overwritten.
    """
    marker = landing / MARKER
    found = marker.read_text(encoding="utf-8") if marker.exists() else ""
    if found in (wanted, UNFINISHED):
        return found == wanted
    if landing.exists() and any(landing.iterdir()):
        raise UserError(
            f"{landing} already holds {found.strip() or 'deliveries of another source'};"
            " nothing was written. Choose another --home, or empty it"
        )
    return False
