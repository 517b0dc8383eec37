"""Which offers win, within every limit, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window, functions as F

from campaigns.competition import Competition, Terms
from campaigns.dominated import dominated
from campaigns.exploration import Draw, Explored, explored, room_of
from campaigns.optimiser import Plan, optimise
from campaigns.optimiser_inner import best_choice
from campaigns.optimiser_problem import NO_LIMIT, Ints, Limit, Problem, place_in_group
from campaigns.ways import OF_WAY
from campaigns.withheld import made_the_cut
from tables.reason_codes import Outcome, ReasonCode

PAIR = ("customer_id", "offer_id")
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
PLACES = pa.schema(
    [
        *((name, pa.string()) for name in PAIR),
        ("chosen_way", pa.int32()),
        ("is_winner", pa.bool_()),
        ("made_cut", pa.bool_()),
        ("rank_in_branch", pa.int32()),
        ("choice_probability", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Attributes:
        places: One row per customer and offer that won or made the cut: in which way,
            ``is_winner`` (would win if customers shared no limit), ``made_cut``,
            ``rank_in_branch`` (null if withheld), ``choice_probability`` (null if not by chance).
        plan: What is known about the choice that was not left to chance.
        limits: The limits it had to keep: without what chance had used up.
        explored: How many offers chance chose.
        explored_value: What these are worth, in cents.
    """

    places: pa.Table
    plan: Plan
    limits: tuple[Limit, ...]
    explored: int = 0
    explored_value: int = 0


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
    """Choose offers so that their expected profit together is as high as the limits allow.

    Chance chooses first, for those who are drawn for it. Withheld customers use up nothing and
    change nobody's offers; see ``withheld``.

    Args:
        rows: As ``competing`` gives them.
        terms: Limits of the campaign.
    """
    competition = Competition.among(rows, terms)
    by_chance = explored(competition.problem, _draw(competition))
    left = _still_competing(competition, by_chance)
    problem, is_withheld = _beside(competition, by_chance, left), competition.is_withheld[left]
    contactable = np.flatnonzero(~is_withheld)
    plan = optimise(problem.part(contactable))
    chosen = contactable[plan.chosen]
    control = left[made_the_cut(problem, plan, chosen, is_withheld)]
    winners = left[best_choice(problem, problem.value, 0)]
    places = _places(competition, winners, left[chosen], control, by_chance)
    tried = by_chance.options[~competition.is_withheld[by_chance.options]]
    value = int(competition.value[tried].sum())
    return Choice(places, plan, problem.limits, len(tried), value)


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


def _draw(competition: Competition) -> Draw:
    contacts = competition.limits[0]
    return Draw(
        hashes=competition.rows["exploration_hash"].to_pylist(),
        branch=competition.branch.place,
        room=room_of(competition.settings.exploration_share, contacts.most),
        is_withheld=competition.is_withheld,
    )


def _still_competing(competition: Competition, by_chance: Explored) -> Ints:
    """What is worth it and may be the right way, of customers for whom chance has not chosen."""
    customer = competition.customer
    is_settled = np.zeros(int(customer.max(initial=-1)) + 1, np.bool_)
    is_settled[customer[by_chance.options]] = True
    left = np.flatnonzero(competition.is_worth_it & ~is_settled[customer])
    part = competition.problem.part(left)
    kept: Ints = left[~dominated(competition.candidate[left], part.value, part.limits)]
    return kept


def _beside(competition: Competition, by_chance: Explored, left: Ints) -> Problem:
    """The options that are left, within what chance has left of limits and of households."""
    part = competition.problem.part(left)
    made = by_chance.options[~competition.is_withheld[by_chance.options]]
    *inner, home = part.levels
    taken = np.bincount(competition.problem.levels[-1].group[made], minlength=len(home.most))
    limits = tuple(
        replace(
            limit,
            most=np.where(limit.most < NO_LIMIT, limit.most - used, NO_LIMIT),
            least=np.maximum(limit.least - used, 0),
        )
        for limit, used in zip(part.limits, by_chance.used, strict=True)
    )
    return replace(part, levels=(*inner, replace(home, most=home.most - taken)), limits=limits)


def _places(
    competition: Competition, winners: Ints, chosen: Ints, control: Ints, by_chance: Explored
) -> pa.Table:
    """What became of those that won or made the cut, in which way."""
    candidate, count = competition.candidate, int(competition.candidate.max(initial=-1)) + 1
    tried = by_chance.options
    made = np.concatenate([chosen, tried[~competition.is_withheld[tried]]])
    cut = np.concatenate([chosen, control, tried])
    option = np.full(count, -1, np.int64)
    option[candidate[winners]] = winners
    option[candidate[cut]] = cut
    is_winner, made_cut = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    is_winner[candidate[winners]], made_cut[candidate[cut]] = True, True
    rank, probability = np.zeros(count, np.int32), np.full(count, np.nan)
    best_first = made[np.lexsort((made, -competition.value[made]))]
    rank[candidate[best_first]] = 1 + place_in_group(competition.branch.place[best_first])
    probability[candidate[tried]] = by_chance.probability
    told = np.sort(option[option >= 0])
    of = candidate[told]
    values = [
        *(competition.rows[name].take(pa.array(told)) for name in (*PAIR, "way")),
        pa.array(is_winner[of]),
        pa.array(made_cut[of]),
        pa.array(rank[of], mask=rank[of] == 0),
        pa.array(probability[of], mask=np.isnan(probability[of])),
    ]
    return pa.table(values, names=PLACES.names).cast(PLACES)
