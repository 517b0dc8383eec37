"""How many clients a package that is proposed could be offered to now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.bundles import holds
from campaigns.consent import answer_columns, consent_gates, granted_consents, leave_columns
from campaigns.gates import any_fails
from campaigns.law import lawful_product
from conf.schema import RunConfig
from features.catalogue import customer_features_table
from features.eligibility import is_eligible, open_products
from measurement.packages import Proposal, common_channels, sold_alone
from tables.sources import CONSENTS
from tables.store import Store


@dataclass(frozen=True)
class Reach:
    """Clients who hold the core and not the periphery.

    Attributes:
        clients: All of them.
        eligible: Of these, who may hold the periphery.
        consented: Of these, who may be contacted about both on a channel.
    """

    clients: int
    eligible: int
    consented: int


def reach(
    facts: DataFrame, proposed: Sequence[Proposal], config: RunConfig, as_of: date
) -> list[Reach]:
    """Count for each proposal, in one pass over the active customers.

    Contact policy and care are not asked: they change from month to month.

    Args:
        facts: As ``reach_facts`` gives them.
        proposed: Packages.
        config: Terms, offers and law.
        as_of: Cut-off, exclusive.
    """
    if not proposed:
        return []
    counted = facts.agg(
        *(
            F.sum(F.when(is_so, 1).otherwise(0)).alias(f"{name}_{place}")
            for place, one in enumerate(proposed)
            for name, is_so in _conditions(one, config, as_of).items()
        )
    ).collect()[0]
    names = ("clients", "eligible", "consented")
    return [
        Reach(*(int(counted[f"{name}_{place}"] or 0) for name in names))
        for place in range(len(proposed))
    ]


def reach_facts(
    store: Store, customers: DataFrame, holdings: DataFrame, config: RunConfig, as_of: date
) -> DataFrame:
    """What eligibility and consent ask about, one row per active customer."""
    amounts = store.snapshot(customer_features_table(tuple(config.products)), as_of).select(
        "customer_id", "income_amount_3m", "balance_amount"
    )
    # Every key is unique: each part has one row per customer.
    active = customers.select("customer_id", "birth_date").join(amounts, "customer_id", how="inner")
    granted = granted_consents(store.known_before(CONSENTS, as_of), as_of)
    law = config.jurisdiction.in_force
    channels = sorted({name for offer in config.offers.values() for name in offer.channels})
    asked = granted.select("*", *answer_columns(channels, law))
    held = open_products(holdings, as_of).join(active, "customer_id", how="right")
    found = asked.join(held, "customer_id", how="right")
    return found.select("*", *leave_columns(channels, law))


def _conditions(one: Proposal, config: RunConfig, as_of: date) -> dict[str, Column]:
    law = config.jurisdiction.in_force
    core, periphery = (lawful_product(config.products[n], law) for n in (one.core, one.periphery))
    alone = [config.offers[sold_alone(name, config)[0]] for name in (one.core, one.periphery)]
    offer = alone[0].model_copy(update={"channels": tuple(common_channels(alone))})
    lacks = holds(one.core) & ~holds(one.periphery)
    may_hold = lacks & is_eligible(one.periphery, periphery, as_of)
    lacks_leave = any_fails(consent_gates(offer, periphery, core))
    return {"clients": lacks, "eligible": may_hold, "consented": may_hold & ~lacks_leave}
