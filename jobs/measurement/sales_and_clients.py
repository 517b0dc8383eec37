"""Whose sales the measured campaigns brought, and what the contacts were to clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from conf.schema import RunConfig
from jobs.measurement.campaigns import Measured
from jobs.measurement.contacts import known_of_clients
from measurement.client_side import ClientSide, Terms, client_side
from measurement.client_tables import client_tables
from measurement.client_words import client_sentences
from measurement.credit_checks import Checked, check_rows, check_sentences, credit_checks
from measurement.credit_table import CreditTable, credit_rows, credit_sentences, credit_table
from tables.store import Store
from tables.windows import months_before


@dataclass(frozen=True)
class SalesAndClients:
    """Both, as found.

    Attributes:
        config: It was measured with.
        credit: Goals and assists by branch, advisor and partner's desk.
        checks: What looks unlike the others.
        clients: What the contacts were to clients.
    """

    config: RunConfig
    credit: CreditTable
    checks: Sequence[Checked]
    clients: ClientSide

    @property
    def credit_sentences(self) -> list[str]:
        """What a sales manager reads first."""
        settings = self.config.measurement.credit
        return [*credit_sentences(self.credit), *check_sentences(self.checks, settings)]

    @property
    def client_sentences(self) -> list[str]:
        """What a compliance reviewer reads first."""
        return client_sentences(self.clients)

    @property
    def lines(self) -> list[str]:
        """The most telling of them, for a terminal."""
        settings = self.config.measurement.credit
        return [
            credit_sentences(self.credit)[0],
            check_sentences(self.checks, settings)[0],
            *self.client_sentences[:2],
        ]

    def tables(self) -> dict[str, pa.Table]:
        """Every figure, by the name of its file."""
        return {
            "credit": credit_rows(self.credit),
            "credit_checks": check_rows(self.checks),
            **client_tables(self.clients),
        }


def sales_and_clients(
    store: Store, campaigns: Sequence[Measured], config: RunConfig, as_of: date, offers: pa.Table
) -> SalesAndClients:
    """Measure both.

    Args:
        store: Source tables, returned results and care lists at the versions that count.
        campaigns: Those that are measured, oldest first.
        config: Of the measurement.
        as_of: What was known before it is measured.
        offers: Shaped ``OFFERS``.
    """
    since = months_before(as_of, config.measurement.effect.months)
    known, returned = known_of_clients(store, campaigns, config, as_of, since=since, offers=offers)
    measured = [one.campaign for one in campaigns]
    settings = config.measurement.credit
    return SalesAndClients(
        config=config,
        credit=credit_table(offers, measured),
        checks=tuple(credit_checks(offers, measured, returned, settings)),
        clients=client_side(
            known, offers, measured, _terms(config, campaigns), since=since, as_of=as_of
        ),
    )


def _terms(config: RunConfig, campaigns: Sequence[Measured]) -> Terms:
    """Packages as they were sold, and everything else as it is in force."""
    bundles = {
        name: offer.bundle
        for one in [*(campaign.config for campaign in campaigns), config]
        for name, offer in one.offers.items()
        if offer.bundle is not None
    }
    return Terms(
        settings=config.measurement.clients,
        policy=config.contact_policy,
        products=config.products,
        packages={name: bundle.products for name, bundle in bundles.items()},
        savings={name: int(bundle.discount * 100) for name, bundle in bundles.items()},
        reaction_days=config.measurement.effect.reaction_days,
        least=config.fairness.min_cell,
        currency=config.bank.base_currency,
    )
