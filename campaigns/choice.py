"""Which offers win, within every limit, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window, functions as F

from campaigns.competition import Terms
from campaigns.optimiser import Plan, optimise_parts
from campaigns.optimiser_outlook import lies_whole
from campaigns.optimiser_problem import Bools, Limit
from campaigns.parts import Parts, itself
from campaigns.placing import PAIR, Placed, Verdict
from campaigns.sections import Chance, Contest, Section, in_process
from campaigns.ways import OF_WAY
from campaigns.withheld import Cut
from conf.schema import CampaignSettings
from tables.reason_codes import Outcome, ReasonCode

NARROW = (
    *PAIR,
    "product_id",
    "fatigue_class",
    "branch_id",
    "household_id",
    "event",
    "propensity",
    "class_contacts_left",
    "contacts_left_30d",
    "household_contacts_left",
    "exploration_hash",
)


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        placed: What became of the options, section by section: in which way each was chosen,
            ``is_winner`` (would win if customers shared no limit), ``made_cut``,
            ``rank_in_branch`` (null if withheld), ``choice_probability`` (null if not by chance).
        plan: What is known about the choice that was not left to chance.
        explored: How many offers chance chose.
        explored_value: What these are worth, in cents.
    """

    placed: Parts[Placed]
    plan: Plan
    explored: int = 0
    explored_value: int = 0

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits it had to keep: without what chance had used up."""
        return self.plan.made.problem.limits

    @property
    def places(self) -> pa.Table:
        """One row per customer and offer that won or made the cut, all of them here."""
        return pa.concat_tables([placed.rows for placed in self.placed.map(itself)])


def competing(candidates: DataFrame, customers: DataFrame) -> DataFrame:
    """What the choice needs to know of every way of every candidate that passed its gates.

    Who is drawn for exploration may be made an offer that is not worth it, unless it puts off.
    """
    is_withheld = F.col("is_in_global_holdout") | F.col("is_drawn_for_control")
    is_drawn = F.col("exploration_hash").isNotNull()
    is_cheap = F.col("failed_gates") == F.array(F.lit(str(ReasonCode.NOT_PROFITABLE)))
    is_open = F.col("way.is_worth_it") | (is_drawn & (F.col("way.response") >= 0))
    ways = (
        candidates.where((F.size("failed_gates") == 0) | (is_drawn & is_cheap))
        .select(*NARROW, is_withheld.alias("is_withheld"), F.explode("ways").alias("way"))
        .where(is_open)
        .select(
            *NARROW,
            "is_withheld",
            "way.way",
            "way.channel",
            "way.lever_code",
            "way.is_worth_it",
            _cents("way.expected_profit").alias("profit_cents"),
            _cents("way.contact_cost").alias("cost_cents"),
            _lever_cents().alias("lever_cents"),
        )
    )
    # The right key is unique: customers are one per row.
    return ways.join(customers.select("customer_id", "advisor_id"), "customer_id", how="left")


def choose(rows: pa.Table, terms: Terms) -> Choice:
    """Choose offers in this process.

    Args:
        rows: As ``competing`` gives them.
        terms: Limits of the campaign.
    """
    return choose_among(in_process(rows, terms), terms.settings)


def choose_among(sections: Parts[Section], settings: CampaignSettings) -> Choice:
    """Choose offers so that their expected profit together is as high as the limits allow.

    Chance chooses first, for those who are drawn for it. Withheld customers use up nothing and
    change nobody's offers; see ``withheld``.
    """
    chance = Chance.among(sections, settings.exploration_share)
    contests = sections.altered(partial(Contest.after, chance))
    plan = optimise_parts(contests.altered(Contest.contactable))
    is_whole = np.logical_and.reduce(contests.map(_whole_limits)).tolist()
    verdict = Verdict.of(plan, chance, Cut.of(plan, is_whole))
    placed = contests.altered(verdict.placed)
    if chance is None:
        return Choice(placed, plan)
    made = chance.made.problem.value
    return Choice(placed, plan, len(made), int(made.sum()))


def _whole_limits(contest: Contest) -> Bools:
    """In which limits every customer lies as a whole."""
    problem = contest.problem
    return np.array([lies_whole(problem, limit) for limit in problem.limits], np.bool_)


def outcomes(candidates: DataFrame, places: DataFrame) -> DataFrame:
    """Give every candidate its outcome.

    An offer that passed its gates and was not chosen is outranked if another one of its customer or
    household, or none at all, is worth more even where customers share no limit; else it is a
    shared limit (of a branch, an advisor, a product, a partner, a budget) that kept it out.

    Returns:
        The candidates in the way in which they were chosen, else in the best one, with
        ``outcome``, ``rank_in_customer`` (null unless every gate passed), ``rank_in_branch`` (null
        unless offered), ``is_in_control_group``, ``is_exploration`` and ``choice_probability``.
    """
    is_withheld = F.col("is_in_global_holdout") | F.col("is_drawn_for_control")
    # The right key is unique: places are one per customer and offer.
    placed = _in_the_chosen_way(candidates.join(places, list(PAIR), how="left"))
    passes = F.size("failed_gates") == 0
    best_first = Window.partitionBy("customer_id", passes).orderBy(
        F.desc("expected_profit"), F.desc("propensity"), F.col("event").isNull(), "offer_id"
    )
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


def _in_the_chosen_way(placed: DataFrame) -> DataFrame:
    """Candidates as they were chosen: what is told of each is of its way, not of the best one.

    Whether an offer is worth it is not asked where chance chose it.
    """
    found = F.get(F.filter("ways", lambda way: way["way"] == F.col("chosen_way")), F.lit(0))
    chosen = placed.withColumn("chosen", found)
    is_explored = F.col("choice_probability").isNotNull()
    told = [_told(name, is_explored) for name in placed.columns if name not in ("way", "ways")]
    return chosen.select(*told, is_explored.alias("is_exploration"))


def _told(name: str, is_explored: Column) -> Column:
    if name in OF_WAY:
        own = F.col("chosen").isNotNull()
        return F.when(own, F.col(f"chosen.{name}")).otherwise(F.col(name)).alias(name)
    if name in ("failed_gates", "failed_rules"):
        return F.filter(name, lambda _: ~is_explored).alias(name)
    return F.col(name)


def _cents(amount: str) -> Column:
    return (F.col(amount) * 100).cast("bigint")


def _lever_cents() -> Column:
    """What a lever is expected to cost, rounded up: what its budget must have room for."""
    cost = F.col("way.lever_cost")
    if_accepted = F.ceil(F.col("way.acceptance") * cost.cast("double") * F.lit(100.0))
    is_if_accepted = F.col("way.lever_cost_when") == "accepted"
    cents = F.when(is_if_accepted, if_accepted.cast("bigint")).otherwise(_cents("way.lever_cost"))
    return F.coalesce(cents, F.lit(0).cast("bigint"))
