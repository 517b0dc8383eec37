"""What became of every contract of a run: a JSON file, and one page for a person.

The page needs no network, and neither file holds a client's value: counts and sentences only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from features.figures import in_words, percent
from tables.derived import DELIVERIES, QUARANTINE
from tables.files import make_folder, write_file

if TYPE_CHECKING:
    from jinja2 import Environment

    from expectations.check import CheckReport, CheckResult
    from jobs.run import Run
    from tables.store import Store

Content = dict[str, Any]
TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "report.html.j2"
# What a campaign notes of its choice of offers.
CHOICE = (
    "expected_profit",
    "upper_bound",
    "gap",
    "dearest_limits",
    "minima_not_met",
    "detectable_uplift",
)
THIS_RUN = "this run"
# In the order in which a person should read them.
BROKEN, UNKNOWN, WARNING, KEPT = "broken", "not checked", "warning", "kept"


def report_page(home: Path, step: str, as_of: date, run_id: str) -> Path:
    """Where the page of a run lies; its JSON lies beside it."""
    return home / "reports" / str(as_of) / f"{step}-{run_id[:12]}.html"


def write_report(
    run: Run, reports: Sequence[CheckReport], problems: Sequence[str], proposed: Store
) -> Path:
    """Write both files, each at one instant, and give back where the page lies.

    Args:
        run: The run; nothing of it has been committed yet.
        reports: What became of the contracts.
        problems: Why the run stops, a sentence each; none if it does not.
        proposed: The store as it would be after the run's commit.
    """
    content = report_content(run, reports, problems, proposed)
    return write_page(run, content, TEMPLATE)


def write_page(run: Run, content: Content, template: str) -> Path:
    """Write a report of a run as JSON and as a page, and give back where the page lies."""
    page = report_page(run.home, run.step, run.as_of, run.run_id)
    make_folder(page.parent)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_file(page.with_suffix(".json"), text.encode())
    write_file(page, page_text(content, template).encode())
    return page


def report_content(
    run: Run, reports: Sequence[CheckReport], problems: Sequence[str], proposed: Store
) -> Content:
    """The report as plain values; the same run gives the same."""
    tables = [_table(report) for report in reports]
    rules = [rule["verdict"] for table in tables for rule in table["rules"]]
    is_ingest = run.step == "ingest"
    return {
        "step": run.step,
        "as_of": str(run.as_of),
        "run_id": run.run_id,
        "stopped": bool(problems),
        "problems": list(problems),
        "verdicts": {name: rules.count(name) for name in (BROKEN, UNKNOWN, WARNING, KEPT)},
        "choice": {
            name.replace("_", " "): run.counts[name] for name in CHOICE if name in run.counts
        },
        "campaign": _campaign(run),
        "tables": tables,
        "deliveries": _deliveries(proposed) if is_ingest else [],
        "quarantined": _quarantined(proposed) if is_ingest else [],
    }


def page_text(content: Content, template: str = TEMPLATE) -> str:
    """The report as one page; every value is escaped."""
    return _templates().get_template(template).render(content)


@cache
def _templates() -> Environment:
    """Made once: to compile a template takes longer than to fill it, and each model has a page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"in_words": in_words, "percent": percent}
    return environment


def _campaign(run: Run) -> Content | None:
    """Where offers stopped and where they went; None of other steps."""
    if not run.figures:
        return None
    from jobs.campaigns.page import campaign_content

    return campaign_content([THIS_RUN], [run.figures])


def _table(report: CheckReport) -> Content:
    looked_at = (result.rows for result in report.results if result.rows is not None)
    rows = next(looked_at, None)
    return {"name": report.table, "rows": rows, "rules": [_rule(one) for one in report.results]}


def _rule(result: CheckResult) -> Content:
    return {
        "verdict": _verdict(result),
        "severity": result.severity,
        "sentence": result.sentence,
        "found": None if result.found is None else round(float(result.found), 6),
        "rows": result.rows,
        "detail": result.detail,
        "error": result.error,
    }


def _verdict(result: CheckResult) -> str:
    if result.error is not None:
        return UNKNOWN
    if result.success:
        return KEPT
    return BROKEN if result.severity == "critical" else WARNING


def _deliveries(proposed: Store) -> list[Content]:
    """Rows in = accepted + quarantined + erased, per delivery and table that the run took in."""
    counts = ("rows_in", "rows_accepted", "rows_quarantined", "rows_erased")
    names = ("delivery", "table_name", *counts)
    rows = proposed.staged(DELIVERIES).select(*names).collect()
    ordered = sorted(
        (row.asDict() for row in rows), key=lambda row: (row["delivery"], row["table_name"])
    )
    return [row | {"delivery": str(row["delivery"])} for row in ordered]


def _quarantined(proposed: Store) -> list[Content]:
    """Rows set aside, per table and rule; a row may have broken several."""
    rows = proposed.staged(QUARANTINE).groupBy("table_name", "rule")
    counted = rows.agg(F.count(F.lit(1)).alias("rows")).collect()
    return sorted(
        (row.asDict() for row in counted), key=lambda row: (row["table_name"], row["rule"])
    )
