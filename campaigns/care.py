"""Clients who need help, or no contact at all, get no sales offer."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.gates import Gate
from campaigns.intervals import first_free_day, interval
from conf.care import CarePolicy
from conf.fields import Flag
from tables.reason_codes import ReasonCode

# Of several flags the one whose help cannot wait decides.
PRECEDENCE: tuple[Flag, ...] = (
    "bereavement",
    "vulnerable",
    "financial_difficulty",
    "complaint_open",
    "fraud_watch",
)


def active_flags(flags: DataFrame, as_of: date) -> DataFrame:
    """Flags per customer: ``active_flags``, those that hold on the as-of date, and ``flags``.

    Returns:
        Customers with a flag that has not ended; ``flags`` has its name and its ``interval``.
    """
    has_begun = F.col("valid_from") <= F.lit(as_of)
    has_ended = F.coalesce(F.col("valid_to") <= F.lit(as_of), F.lit(False))
    held = F.struct(*interval(F.col("valid_from"), F.col("valid_to")), F.col("flag"))
    return (
        flags.where(~has_ended)
        .groupBy("customer_id")
        .agg(
            F.sort_array(F.collect_set(F.when(has_begun, F.col("flag")))).alias("active_flags"),
            F.sort_array(F.collect_list(held)).alias("flags"),
        )
    )


def care_gates(policy: CarePolicy, as_of: date) -> list[Gate]:
    """Both may fail; which help is given, if any, is ``care_treatment``."""
    return [
        _gate(ReasonCode.NO_CONTACT_FLAG, policy.no_contact, as_of),
        _gate(ReasonCode.CARE, tuple(policy.treatments), as_of),
    ]


def _gate(code: ReasonCode, names: tuple[Flag, ...], as_of: date) -> Gate:
    return Gate(code, _has_any(names), first_free_day("flags", "flag", names, as_of))


def care_treatment(policy: CarePolicy) -> Column:
    """The help an active customer gets, or null; none with a flag that stops all contact.

    Help is not marketing: the holdouts, caps and consents of offers do not withhold it.
    """
    treated = [flag for flag in PRECEDENCE if flag in policy.treatments]
    treatments = [F.when(_has_any((flag,)), F.lit(policy.treatments[flag])) for flag in treated]
    may_help = F.col("is_active") & ~_has_any(policy.no_contact)
    return F.when(may_help, F.coalesce(F.lit(None).cast("string"), *treatments))


def _has_any(flags: tuple[Flag, ...]) -> Column:
    held = (F.array_contains("active_flags", flag) for flag in flags)
    return F.coalesce(reduce(or_, held, F.lit(False)), F.lit(False))
