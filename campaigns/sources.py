"""What a campaign is decided from."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class CampaignSources:
    """Tables as known before the as-of date.

    Attributes:
        customers: Everybody the bank knows, also who has left: each gets a decision per offer.
        holdings: Products held, from opening to closing.
        consents: Every change of a consent.
        flags: Care and fraud flags with their validity.
        contacts: Contacts so far; a result may still be pending.
        customer_features: ``income_amount_3m`` and ``balance_amount`` per active customer.
        propensity_scores: One row per active customer and product.
        levers_offered: Levers that were on past lists, shaped ``LEVERS_OFFERED``.
    """

    customers: DataFrame
    holdings: DataFrame
    consents: DataFrame
    flags: DataFrame
    contacts: DataFrame
    customer_features: DataFrame
    propensity_scores: DataFrame
    levers_offered: DataFrame

    def of(self, clients: DataFrame) -> CampaignSources:
        """What is about these clients, a row each by ``customer_id``, and about nobody else."""
        about = {
            field.name: getattr(self, field.name).join(clients, "customer_id", how="left_semi")
            for field in fields(self)
        }
        return CampaignSources(**about)
