"""What past campaigns caused, and whether models are still right, as known before a date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from jobs.home import Home
from jobs.measurement.campaigns import Measured, measured_campaigns
from jobs.measurement.files import measurement_folder, write_findings
from jobs.measurement.lines import NOTHING, measurement_lines
from jobs.measurement.model_outcomes import model_findings
from jobs.measurement.offers import offers_and_clients
from jobs.measurement.pages.found import Findings
from jobs.measurement.pages.page import write_measurement
from jobs.measurement.pages.report import findings, findings_of_models
from jobs.measurement.sales_and_clients import sales_and_clients
from jobs.run import Run
from measurement.monitoring import ModelFindings
from measurement.results import campaign_results
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_RESULTS

STAGES, WRITTEN = 6, 2
Counts = dict[str, Any]


def measure(run: Run) -> None:
    """Stage ``campaign_results``, and write the findings' tables and pages.

    Whether models are still right is told, too, where no campaign was made.
    """
    home, settings = Home(run.home), run.config.measurement.effect
    campaigns = measured_campaigns(home, run.store, run.as_of, settings.months)
    with run.progress(STAGES, "offers, effects, clients, models, tables, pages") as advance:
        # Models need nothing of the rest, and SQL and arrays leave the interpreter to others.
        with ThreadPoolExecutor(1) as beside:
            models = beside.submit(model_findings, home, run.as_of, run.config)
            found, counts = (
                _of_campaigns(run, campaigns, models, advance)
                if campaigns
                else _of_models_alone(run, models, advance)
            )
        run.stage(CAMPAIGN_RESULTS, found.results)
        folder = measurement_folder(home, run.as_of, run.run_id)
        write_findings(folder, found.tables)
        advance(1)
        write_measurement(folder, found)
        advance(1)
    run.note(**counts)


def _of_campaigns(
    run: Run,
    campaigns: Sequence[Measured],
    judging: Future[ModelFindings],
    advance: Callable[[int], None],
) -> tuple[Findings, Counts]:
    """Everything, with what is told in a terminal."""
    offers, clients = offers_and_clients(run.store, campaigns, run.config, run.as_of)
    advance(1)
    measured = [one.campaign for one in campaigns]
    settings = run.config.measurement.effect
    results = _of_run(run, campaign_results(offers, measured, clients, settings))
    advance(1)
    people = sales_and_clients(run.store, campaigns, run.config, run.as_of, offers)
    advance(1)
    models = judging.result()
    advance(1)
    return findings(run, measured, offers, results, people=people, models=models), {
        "campaigns": len(campaigns),
        "offers": offers.num_rows,
        "results": results.num_rows,
        "told": [
            *measurement_lines(results, offers, measured, run.config.bank.base_currency),
            *people.lines,
            models.headlines[0],
        ],
    }


def _of_models_alone(
    run: Run, judging: Future[ModelFindings], advance: Callable[[int], None]
) -> tuple[Findings, Counts]:
    """The same where there is no campaign to measure."""
    models = judging.result()
    advance(STAGES - WRITTEN)
    months = run.config.measurement.effect.months
    nothing = NOTHING.format(months=months, as_of=run.as_of)
    results = arrow_schema(CAMPAIGN_RESULTS).empty_table()
    told = [nothing, models.headlines[0]]
    return findings_of_models(run, results, models), {"campaigns": 0, "told": told}


def _of_run(run: Run, found: pa.Table) -> pa.Table:
    """Results shaped ``CAMPAIGN_RESULTS``."""
    schema = arrow_schema(CAMPAIGN_RESULTS)
    columns = {name: found[name] for name in found.column_names} | {
        "as_of": pa.repeat(pa.scalar(run.as_of, pa.date32()), found.num_rows),
        "run_id": pa.repeat(run.run_id, found.num_rows),
    }
    rows = pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)
    return rows.sort_by([(name, "ascending") for name in CAMPAIGN_RESULTS.key])
