"""Which offers win, within every limit: greedily, the most profitable first."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window, WindowSpec, functions as F

from campaigns.contact_policy import household_key
from conf.schema import CampaignSettings
from tables.reason_codes import Outcome

PAIR = ("customer_id", "offer_id")
NARROW = (
    *PAIR,
    "product_id",
    "fatigue_class",
    "branch_id",
    "household_id",
    "expected_profit",
    "propensity",
    "class_contacts_left",
    "contacts_left_30d",
    "household_contacts_left",
    "is_withheld",
)


def choose(candidates: DataFrame, settings: CampaignSettings) -> DataFrame:
    """Give every candidate its outcome.

    An offer wins if it is among the best of its customer, of its household, and of its branch, and
    no cap is exceeded by the offers before it. The limits of product, fatigue class, customer and
    household lie within one another, so that keeping the best of each in turn is the greedy choice.
    Withheld customers compete like everybody else but use up no capacity: the cut goes down until
    the branch has its number of offers.

    Args:
        candidates: As ``candidates()`` returns them.
        settings: Limits of the campaign.

    Returns:
        The candidates with ``outcome``, ``rank_in_customer`` (null unless every gate passed),
        ``rank_in_branch`` (null unless offered) and ``is_in_control_group``.
    """
    is_withheld = F.col("is_in_global_holdout") | F.col("is_drawn_for_control")
    passing = candidates.where(F.size("failed_gates") == 0).select(
        "*", is_withheld.alias("is_withheld")
    )
    ranked = _cut_by_capacity(_keep_winners(passing.select(*NARROW), settings), settings)
    places = ranked.select(*PAIR, "rank_in_customer", "place_in_branch", "is_winner", "made_cut")
    # The right key is unique: candidates are one per customer and offer.
    joined = candidates.join(places, list(PAIR), how="left").select(
        "*", is_withheld.alias("is_withheld")
    )
    return _with_outcomes(joined)


def _keep_winners(passing: DataFrame, settings: CampaignSettings) -> DataFrame:
    """Mark what the limits of product, fatigue class, customer and household leave."""
    per_customer = F.least(F.lit(settings.max_offers_per_customer), F.col("contacts_left_30d"))
    per_household = F.least(
        F.lit(settings.max_offers_per_household), F.col("household_contacts_left")
    )
    customer = F.col("customer_id")
    levels: list[tuple[list[Column], Column]] = [
        ([customer, F.col("product_id")], F.lit(1)),
        ([customer, F.col("fatigue_class")], F.col("class_contacts_left")),
        ([customer], per_customer),
        (household_key(), per_household),
    ]
    ranked = passing.select(
        "*",
        F.row_number().over(_best_first(customer)).alias("rank_in_customer"),
        F.lit(True).alias("is_winner"),
    )
    return reduce(_keep_best, levels, ranked)


def _keep_best(offers: DataFrame, level: tuple[list[Column], Column]) -> DataFrame:
    """Of those that are still winners, only the first so many of each group stay so."""
    group, limit = level
    place = F.row_number().over(_best_first(*group, F.col("is_winner")))
    return offers.withColumn("is_winner", F.col("is_winner") & (place <= limit))


def _cut_by_capacity(offers: DataFrame, settings: CampaignSettings) -> DataFrame:
    """Count down each branch's winners until it has its number of offers."""
    branch = _best_first(F.col("branch_id"), F.col("is_winner")).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    is_contact = F.col("is_winner") & ~F.col("is_withheld")
    counted = offers.select("*", F.count(F.when(is_contact, F.lit(1))).over(branch).alias("so_far"))
    before = F.col("so_far") - F.when(is_contact, F.lit(1)).otherwise(F.lit(0))
    return counted.select(
        "*",
        F.col("so_far").cast("int").alias("place_in_branch"),
        (F.col("is_winner") & (before < _capacity(settings))).alias("made_cut"),
    )


def _with_outcomes(joined: DataFrame) -> DataFrame:
    made_cut = F.coalesce("made_cut", F.lit(False))
    is_winner = F.coalesce("is_winner", F.lit(False))
    outcome = (
        F.when(~F.col("is_eligible"), str(Outcome.INELIGIBLE))
        .when(F.size("failed_gates") > 0, str(Outcome.SUPPRESSED))
        .when(~is_winner, str(Outcome.OUTRANKED))
        .when(~made_cut, str(Outcome.OVER_CAPACITY))
        .when(F.col("is_withheld"), str(Outcome.CONTROL))
        .otherwise(str(Outcome.OFFERED))
    )
    is_control = made_cut & F.col("is_drawn_for_control") & ~F.col("is_in_global_holdout")
    is_offered = made_cut & ~F.col("is_withheld")
    return joined.select(
        "*",
        outcome.alias("outcome"),
        F.when(is_offered, F.col("place_in_branch")).alias("rank_in_branch"),
        is_control.alias("is_in_control_group"),
    )


def _capacity(settings: CampaignSettings) -> Column:
    capacity = F.lit(settings.branch_capacity)
    for branch_id, places in settings.branch_capacity_overrides.items():
        capacity = F.when(F.col("branch_id") == branch_id, F.lit(places)).otherwise(capacity)
    return capacity


def _best_first(*group: Column) -> WindowSpec:
    """The total order in which offers compete; no two are equal."""
    return Window.partitionBy(*group).orderBy(
        F.desc("expected_profit"), F.desc("propensity"), "customer_id", "offer_id"
    )
