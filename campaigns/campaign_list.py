"""What the branch sees: one row per offer made, and one per client who gets help instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, functions as F

from campaigns.offer_log import canonical_lines, leaf_hash
from conf.schema import RunConfig
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS, CARE_LISTS, DECISIONS
from tables.reason_codes import Outcome

Pair = tuple[str, str]
AS_DECIDED = (
    "run_id",
    "campaign_id",
    "as_of",
    "branch_id",
    "advisor_id",
    "customer_id",
    "offer_id",
    "product_id",
    "move",
    "rank_in_branch",
    "propensity",
    "expected_profit",
    "channel",
    "consent_basis",
    "consent_checked_at",
    "contacts_left_30d",
)


def offers_made(decisions: DataFrame, customers: DataFrame) -> DataFrame:
    """Decisions that end up on a list, with the client's advisor."""
    # The right key is unique: one row per customer.
    return decisions.where(F.col("outcome") == str(Outcome.OFFERED)).join(
        customers.select("customer_id", "advisor_id"), "customer_id", how="inner"
    )


def campaign_list(
    offers: pa.Table, reasons: Mapping[Pair, list[str]], config: RunConfig
) -> pa.Table:
    """The lists of all branches, shaped ``CAMPAIGN_LISTS``, in the order of branch and rank.

    Args:
        offers: As ``offers_made`` returns them.
        reasons: Sentences by customer and product, at least one for each offer.
        config: What products, partners and offers are.
    """
    columns = list(DECISIONS.column_names)
    decided = offers.select(columns).cast(arrow_schema(DECISIONS))
    leaves = map(leaf_hash, canonical_lines(decided).to_pylist())
    rows = [
        {name: offer[name] for name in AS_DECIDED}
        | _terms(offer, config)
        | _reason_columns(reasons[offer["customer_id"], offer["product_id"]])
        | {"log_leaf": leaf, "credit_owner": offer["advisor_id"]}
        for offer, leaf in zip(offers.to_pylist(), leaves, strict=True)
    ]
    rows.sort(key=lambda row: (row["branch_id"], row["rank_in_branch"]))
    return pa.Table.from_pylist(rows, schema=arrow_schema(CAMPAIGN_LISTS))


def care_list(decisions: DataFrame, customers: DataFrame) -> DataFrame:
    """Clients who get help instead of a sales offer, shaped ``CARE_LISTS``."""
    helped = decisions.where(F.col("care_treatment").isNotNull()).select(
        "customer_id", "run_id", "as_of", "branch_id", "care_treatment"
    )
    # A client's decisions say the same about care; the right key is unique: one row per customer.
    return (
        helped.dropDuplicates(["customer_id"])
        .join(customers.select("customer_id", "advisor_id"), "customer_id", how="inner")
        .select(*CARE_LISTS.column_names)
    )


def _terms(offer: Mapping[str, Any], config: RunConfig) -> dict[str, Any]:
    """What the configuration says about an offer; an offer begins when the gap is over."""
    terms = config.offers[offer["offer_id"]]
    product = config.products[offer["product_id"]]
    as_of: date = offer["as_of"]
    valid_from = as_of + timedelta(days=config.time.gap_days)
    return {
        "kind": product.kind,
        "partner_id": product.partner,
        "client_benefit": product.client_benefit[config.bank.language],
        "talking_point_id": terms.talking_point_id,
        "valid_from": valid_from,
        "valid_to": valid_from + timedelta(days=terms.validity_days - 1),
    }


def _reason_columns(sentences: list[str]) -> dict[str, str]:
    return {f"reason_{place}": text for place, text in enumerate(sentences, start=1)}
