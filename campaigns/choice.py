"""Which offers win, within every limit, and what became of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window, functions as F

from campaigns.competition import Competition
from campaigns.optimiser import Plan, optimise
from campaigns.optimiser_inner import best_choice
from campaigns.optimiser_problem import Ints, Limit, place_in_group
from campaigns.withheld import made_the_cut
from conf.schema import CampaignSettings, Offer, Product
from tables.reason_codes import Outcome

PAIR = ("customer_id", "offer_id")
NARROW = (
    *PAIR,
    "product_id",
    "fatigue_class",
    "branch_id",
    "household_id",
    "channel",
    "event",
    "propensity",
    "class_contacts_left",
    "contacts_left_30d",
    "household_contacts_left",
)
PLACES = pa.schema(
    [
        *((name, pa.string()) for name in PAIR),
        ("is_winner", pa.bool_()),
        ("made_cut", pa.bool_()),
        ("rank_in_branch", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        places: One row per option that won or made the cut: customer, offer, ``is_winner`` (would
            win if customers shared no limit), ``made_cut``, ``rank_in_branch`` (null if withheld).
        plan: What is known about the choice.
        limits: The limits it had to keep.
    """

    places: pa.Table
    plan: Plan
    limits: tuple[Limit, ...]


def competing(candidates: DataFrame, customers: DataFrame) -> DataFrame:
    """What the choice needs to know of every candidate that passed its gates."""
    is_withheld = F.col("is_in_global_holdout") | F.col("is_drawn_for_control")
    passing = candidates.where(F.size("failed_gates") == 0).select(
        *NARROW,
        _cents("expected_profit").alias("profit_cents"),
        _cents("contact_cost").alias("cost_cents"),
        is_withheld.alias("is_withheld"),
    )
    # The right key is unique: customers are one per row.
    return passing.join(customers.select("customer_id", "advisor_id"), "customer_id", how="left")


def choose(
    rows: pa.Table,
    settings: CampaignSettings,
    products: Mapping[str, Product],
    offers: Mapping[str, Offer] | None = None,
) -> Choice:
    """Choose offers so that their expected profit together is as high as the limits allow.

    Withheld customers use up nothing and change nobody's offers; see ``withheld``.

    Args:
        rows: As ``competing`` gives them.
        settings: Limits of the campaign.
        products: Of which partner each product is.
        offers: Which of them are packages; none if left out.
    """
    competition = Competition.among(rows, settings, products, offers)
    problem, is_withheld = competition.problem, competition.is_withheld
    contactable = np.flatnonzero(~is_withheld)
    plan = optimise(problem.part(contactable))
    chosen = contactable[plan.chosen]
    winners = best_choice(problem, problem.value, 0)
    cut = np.concatenate([chosen, made_the_cut(problem, plan, chosen, is_withheld)])
    places = _places(competition, winners, cut, chosen)
    return Choice(places, plan, problem.limits)


def outcomes(candidates: DataFrame, places: DataFrame) -> DataFrame:
    """Give every candidate its outcome.

    An offer that passed its gates and was not chosen is outranked if another one of its customer or
    household, or none at all, is worth more even where customers share no limit; else it is a
    shared limit (of a branch, an advisor, a product, a partner, a budget) that kept it out.

    Returns:
        The candidates with ``outcome``, ``rank_in_customer`` (null unless every gate passed),
        ``rank_in_branch`` (null unless offered) and ``is_in_control_group``.
    """
    is_withheld = F.col("is_in_global_holdout") | F.col("is_drawn_for_control")
    passes = F.size("failed_gates") == 0
    best_first = Window.partitionBy("customer_id", passes).orderBy(
        F.desc("expected_profit"), F.desc("propensity"), F.col("event").isNull(), "offer_id"
    )
    # The right key is unique: places are one per customer and offer.
    placed = candidates.join(places, list(PAIR), how="left")
    made_cut = F.coalesce("made_cut", F.lit(False))
    outcome = (
        F.when(~F.col("is_eligible"), str(Outcome.INELIGIBLE))
        .when(~passes, str(Outcome.SUPPRESSED))
        .when(made_cut & is_withheld, str(Outcome.CONTROL))
        .when(made_cut, str(Outcome.OFFERED))
        .when(F.coalesce("is_winner", F.lit(False)), str(Outcome.OVER_CAPACITY))
        .otherwise(str(Outcome.OUTRANKED))
    )
    is_control = made_cut & F.col("is_drawn_for_control") & ~F.col("is_in_global_holdout")
    return placed.select(
        "*",
        outcome.alias("outcome"),
        F.when(passes, F.row_number().over(best_first)).alias("rank_in_customer"),
        is_control.alias("is_in_control_group"),
    )


def _cents(amount: str) -> Column:
    return (F.col(amount) * 100).cast("bigint")


def _places(competition: Competition, winners: Ints, cut: Ints, chosen: Ints) -> pa.Table:
    """What became of those that won or made the cut."""
    count = len(competition.value)
    is_winner, made_cut = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    is_winner[winners] = True
    made_cut[cut] = True
    best_first = chosen[np.lexsort((chosen, -competition.value[chosen]))]
    rank = np.zeros(count, np.int32)
    rank[best_first] = 1 + place_in_group(competition.branch.place[best_first])
    told = np.flatnonzero(is_winner | made_cut)
    names = [competition.rows[name].take(pa.array(told)) for name in PAIR]
    ranks = pa.array(rank[told], mask=rank[told] == 0)
    values = [*names, pa.array(is_winner[told]), pa.array(made_cut[told]), ranks]
    return pa.table(values, schema=PLACES)
