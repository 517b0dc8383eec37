"""What a measurement found, as its pages want it: one value, made of what its parts say."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from conf.schema import RunConfig
from jobs.measurement.pages.found import Findings, Part
from jobs.measurement.sales_and_clients import SalesAndClients
from jobs.run import Run
from measurement.effect_tables import RANDOMISATION, WITHHELD, randomisation, withheld
from measurement.monitoring import ModelFindings
from measurement.monitoring_tables import tables as model_tables
from measurement.offers import Campaign

CREDIT = ("credit", "credit_checks")


def findings(
    run: Run,
    campaigns: Sequence[Campaign],
    offers: pa.Table,
    results: pa.Table,
    *,
    people: SalesAndClients,
    models: ModelFindings,
) -> Findings:
    """Everything that the pages tell.

    Args:
        run: Which measured.
        campaigns: Those that are measured.
        offers: Shaped ``OFFERS``.
        results: Shaped ``CAMPAIGN_RESULTS``.
        people: Whose sales they were, and what contacts were to clients.
        models: Whether models are still right.
    """
    effects = {WITHHELD: withheld(results), RANDOMISATION: randomisation(offers, campaigns)}
    told = people.tables()
    credit = {name: told[name] for name in CREDIT}
    clients = {name: table for name, table in told.items() if name not in CREDIT}
    return Findings(
        as_of=run.as_of,
        run_id=run.run_id,
        currency=run.config.bank.base_currency,
        max_false_share=run.config.measurement.effect.max_false_share,
        campaigns=tuple(campaigns),
        results=results,
        effects=Part((), effects),
        credit=Part(tuple(people.credit_sentences), credit),
        clients=Part(tuple(people.client_sentences), clients),
        models=Part(models.headlines, model_tables(models)),
        contacts=_contacts(offers),
        names=_names(run.config),
    )


def findings_of_models(run: Run, results: pa.Table, models: ModelFindings) -> Findings:
    """The same where no campaign was made: whether models are still right, and nothing else.

    Args:
        run: Which measured.
        results: No rows, shaped ``CAMPAIGN_RESULTS``.
        models: Whether models are still right.
    """
    return Findings(
        as_of=run.as_of,
        run_id=run.run_id,
        currency=run.config.bank.base_currency,
        max_false_share=run.config.measurement.effect.max_false_share,
        campaigns=(),
        results=results,
        models=Part(models.headlines, model_tables(models)),
        names=_names(run.config),
        missing=dict.fromkeys(
            ("credit", "clients"), "no campaign was made in the months looked at"
        ),
    )


def _contacts(offers: pa.Table) -> dict[str, int]:
    """Contacts about what was offered, by the run that made the campaign."""
    made = offers.filter(offers["is_treated"]).select(["campaign", "contacts"])
    made = made.set_column(0, "campaign", pc.cast(made["campaign"], pa.string()))
    rows = made.group_by("campaign").aggregate([("contacts", "sum")]).to_pylist()
    return {row["campaign"]: row["contacts_sum"] for row in rows}


def _names(config: RunConfig) -> dict[str, str]:
    """Products in English, the language of the pages, and partners."""
    products = {name: product.named("en") for name, product in config.products.items()}
    return products | {name: partner.name for name, partner in config.partners.items()}
