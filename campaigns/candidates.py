"""Every customer x offer with every gate that fails and what the offer is worth."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.bank_rules import bank_rule_gates, fact_columns
from campaigns.bundles import component_responses, contact_policy_of, eligibility_of
from campaigns.care import active_flags, care_gates, care_treatment
from campaigns.channel_caps import channel_caps
from campaigns.components import components, fatigue_classes, products_of
from campaigns.consent import (
    answer_columns,
    closed_channel_gates,
    consent_gates,
    granted_consents,
    leave_columns,
)
from campaigns.contact_policy import (
    class_contacts_left,
    contact_facts,
    customer_contacts_left,
    household_contacts_left,
    quiet_period_gates,
)
from campaigns.control_group import exploration_hash, in_campaign_control, in_global_holdout
from campaigns.eligibility import active_on, held_products, is_active
from campaigns.gates import Gate, any_fails, failed, failed_columns
from campaigns.lever_history import cooling_levers
from campaigns.moves import (
    NO_RATES,
    RenewalRates,
    margin,
    move,
    of_move,
    own_response,
    propensity_of_move,
)
from campaigns.rules import Rule, rules_in_force, rules_version
from campaigns.sources import CampaignSources
from campaigns.triggers import (
    due_on,
    event_features,
    has_day,
    maturing_products,
    trigger_gates,
    waits_for_ends,
)
from campaigns.value import response, response_basis, value_gates
from campaigns.ways import (
    OF_WAY,
    best_way,
    may_be_null,
    open_ways,
    valued_ways,
    ways_to_choose_from,
)
from conf.schema import Offer, RunConfig
from features.eligibility import open_products

OF_CUSTOMER = (
    "customer_id",
    "branch_id",
    "household_id",
    "care_treatment",
    "is_in_global_holdout",
    "is_drawn_for_control",
    "exploration_hash",
    "contacts_left_30d",
    "household_contacts_left",
)
OF_SCORE = (
    "customer_id",
    "product_id",
    "propensity",
    "model_name",
    "model_version",
    "uplift",
    "uplift_version",
)


def candidates(
    sources: CampaignSources,
    config: RunConfig,
    as_of: date,
    rates: RenewalRates = NO_RATES,
) -> DataFrame:
    """One row per customer and offer, nothing left out.

    Args:
        sources: Tables as known before the as-of date.
        config: Offers, policies and law.
        as_of: Cut-off, exclusive.
        rates: How often a product was renewed, where an offer renews it.

    Returns:
        What ``choose`` needs: ``failed_gates`` (sorted) and their rules, ``is_eligible``, the
        ``ways`` to choose from, with ``OF_WAY`` of the best one as columns, and what the caps of
        customer, household and fatigue class still allow.
    """
    facts = customer_facts(sources, config, as_of)
    offers = F.explode(F.array(*(_offer(name, config, as_of, rates) for name in config.offers)))
    scores = sources.propensity_scores.select(*OF_SCORE)
    offered = facts.select(*OF_CUSTOMER, offers.alias("offer")).select(*OF_CUSTOMER, "offer.*")
    # The right key is unique: the score table has one row per customer and product.
    scored = offered.join(scores, ["customer_id", "product_id"], how="left").select(
        *(name for name in (*offered.columns, *OF_SCORE[2:]) if name != "propensity"),
        propensity_of_move().alias("propensity"),
        of_move("own_response", response()).alias("response"),
        of_move("own_basis", response_basis()).alias("response_basis"),
    )
    least = config.campaign.min_expected_profit
    valued = scored.withColumn("ways", valued_ways(least)).withColumn("best", best_way())
    told = valued.select(
        *_but_for(valued, "ways", "best", "response"),
        *(F.col(f"best.{name}").alias(name) for name in OF_WAY),
        ways_to_choose_from(config).alias("ways"),
    )
    # Its code is behind those of all other gates.
    not_worth_it = failed(value_gates(least), _value_rules(config))
    gated = told.withColumn("failed", F.concat("failed", not_worth_it))
    return gated.select("*", *failed_columns("failed")).drop("failed", "own_response", "own_basis")


def _but_for(rows: DataFrame, *names: str) -> list[str]:
    return [name for name in rows.columns if name not in names]


def _value_rules(config: RunConfig) -> dict[str, Rule]:
    """Rules about value; they are the same for every offer."""
    return rules_in_force(next(iter(config.offers)), config)


def customer_facts(sources: CampaignSources, config: RunConfig, as_of: date) -> DataFrame:
    """One row per customer with everything the gates ask about."""
    policy, law = config.contact_policy, config.jurisdiction.in_force
    channels = sorted({name for offer in config.offers.values() for name in offer.channels})
    consents = granted_consents(sources.consents, as_of)
    of_customers, of_features = fact_columns(config, as_of)
    parts = [
        open_products(sources.holdings, as_of),
        held_products(sources.holdings, as_of),
        consents.select("*", *answer_columns(channels, law)),
        active_flags(sources.flags, as_of),
        cooling_levers(sources.levers_offered, config.levers, as_of),
        contact_facts(
            sources.customers,
            sources.contacts,
            config.products,
            policy,
            as_of,
            packages=_packages(config),
            channel_caps=channel_caps(config),
        ),
        sources.customer_features.select(
            "customer_id",
            "income_amount_3m",
            "balance_amount",
            *event_features(config),
            *of_features,
        ),
        maturing_products(sources.holdings, as_of) if waits_for_ends(config) else None,
        component_responses(sources.propensity_scores, response(), config),
    ]
    customers = sources.customers.select(
        "customer_id",
        "branch_id",
        "household_id",
        "birth_date",
        "is_employee",
        is_active(as_of).alias("is_active"),
        active_on(as_of).alias("active_on"),
        in_global_holdout(config.campaign).alias("is_in_global_holdout"),
        in_campaign_control(config.campaign, as_of).alias("is_drawn_for_control"),
        exploration_hash(config.campaign, as_of).alias("exploration_hash"),
        *of_customers,
    )
    # Every right key is unique: each part has one row per customer.
    known = (part for part in parts if part is not None)
    facts = reduce(lambda left, part: left.join(part, "customer_id", how="left"), known, customers)
    left = F.least(customer_contacts_left(policy), household_contacts_left(policy))
    return facts.select(
        "*",
        care_treatment(config.care).alias("care_treatment"),
        left.alias("contacts_left_30d"),
        household_contacts_left(policy).alias("household_contacts_left"),
        *leave_columns(channels, law),
    )


def _gates(offer_id: str, config: RunConfig, as_of: date) -> tuple[list[Gate], list[Gate]]:
    """The gates of an offer before its value is known: those of eligibility, and the others."""
    offer, law = config.offers[offer_id], config.jurisdiction
    parts, (product, *more) = components(offer, config), products_of(offer, config)
    others = [
        *consent_gates(offer, product, *more),
        *quiet_period_gates(law, config.time.gap_days, as_of),
        *contact_policy_of(parts, config.contact_policy, as_of),
        *closed_channel_gates(offer, channel_caps(config), product, *more),
        *care_gates(config.care, as_of),
        *trigger_gates(offer, config, as_of),
        *bank_rule_gates(offer_id, config),
    ]
    return eligibility_of(offer, parts, as_of), others


def _offer(offer_id: str, config: RunConfig, as_of: date, rates: RenewalRates) -> Column:
    """An offer as a struct over the facts of a customer."""
    offer = config.offers[offer_id]
    product = config.products[offer.product]
    eligibility, others = _gates(offer_id, config, as_of)
    rules, classes = rules_in_force(offer_id, config), fatigue_classes(components(offer, config))
    return F.struct(
        F.lit(offer_id).alias("offer_id"),
        F.lit(offer.product).alias("product_id"),
        F.lit(product.fatigue_class).alias("fatigue_class"),
        may_be_null(move(offer, config)).alias("move"),
        open_ways(offer_id, config).alias("ways"),
        failed([*eligibility, *others], rules).alias("failed"),
        F.lit(rules_version(rules)).alias("rules_version"),
        may_be_null(~any_fails(eligibility)).alias("is_eligible"),
        class_contacts_left(config.contact_policy, *classes).alias("class_contacts_left"),
        may_be_null(margin(offer, config)).alias("margin"),
        *_event(offer, config, as_of),
        *_own_response(offer, rates),
    )


def _event(offer: Offer, config: RunConfig, as_of: date) -> list[Column]:
    """What makes it due, and the day where that is known."""
    due, trigger = due_on(offer, config, as_of), offer.trigger
    event = F.when(due.isNotNull(), F.lit(trigger.event if trigger else None))
    is_dated = F.lit(trigger is not None and has_day(trigger))
    return [event.cast("string").alias("event"), F.when(is_dated, due).alias("event_on")]


def _own_response(offer: Offer, rates: RenewalRates) -> list[Column]:
    response, basis = (may_be_null(column) for column in own_response(offer, rates))
    return [response.alias("own_response"), basis.alias("own_basis")]


def _packages(config: RunConfig) -> dict[str, tuple[str, ...]]:
    return {name: offer.products for name, offer in config.offers.items() if offer.bundle}
