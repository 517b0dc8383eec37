"""Everything that is measured of a month, put together for its tables, pages and first lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from conf.schema import RunConfig
from jobs.measure_found import Measured, Part
from jobs.run import Run
from jobs.sales_and_clients import SalesAndClients
from measurement.credit_table import credit_rows, credit_sentences, credit_table
from measurement.effect_tables import randomisation, withheld
from measurement.monitoring import ModelFindings
from measurement.monitoring_tables import tables as model_tables
from measurement.offers import Campaign
from tables.derived import CAMPAIGN_RESULTS


def month_measured(
    run: Run,
    campaigns: Sequence[Campaign],
    offers: pa.Table,
    results: pa.Table,
    *,
    people: SalesAndClients,
    models: ModelFindings,
) -> Measured:
    """What the pages of a month tell.

    Args:
        run: That measures.
        campaigns: Those measured, oldest first.
        offers: Shaped ``OFFERS``.
        results: Shaped ``CAMPAIGN_RESULTS``.
        people: Credit, and what contacts were to clients.
        models: Whether models are still right.
    """
    tables = people.tables()
    credit = {name: tables.pop(name) for name in ("credit", "credit_checks")}
    effects = {"withheld": withheld(results), "randomisation": randomisation(offers, campaigns)}
    return Measured(
        as_of=run.as_of,
        run_id=run.run_id,
        currency=run.config.bank.base_currency,
        max_false_share=run.config.measurement.effect.max_false_share,
        campaigns=tuple(campaigns),
        results=results,
        effects=Part((), effects),
        credit=Part(tuple(people.credit_sentences), credit),
        clients=Part(tuple(people.client_sentences), tables),
        models=Part(models.headlines, model_tables(models)),
        credit_of={one.run_id: _credit_of(one, offers) for one in campaigns},
        contacts=_contacts(offers),
        names=_names(run.config),
    )


def tables_of(found: Measured) -> dict[str, pa.Table]:
    """Every figure, by the name of its file."""
    parts = (found.effects, found.credit, found.clients, found.models)
    tables = {name: rows for part in parts if part for name, rows in part.tables.items()}
    return {CAMPAIGN_RESULTS.name: found.results} | tables


def _credit_of(campaign: Campaign, offers: pa.Table) -> Part:
    own = offers.filter(pc.equal(offers["campaign"], campaign.run_id))
    credit = credit_table(own, [campaign])
    return Part(tuple(credit_sentences(credit)), {"credit": credit_rows(credit)})


def _contacts(offers: pa.Table) -> Mapping[str, int]:
    """About what was offered, by campaign."""
    treated = offers.filter(offers["is_treated"])
    made = treated.group_by("campaign").aggregate([("contacts", "sum")])
    return dict(zip(made["campaign"].to_pylist(), made["contacts_sum"].to_pylist(), strict=True))


def _names(config: RunConfig) -> dict[str, str]:
    """What products, partners and levers are called in the bank's language."""
    language = config.bank.language
    products = {name: one.named(language) for name, one in config.products.items()}
    partners = {name: one.name for name, one in config.partners.items()}
    levers = {name: one.named(language) for name, one in config.levers.items()}
    return products | partners | levers
