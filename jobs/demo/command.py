"""`xsell demo`: make the synthetic bank and say how fast it comes."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from conf.load import load_config
from demo.bank import make_demo_bank
from jobs.demo.marker import MARKER, UNFINISHED, Made, is_there, write_marker
from jobs.demo.react import BOOKINGS_PER_CUSTOMER_AND_MONTH, react
from jobs.home import Home
from jobs.progress import progress_bar
from jobs.runs.rewriting import publishing
from tables.files import make_folder, write_file


def demo_command(options: argparse.Namespace) -> int:
    """Write the deliveries, or find that they are there already."""
    config = load_config(options.env, options.overrides)
    home = Home(Path(options.home).resolve())
    home.create()
    landing = Path(options.out).resolve() if options.out else home.landing
    wanted = Made(options.customers, options.months, options.seed, options.until)
    with publishing(home, "xsell demo"):
        if options.react:
            react(home, landing, config.products, processes=options.processes)
            return 0
        if is_there(landing, wanted):
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
        write_marker(landing, wanted)
        seconds = time.monotonic() - started
    rows = made.rows["transactions"]
    sys.stderr.write(
        f"demo      {seconds:.1f} s: {options.customers:,} customers, {rows:,} transactions"
        f" ({rows / seconds:,.0f} a second), {options.months} deliveries in {landing}\n"
    )
    return 0
