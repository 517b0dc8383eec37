"""All that can be told about past decisions: what a reviewer reads as text, JSON or a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from campaigns.competition import Terms
from campaigns.counterfactual import counterfactual, in_words
from campaigns.decided import Decided
from campaigns.displaced import Refused, worth_needed
from campaigns.rule_facts import Asked, ClientFacts, facts_of
from campaigns.rules import rules_in_force
from features.catalogue import feature_catalogue
from jobs.audit.client_facts import Campaign
from jobs.audit.made_options import CENT, made_options, option_of
from jobs.audit.sealed_lines import sealed_lines
from jobs.privacy.removed_months import refuse_removed
from models.explain import shap_values
from models.registered_files import registered_scorer
from tables.derived import CAMPAIGN_LISTS
from tables.errors import UserError
from tables.known_rows import Row
from tables.reason_codes import Outcome

Told = dict[str, Any]
MOST_CONTRIBUTIONS = 8
OUTCOMES: Mapping[str, str] = {
    Outcome.OFFERED: "it is on the branch's list",
    Outcome.CONTROL: "made the cut, and was kept back to measure what offers bring",
    Outcome.OUTRANKED: "passed every gate, but another offer to the client was worth more, or the"
    " client may get no more offers",
    Outcome.OVER_CAPACITY: "passed every gate, but the bank's capacity went to offers that were"
    " worth more",
    Outcome.SUPPRESSED: "may hold it, but is not to be contacted about it now",
    Outcome.INELIGIBLE: "may not hold it",
}
VALUE_TERMS = (
    "propensity",
    "response",
    "response_basis",
    "margin",
    "contact_cost",
    "lever_code",
    "lever_cost",
    "lever_cost_when",
    "acceptance",
    "expected_profit",
    "rank_in_customer",
    "model_name",
    "model_version",
    "uplift_version",
)


def explained(
    campaign: Campaign, customer_id: str, offer_ids: Sequence[str] = (), *, in_short: bool = False
) -> Told:
    """Everything about decisions of one campaign about one client.

    Args:
        campaign: At its pinned versions.
        customer_id: As the decisions name the client.
        offer_ids: Only these offers; all of them if none is named.
        in_short: Models are not asked what moved a propensity.

    Raises:
        UserError: Nothing was decided about the client, or an offer.
    """
    rows = _decisions(campaign, customer_id, offer_ids)
    client = campaign.client(customer_id, all_features=not in_short)
    listed = _listed(campaign, customer_id)
    sealed = sealed_lines(campaign, rows)
    refused = [row for row in rows if _is_asked_for_worth(row)]
    made = made_options(campaign, refused, client.household) if refused else None
    return {
        "customer_id": customer_id,
        "campaign": _campaign(campaign, rows[0]),
        "offers": [
            {
                **_offer(campaign, client, row, made),
                "contributions": [] if in_short else _contributions(campaign, client, row),
                "reasons": listed.get(row["offer_id"], []),
                "log": sealed[row["offer_id"]],
            }
            for row in rows
        ],
    }


def _decisions(campaign: Campaign, customer_id: str, offer_ids: Sequence[str]) -> list[Row]:
    known = set(campaign.config.offers)
    if unknown := sorted(set(offer_ids) - known):
        raise UserError(
            f"the campaign had no offer {unknown[0]}; it had {', '.join(sorted(known))}"
        )
    rows = campaign.decisions([customer_id])
    if not rows:
        refuse_removed(campaign.home, campaign.record)
        raise UserError(
            f"nothing was decided about this client in the campaign of {campaign.record.as_of}:"
            " was it a client by then, is the id misspelt, or was the client erased since?"
        )
    return [row for row in rows if not offer_ids or row["offer_id"] in offer_ids]


def _campaign(campaign: Campaign, row: Row) -> Told:
    record = campaign.record
    return {
        "campaign_id": record.campaign_id,
        "as_of": record.as_of,
        "run_id": record.run_id,
        "branch_id": row["branch_id"],
        "household_id": row["household_id"],
        "in_global_holdout": row["is_in_global_holdout"],
        "contacts_left_30d": row["contacts_left_30d"],
        "care_treatment": row["care_treatment"],
        "jurisdiction": campaign.config.jurisdiction.profile,
        "config_hash": record.config_hash,
        "code_version": record.code_version,
        "inputs": dict(record.inputs),
    }


def _offer(campaign: Campaign, client: ClientFacts, row: Row, made: pa.Table | None) -> Told:
    config, as_of = campaign.config, campaign.record.as_of
    rules = rules_in_force(row["offer_id"], config)
    worth = _worth_needed(campaign, client, row, made)
    decided = Decided(row, rules, client, config, as_of, worth)
    found = counterfactual(decided)
    return {
        "offer_id": row["offer_id"],
        "product_id": row["product_id"],
        "move": row["move"],
        "outcome": row["outcome"],
        "outcome_means": OUTCOMES[row["outcome"]],
        "rank_in_branch": row["rank_in_branch"],
        "channel": row["channel"],
        "consent_basis": row["consent_basis"],
        "event": row["event"],
        "event_on": row["event_on"],
        "is_exploration": row["is_exploration"],
        "choice_probability": row["choice_probability"],
        "rules_version": row["rules_version"],
        "rules": list(_rules(decided)),
        "value": {name: row[name] for name in VALUE_TERMS},
        "counterfactual": {
            "words": in_words(found),
            "flips_to": found.flips_to,
            "changes": [asdict(change) for change in found.changes],
        },
    }


def _rules(decided: Decided) -> Iterator[Told]:
    """Every rule that was asked, those that failed first."""
    row, failed = decided.row, {}
    for code, rule in zip(row["failed_gates"], row["failed_rules"], strict=True):
        failed[code] = rule
    for code, rule in sorted(decided.rules.items(), key=lambda item: item[0] not in failed):
        asked = Asked(
            rule, decided.offer, decided.config, decided.client, decided.row, decided.as_of
        )
        yield {
            "code": code,
            "rule": rule.id,
            "version": failed[code]["version"] if code in failed else rule.version,
            "says": rule.words("en"),
            "parameters": dict(rule.parameters),
            "has_passed": code not in failed,
            "passes_on": failed[code]["passes_on"] if code in failed else None,
            "looked_at": [asdict(fact) for fact in facts_of(asked)],
        }


def _contributions(campaign: Campaign, client: ClientFacts, row: Row) -> list[Told]:
    """What moved the propensity most, up or down, against the average customer's."""
    if row["model_version"] is None or not client.features:
        return []
    features = {item.name: item for item in feature_catalogue(tuple(campaign.config.products))}
    champion = registered_scorer(campaign.home.path, row["product_id"], row["model_version"])
    scorer = champion.scorer
    if scorer.kind == "segment_rate":
        return []
    values = pa.Table.from_pylist([dict(client.features)])
    moved = shap_values(scorer, values)[0, : len(scorer.features)]
    best = np.argsort(-np.abs(moved), kind="stable")[:MOST_CONTRIBUTIONS]
    return [
        {
            "feature": name,
            "means": features[name].description if name in features else "",
            "value": client.features.get(name),
            "log_odds": round(float(moved[place]), 4),
        }
        for place in best
        for name in [scorer.features[place]]
        if moved[place]
    ]


def _listed(campaign: Campaign, customer_id: str) -> dict[str, list[str]]:
    """Sentences that the branch read, by offer."""
    names = ["offer_id", "reason_1", "reason_2", "reason_3"]
    rows = campaign.store.arrow_of(
        CAMPAIGN_LISTS, campaign.record.as_of, [customer_id], names
    ).to_pylist()
    return {row["offer_id"]: [row[name] for name in names[1:] if row[name]] for row in rows}


def _is_asked_for_worth(row: Row) -> bool:
    return row["outcome"] in (Outcome.OUTRANKED, Outcome.OVER_CAPACITY)


def _worth_needed(
    campaign: Campaign, client: ClientFacts, row: Row, made: pa.Table | None
) -> Decimal | None:
    if made is None or not _is_asked_for_worth(row):
        return None
    option = option_of(row) | {"advisor_id": client.customer["advisor_id"]}
    offer = campaign.config.offers[row["offer_id"]]
    refused = Refused(option, row["contacts_left_30d"], offer.products)
    cents = worth_needed(refused, made, _short_cents(campaign), Terms.of(campaign.config))
    return None if cents is None else Decimal(cents) * CENT


def _short_cents(campaign: Campaign) -> int:
    """By how much the choice may be short of the best one, as the run told it."""
    bound, value = (
        Decimal(str(campaign.record.counts[name]).replace(",", ""))
        for name in ("upper_bound", "expected_profit")
    )
    return max(0, int((bound - value) / CENT))
