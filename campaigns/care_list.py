"""What a branch does for clients who get help instead of an offer: one row per client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.care import PRECEDENCE
from campaigns.intervals import FOR_EVER
from conf.care import CarePolicy
from conf.fields import Flag
from conf.schema import RunConfig
from tables.derived import CARE_LISTS
from tables.windows import months_before


def care_list(
    decisions: DataFrame, customers: DataFrame, flags: DataFrame, config: RunConfig, as_of: date
) -> DataFrame:
    """Clients who get help instead of a sales offer, shaped ``CARE_LISTS``.

    Args:
        decisions: Shaped ``DECISIONS``; those of one client say the same about care.
        customers: With their advisor.
        flags: As known before the as-of date.
        config: What each help is, in the bank's language.
        as_of: The first day of the list.
    """
    helped = decisions.where(F.col("care_treatment").isNotNull()).select(
        "customer_id", "run_id", "as_of", "branch_id", "care_treatment"
    )
    deciding = deciding_flags(flags, config.care, as_of)
    # The right keys are unique: one row per customer.
    return (
        helped.dropDuplicates(["customer_id"])
        .join(customers.select("customer_id", "advisor_id"), "customer_id", how="inner")
        # Nobody is lost: a help without its flag would be a row without a reason, and refused.
        .join(deciding, "customer_id", how="left")
        .select(
            "*",
            *_instructions(config),
            F.lit(as_of).alias("valid_from"),
            F.least(F.date_sub("until_on", 1), F.lit(_last_day(config, as_of))).alias(
                "valid_until"
            ),
        )
        .select(*CARE_LISTS.column_names)
    )


def deciding_flags(flags: DataFrame, policy: CarePolicy, as_of: date) -> DataFrame:
    """The flag that decides which help a customer gets: the most urgent that holds.

    Returns:
        One row per customer with such a flag: ``flag``, and the day on which it no longer holds,
        ``until_on``.
    """
    until = F.coalesce("valid_to", F.lit(FOR_EVER))
    holds = (F.col("valid_from") <= F.lit(as_of)) & (until > F.lit(as_of))
    treated: list[Flag] = [flag for flag in PRECEDENCE if flag in policy.treatments]
    ends = {flag: F.max(F.when(F.col("flag") == flag, until)) for flag in treated}
    return (
        flags.where(holds & F.col("flag").isin(*treated))
        .groupBy("customer_id")
        .agg(*(end.alias(flag) for flag, end in ends.items()))
        .select(
            "customer_id",
            F.coalesce(*(F.when(F.col(flag).isNotNull(), F.lit(flag)) for flag in treated)).alias(
                "flag"
            ),
            F.coalesce(*(F.col(flag) for flag in treated)).alias("until_on"),
        )
    )


def _last_day(config: RunConfig, as_of: date) -> date:
    """The day before the next list can be worked with."""
    return months_before(as_of, -1) + timedelta(days=config.time.gap_days - 1)


def _instructions(config: RunConfig) -> list[Column]:
    care, language = config.care, config.bank.language
    used = {name: care.instructions[name] for name in set(care.treatments.values())}
    do = {name: one.what_to_do[language] for name, one in used.items()}
    contact = {name: one.contact[language] for name, one in used.items()}
    return [
        _told("flag", {str(flag): care.why[flag][language] for flag in care.treatments}, "why"),
        _told("care_treatment", do, "what_to_do"),
        _told("care_treatment", {n: one.may_contact for n, one in used.items()}, "may_contact"),
        _told("care_treatment", contact, "contact"),
    ]


def _told(column: str, values: Mapping[str, str] | Mapping[str, bool], name: str) -> Column:
    found = (F.when(F.col(column) == code, F.lit(told)) for code, told in sorted(values.items()))
    return F.coalesce(*found).alias(name)
