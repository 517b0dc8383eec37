"""`xsell berka`: the month as of 1994-04-01 of a real bank, then what really happened."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from conf.source import load_source
from extracts.berka import loan_outcomes, make_berka_deliveries
from features.catalogue import customer_features_table
from jobs.engine import open_engine
from jobs.extracts.backtest import (
    BackTest,
    back_test,
    column_by_customer,
    flat_report,
    report_lines,
)
from jobs.home import Home
from jobs.publishing import Context
from jobs.run_month import run_steps
from jobs.runs.rewriting import publishing
from jobs.runs.summary import summary_lines
from jobs.settings import checked_config
from jobs.steps import MONTH
from tables.derived import PROPENSITY_SCORES
from tables.files import write_file
from tables.store import Store

if TYPE_CHECKING:
    from jobs.publishing import StepResult

AS_OF = date(1994, 4, 1)
ENVIRONMENT = "berka"
PRODUCT = "loan"
JUDGED, BALANCE = "propensity", "account balance"
REPORT = "berka_backtest"


def berka_command(options: argparse.Namespace) -> int:
    """Make the deliveries, run the month, back-test it."""
    config = checked_config(ENVIRONMENT)
    home = Home(Path(options.home).resolve())
    home.create()
    with publishing(home, "xsell berka"):
        source = load_source(config.bank.source)
        make_berka_deliveries(options.data, home.landing, AS_OF, source)
        with open_engine(config.engine) as spark:
            context = Context(AS_OF, config, home, spark)
            results = run_steps(context, MONTH)
            found = _back_test(context, results, options.data)
            lines = [*summary_lines(context, results), "", *_write_report(home, found)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _back_test(context: Context, results: list[StepResult], data: Path) -> BackTest:
    """Judge the scores by the loans taken on or after the as-of date, to the end of the data."""
    pins = {name: version for one in results for name, version in one.record.pins.items()}
    store = Store(context.home.tables, context.spark, pins)
    scores = store.arrow(PROPENSITY_SCORES, AS_OF)
    scores = scores.filter(pc.equal(scores["product_id"], PRODUCT))
    features = customer_features_table(list(context.config.products))
    balances = store.arrow(features, AS_OF, ["customer_id", "balance_amount"])
    outcomes = loan_outcomes(data, AS_OF).to_pylist()
    return back_test(
        {
            JUDGED: column_by_customer(scores, "propensity"),
            BALANCE: column_by_customer(balances, "balance_amount"),
        },
        {row["customer_id"]: row["granted_on"] is not None for row in outcomes},
        samples=context.config.models.bootstrap_samples,
        seed=context.config.models.seed,
    )


def _write_report(home: Home, found: BackTest) -> list[str]:
    what = f"loans taken from {AS_OF} on by customers without one, as scored on that day"
    lines = report_lines(found, what)
    figures = json.dumps(flat_report(found), indent=1, sort_keys=True) + "\n"
    write_file(home.reports / f"{REPORT}.json", figures.encode())
    write_file(home.reports / f"{REPORT}.txt", ("\n".join(lines) + "\n").encode())
    return [*lines, "", f"Report: {home.reports / REPORT}.json and .txt"]
