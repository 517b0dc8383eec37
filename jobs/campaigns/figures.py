"""What a campaign does, or would do: the same figures before the launch and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from campaigns.channel_caps import channel_caps
from campaigns.choice import Choice
from campaigns.contact_policy import contact_facts
from campaigns.eligibility import is_active
from campaigns.fatigue import Fatigue, contact_counts, fatigue
from campaigns.funnel import funnel
from campaigns.lever_costs import LeverCost, in_words as cost_in_words, lever_costs
from campaigns.limits_in_words import dearest_limits, shortages
from campaigns.power import Design, in_words
from campaigns.sources import CampaignSources
from campaigns.volume import (
    COLUMNS,
    Share,
    capacities,
    designs,
    offered_of,
    shares,
    volumes,
)
from jobs.campaigns.protected_groups import protected_groups
from jobs.run import Run
from jobs.scratch import kept
from models.evaluate import sure_share_estimate
from tables.reason_codes import Outcome
from tables.sources import BRANCHES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Content = dict[str, Any]
DEAREST = 5
MISSES = 0.05  # how often an interval of an offer rate may miss


def choice_figures(choice: Choice) -> Content:
    """What the choice is worth and what stands in its way."""
    plan = choice.plan
    return {
        "expected_profit": plan.value / 100,
        "upper_bound": plan.bound / 100,
        "gap": plan.gap,
        "dearest_limits": dearest_limits(plan, choice.limits, DEAREST),
        "minima_not_met": shortages(plan, choice.limits),
    }


def campaign_figures(
    run: Run, sources: CampaignSources, decided: DataFrame, folder: Path
) -> Content:
    """Everything else, as plain values: where offers stop, where they go, what that means.

    Args:
        run: Gives settings and store.
        sources: What the campaign was decided from.
        decided: Shaped ``DECISIONS``.
        folder: For what has to be read more than once.
    """
    cut = F.col("outcome").isin(str(Outcome.OFFERED), str(Outcome.CONTROL))
    chosen = decided.where(cut).select(*COLUMNS).toArrow()
    offered = offered_of(chosen)
    active = sources.customers.where(is_active(run.as_of))
    people = active.select("customer_id", "branch_id", "segment").toArrow()
    branches = _branches(run, people, offered)
    return {
        "clients": people.num_rows,
        "offers": offered.num_rows,
        "clients_offered": pc.count_distinct(offered["customer_id"]).as_py(),
        "funnel": [asdict(step) for step in funnel(decided)],
        "branches": branches,
        "volume": _volume(branches),
        "products": [asdict(one) for one in volumes(offered, "product_id", run.config.products)],
        "channels": [asdict(one) for one in volumes(offered, "channel")],
        "levers": [_lever(one) for one in lever_costs(offered, run.config.levers)],
        "segments": _rates(shares(people["segment"], people["customer_id"], offered)),
        "regions": _rates(shares(_regions(run, people), people["customer_id"], offered)),
        "contacts": asdict(_fatigue(run, sources, active, decided, folder)),
        "groups": list(_groups(run, people["customer_id"], offered)),
        "detectable": [_detectable(name, one) for name, one in designs(chosen).items()],
    }


def _branches(run: Run, people: pa.Table, offered: pa.Table) -> list[Content]:
    """Every branch that has clients, with what its list holds and what it has room for."""
    found = volumes(offered, "branch_id", pc.unique(people["branch_id"]).to_pylist())
    room = capacities([one.name for one in found], run.config.campaign)
    return [asdict(one) | {"capacity": room[one.name]} for one in found]


def _volume(branches: list[Content]) -> Content:
    offers = [one["offers"] for one in branches] or [0]
    return {
        "branches": len(branches),
        "least": min(offers),
        "median": median_low(offers),
        "most": max(offers),
        "full": sum(one["offers"] >= one["capacity"] for one in branches),
    }


def _regions(run: Run, people: pa.Table) -> pa.ChunkedArray:
    """The region of each client's branch."""
    rows = run.store.known_before(BRANCHES, run.as_of).select("branch_id", "region").toArrow()
    at = pc.index_in(people["branch_id"], value_set=rows["branch_id"].combine_chunks())
    return rows["region"].take(at)


def _rates(found: tuple[Share, ...]) -> list[Content]:
    return [asdict(one) | {"rate": one.offered / one.clients} for one in found]


def _fatigue(
    run: Run, sources: CampaignSources, active: DataFrame, decided: DataFrame, folder: Path
) -> Fatigue:
    products, policy = run.config.products, run.config.contact_policy
    facts = contact_facts(
        sources.customers,
        sources.contacts,
        products,
        policy,
        run.as_of,
        channel_caps=channel_caps(run.config),
    )
    offered = decided.where(F.col("outcome") == str(Outcome.OFFERED))
    counts = contact_counts(
        facts, active, offered.select("customer_id", "product_id", "channel"), products, policy
    )
    return fatigue(kept(counts, folder / "contact_counts"), policy)


def _groups(run: Run, customer_ids: pa.ChunkedArray, offered: pa.Table) -> Iterator[Content]:
    """Offer rate of protected groups, for oversight: nothing that decides knows them.

    A group that is too small to be shown is counted, not told.
    """
    is_offered = pc.is_in(customer_ids, value_set=pc.unique(offered["customer_id"])).to_numpy()
    least = run.config.models.fairness.min_customers
    for attribute, labels in protected_groups(run, run.as_of, customer_ids).items():
        names, clients = np.unique(labels, return_counts=True)
        for name, count in zip(names.tolist(), clients.tolist(), strict=True):
            if count >= least:
                many = int(is_offered[labels == name].sum())
                rate = sure_share_estimate(many, count, MISSES)
                yield {
                    "attribute": attribute, "group": name, "clients": count, "offered": many,
                    "rate": rate.value, "low": rate.low, "high": rate.high,
                }  # fmt: skip


def _lever(cost: LeverCost) -> Content:
    return asdict(cost) | {"sentence": cost_in_words(cost)}


def _detectable(name: str, design: Design) -> Content:
    return asdict(design) | {
        "name": name,
        "uplift": design.detectable,
        "is_underpowered": design.is_underpowered,
        "sentence": in_words(design),
    }
