"""What the branch sees: one row per offer made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, functions as F

from campaigns.credit import credit
from campaigns.endings import NO_AMOUNTS, Amounts
from campaigns.moves import RENEWAL_RATE
from campaigns.offer_log import entries
from campaigns.reasons import MOST
from campaigns.sentences import event_sentence
from campaigns.triggers import OfferDays
from campaigns.wording import price_in_words
from conf.moves import MATURITY, Bundle
from conf.schema import RunConfig
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_LISTS
from tables.reason_codes import Outcome

Pair = tuple[str, str]
Row = Mapping[str, Any]
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
    "event",
    "event_on",
    "lever_code",
    "lever_limit",
    "is_exploration",
)


def offers_made(decisions: DataFrame, customers: DataFrame, vault: DataFrame) -> DataFrame:
    """Decisions that end up on a list, with the client's advisor, pseudonym and secret."""
    # The right keys are unique: one row per customer.
    return (
        decisions.where(F.col("outcome") == str(Outcome.OFFERED))
        .join(customers.select("customer_id", "advisor_id"), "customer_id", how="inner")
        .join(vault, "customer_id", how="inner")
    )


def campaign_list(
    offers: pa.Table,
    reasons: Mapping[Pair, list[str]],
    config: RunConfig,
    amounts: Amounts = NO_AMOUNTS,
) -> pa.Table:
    """The lists of all branches, shaped ``CAMPAIGN_LISTS``, in the order of branch and rank.

    Args:
        offers: As ``offers_made`` returns them.
        reasons: Sentences by customer and product, at least one for each offer.
        config: What products, partners and offers are.
        amounts: What is on that which ends, where it is known.
    """
    _, leaves = entries(offers)
    rows = [
        {name: offer[name] for name in AS_DECIDED}
        | _terms(offer, config)
        | _reason_columns(_told(offer, reasons, config, amounts))
        | credit(offer, config)
        | {"log_leaf": leaf}
        for offer, leaf in zip(offers.to_pylist(), leaves.to_pylist(), strict=True)
    ]
    rows.sort(key=lambda row: (row["branch_id"], row["rank_in_branch"]))
    return pa.Table.from_pylist(rows, schema=arrow_schema(CAMPAIGN_LISTS))


def _terms(offer: Row, config: RunConfig) -> dict[str, Any]:
    """What the configuration says about an offer; an offer begins when the gap is over."""
    terms = config.offers[offer["offer_id"]]
    product, days = config.products[offer["product_id"]], _days(offer, config)
    return {
        "kind": product.kind,
        "partner_id": product.partner,
        "client_benefit": product.client_benefit[config.bank.language],
        "talking_point_id": terms.talking_point_id,
        "valid_from": days.first,
        "valid_to": days.last,
    } | (_package(offer["offer_id"], terms.bundle, config) if terms.bundle else {})


def _days(offer: Row, config: RunConfig) -> OfferDays:
    terms = config.offers[offer["offer_id"]]
    days = OfferDays.of(terms, config.time.gap_days, offer["as_of"])
    if terms.trigger is None:
        return days
    return days.of_event(terms.trigger, offer["as_of"], offer["event_on"])


def _package(offer_id: str, bundle: Bundle, config: RunConfig) -> dict[str, Any]:
    """Its price beside those of its products, each of which can be had alone (ESMA/2015/1861)."""
    language, currency = config.bank.language, config.bank.base_currency
    prices = (
        f"{config.products[name].named(language)}"
        f" {price_in_words(bundle.component_prices[name], currency, language)}"
        for name in bundle.products
    )
    return {
        "bundle_id": offer_id,
        "client_benefit": bundle.client_benefit[language],
        "package_price": bundle.price,
        "component_prices": "; ".join(prices),
    }


def _told(
    offer: Row, reasons: Mapping[Pair, list[str]], config: RunConfig, amounts: Amounts
) -> list[str]:
    """The event first; to who renews, no model has anything to say."""
    sentences = reasons[offer["customer_id"], offer["product_id"]]
    if offer["event"] is None:
        return sentences
    trigger = config.offers[offer["offer_id"]].trigger
    ending = (trigger and trigger.of) or offer["product_id"]
    event, event_on, days = offer["event"], offer["event_on"], _days(offer, config)
    amount = amounts.get((offer["customer_id"], ending, event_on)) if event == MATURITY else None
    why = event_sentence(event, ending, event_on, days, config, amount=amount)
    return [why, *(sentences if offer["response_basis"] != RENEWAL_RATE else [])][:MOST]


def _reason_columns(sentences: list[str]) -> dict[str, str]:
    return {f"reason_{place}": text for place, text in enumerate(sentences, start=1)}
