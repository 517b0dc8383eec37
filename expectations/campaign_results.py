"""What the values of the campaign results mean: what is stated, and what is computed."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, functions as F
from pyspark.sql.window import Window

from expectations.measures import count_where, differs_within, repeated
from expectations.rules import not_blank, one_of, present, rows_at_least, within
from expectations.suite import Fact, Suite
from tables.derived import CAMPAIGN_RESULTS

MEASURED = "measured"
STATES = (
    MEASURED,
    "too_few",
    "no_control",
    "not_randomised",
    "not_matured",
    "before_contact",
    "no_outcome",
)
AGAINST = ("campaign_control", "global_holdout")
CUTS = (
    "all",
    "product",
    "combination",
    "move",
    "segment",
    "branch",
    "advisor",
    "channel",
    "partner",
    "business_line",
    "lever",
    "exploration",
)
SHARES = ("response", "opt_out", "complaint")
MEASURES = (
    *SHARES,
    "revenue",
    "cost",
    "profit",
    "other_profit",
    "later_profit",
    "total_profit",
)
MOST_CLIENTS = 10**12
SMALLEST_PART = 1e-6


def campaign_results_suite() -> Suite:
    """The contract of what past campaigns caused, measured as of one date."""
    is_measured = F.col("state") == MEASURED
    return Suite(
        CAMPAIGN_RESULTS,
        rules=(
            rows_at_least(1),
            *present(CAMPAIGN_RESULTS),
            one_of("state", STATES),
            one_of("against", AGAINST),
            one_of("cut", CUTS),
            one_of("measure", MEASURES),
            not_blank("campaign"),
            within("treated", 0, MOST_CLIENTS),
            within("control", 0, MOST_CLIENTS),
            within("p_value", 0, 1),
            within("q_value", 0, 1),
        ),
        facts=(
            Fact("no key occurs twice", repeated(CAMPAIGN_RESULTS.key)),
            Fact("all rows are of one run", differs_within("run_id")),
            Fact("all rows are of one as-of date", differs_within("as_of")),
            Fact(
                "an effect is told where it was measured, and nowhere else",
                count_where(is_measured != F.col("effect").isNotNull()),
            ),
            Fact(
                "where nothing was measured, it is said why",
                count_where(~is_measured & F.col("note").isNull()),
            ),
            Fact(
                "an effect lies within its interval",
                count_where(_is_outside("effect")),
            ),
            Fact(
                "what was caused in all lies within its interval",
                count_where(_is_outside("total")),
            ),
            Fact(
                "a share of clients is one",
                count_where(
                    F.col("measure").isin(*SHARES)
                    & ~(_is_share("treated_mean") & _is_share("control_mean"))
                ),
            ),
            Fact(
                "only what was measured is told as sure",
                count_where(F.col("is_sure") & ~is_measured),
            ),
            Fact("no part has more clients than the whole", _parts_beyond_the_whole),
        ),
    )


def _is_outside(name: str) -> Column:
    """An end is missing, or on the wrong side by more than rounding."""
    value, low, high = (F.col(part) for part in (name, f"{name}_low", f"{name}_high"))
    slack = F.lit(SMALLEST_PART) * (F.abs(value) + 1)
    # NaN is above every number.
    is_within = (low <= value + slack) & (value <= high + slack) & ~F.isnan(high)
    return value.isNotNull() & ~F.coalesce(is_within, F.lit(False))


def _is_share(name: str) -> Column:
    value = F.col(name)
    return value.isNull() | ((value >= 0) & (value <= 1))


def _parts_beyond_the_whole(rows: DataFrame) -> DataFrame:
    """How many parts have more clients offered, or in the control, than all parts together."""
    together = Window.partitionBy("campaign", "against", "measure")
    arms = [
        F.col(arm) > F.max(F.when(F.col("cut") == "all", F.col(arm))).over(together)
        for arm in ("treated", "control")
    ]
    beyond = rows.select(F.coalesce(arms[0] | arms[1], F.lit(True)).alias("is_beyond"))
    return beyond.agg(F.count_if("is_beyond").alias("parts"))
