"""What past campaigns caused, as known before the as-of date."""

from __future__ import annotations

import pyarrow as pa

from jobs.home import Home
from jobs.measurement.campaigns import measured_campaigns
from jobs.measurement.files import measurement_folder, write_findings
from jobs.measurement.lines import NOTHING, measurement_lines
from jobs.measurement.model_outcomes import model_findings
from jobs.measurement.offers import offers_and_clients
from jobs.measurement.pages.page import write_measurement
from jobs.measurement.pages.report import findings
from jobs.measurement.sales_and_clients import sales_and_clients
from jobs.run import Run
from measurement.results import campaign_results
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_RESULTS

STAGES = 6


def measure(run: Run) -> None:
    """Stage ``campaign_results`` and write the findings' tables; the first month has none."""
    home, settings = Home(run.home), run.config.measurement.effect
    campaigns = measured_campaigns(home, run.store, run.as_of, settings.months)
    if not campaigns:
        run.stage(CAMPAIGN_RESULTS, arrow_schema(CAMPAIGN_RESULTS).empty_table())
        run.note(campaigns=0, told=[NOTHING.format(months=settings.months, as_of=run.as_of)])
        return
    with run.progress(STAGES, "offers, effects, clients, models, tables, pages") as advance:
        offers, clients = offers_and_clients(run.store, campaigns, run.config, run.as_of)
        advance(1)
        measured = [one.campaign for one in campaigns]
        results = _of_run(run, campaign_results(offers, measured, clients, settings))
        advance(1)
        people = sales_and_clients(run.store, campaigns, run.config, run.as_of, offers)
        advance(1)
        models = model_findings(home, run.as_of, run.config)
        advance(1)
        run.stage(CAMPAIGN_RESULTS, results)
        found = findings(run, measured, offers, results, people=people, models=models)
        folder = measurement_folder(home, run.as_of, run.run_id)
        write_findings(folder, found.tables)
        advance(1)
        write_measurement(folder, found)
        advance(1)
    run.note(
        campaigns=len(campaigns),
        offers=offers.num_rows,
        results=results.num_rows,
        told=[
            *measurement_lines(results, offers, measured, run.config.bank.base_currency),
            *people.lines,
            models.headlines[0],
        ],
    )


def _of_run(run: Run, found: pa.Table) -> pa.Table:
    """Results shaped ``CAMPAIGN_RESULTS``."""
    schema = arrow_schema(CAMPAIGN_RESULTS)
    columns = {name: found[name] for name in found.column_names} | {
        "as_of": pa.repeat(pa.scalar(run.as_of, pa.date32()), found.num_rows),
        "run_id": pa.repeat(run.run_id, found.num_rows),
    }
    rows = pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)
    return rows.sort_by([(name, "ascending") for name in CAMPAIGN_RESULTS.key])
