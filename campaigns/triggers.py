"""Is an offer due? What happened to the client, or is about to, and on which days to say so.

An event is what the bank knew before the as-of date: the end of a holding as it was recorded, or a
feature, which knows nothing recorded later. An event says whether and when an offer is made, never
how much it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, functions as F

from campaigns.gates import Gate
from conf.moves import AT_LEAST, LONGEST_AGO, MATURITY, Event, Trigger
from conf.schema import Offer, RunConfig
from tables.reason_codes import ReasonCode

MATURITIES = "maturities"
LAST_MONTH = 31
# What each event is known by.
FEATURES: Mapping[Event, tuple[str, ...]] = {
    "salary_start": ("income_months_12m", "days_since_last_income"),
    "large_credit": ("largest_credit_to_inflow_1m",),
    "branch_changed": ("has_branch_changed_6m",),
}


@dataclass(frozen=True)
class OfferDays:
    """The days on which an offer can be made, both included."""

    first: date
    last: date

    @staticmethod
    def of(offer: Offer, gap_days: int, as_of: date) -> OfferDays:
        """From the end of the gap, for as long as the offer is valid."""
        first = as_of + timedelta(days=gap_days)
        return OfferDays(first, first + timedelta(days=offer.validity_days - 1))

    def of_event(self, trigger: Trigger, as_of: date, event_on: date | None) -> OfferDays:
        """Those of them that the event leaves.

        Args:
            trigger: What the offer is due after, or before.
            as_of: An event whose day is not known happened as long ago as it may have.
            event_on: The day of the event.
        """
        if trigger.days_before is not None and event_on is not None:
            begins, ends = (event_on - timedelta(days=days) for days in trigger.days_before)
            return OfferDays(max(self.first, begins), min(self.last, ends))
        day = event_on or as_of - timedelta(days=LONGEST_AGO.get(trigger.event, 0))
        return OfferDays(self.first, min(self.last, day + timedelta(days=trigger.within_days or 0)))


def event_features(config: RunConfig) -> list[str]:
    """The features that some trigger asks for."""
    asked = {offer.trigger.event for offer in config.offers.values() if offer.trigger}
    return sorted({name for event in asked for name in FEATURES.get(event, ())})


def waits_for_ends(config: RunConfig) -> bool:
    """Some offer is due before a holding ends."""
    triggers = (offer.trigger for offer in config.offers.values())
    return any(trigger.event == MATURITY for trigger in triggers if trigger)


def is_kept_to_its_end() -> Column:
    """Nobody has given notice of a holding for an earlier day."""
    return F.col("closed_on").isNull() | (F.col("closed_on") >= F.col("matures_on"))


def maturing_products(holdings: DataFrame, as_of: date) -> DataFrame:
    """What of each customer's holdings comes to an end, from the as-of date on.

    Who has given notice for an earlier day has ended it already.

    Returns:
        One row per customer with such a holding: ``maturities``, an array of ``matures_on`` and
        ``product_id``.
    """
    is_opened = F.col("opened_on") < F.lit(as_of)
    ends = F.struct("matures_on", "product_id")
    return (
        holdings.where(is_opened & is_kept_to_its_end() & (F.col("matures_on") >= F.lit(as_of)))
        .groupBy("customer_id")
        .agg(F.sort_array(F.collect_set(ends)).alias(MATURITIES))
    )


def trigger_gates(offer: Offer, config: RunConfig, as_of: date) -> list[Gate]:
    """The offer's event has happened, and some of its days are left; none without a trigger.

    Time alone makes an end pass whose day is known, and no other event.
    """
    if offer.trigger is None:
        return []
    is_due = due_on(offer, config, as_of).isNotNull()
    return [Gate(ReasonCode.NOT_TRIGGERED, ~is_due, _passes_on(offer, config, as_of))]


def due_on(offer: Offer, config: RunConfig, as_of: date) -> Column:
    """A day of the event that makes the offer due; null where it is not.

    Of several ends it is the next. Of an event known by month only it is the earliest day that it
    may have had.
    """
    trigger = offer.trigger
    if trigger is None:
        return F.lit(None).cast("date")
    days = OfferDays.of(offer, config.time.gap_days, as_of)
    if trigger.event == MATURITY:
        begins, ends = _window(trigger, days)
        return _next_end(trigger.of or offer.product, begins, ends)
    day = _event_on(trigger, as_of)
    since = days.first - timedelta(days=trigger.within_days or 0)
    return F.when((day >= F.lit(since)) & (day < F.lit(as_of)), day)


def has_day(trigger: Trigger) -> bool:
    """The day of its event is known, not only the month."""
    return trigger.event not in LONGEST_AGO


def _event_on(trigger: Trigger, as_of: date) -> Column:
    """The day of an event that was noticed, or null."""
    if trigger.event == "salary_start":
        # Of a year only the last month has income; its latest payment tells the day.
        ago = F.col("days_since_last_income")
        has_begun = (F.col("income_months_12m") == 1) & (ago <= LAST_MONTH)
        return F.when(has_begun, F.date_sub(F.lit(as_of), ago))
    [feature] = FEATURES[trigger.event]
    at_least = trigger.at_least or AT_LEAST.get(trigger.event)
    has_happened = F.col(feature) if at_least is None else F.col(feature) >= F.lit(at_least)
    return F.when(has_happened, F.lit(as_of - timedelta(days=LONGEST_AGO[trigger.event])))


def _window(trigger: Trigger, days: OfferDays) -> tuple[date, date]:
    """The first and the last end some of whose days are days of the offer."""
    first, last = trigger.days_before or (0, 0)
    return days.first + timedelta(days=last), days.last + timedelta(days=first)


def _next_end(product_id: str, begins: date, ends: date | None) -> Column:
    def counts(end: Column) -> Column:
        is_in_time = end["matures_on"] >= F.lit(begins)
        if ends is not None:
            is_in_time = is_in_time & (end["matures_on"] <= F.lit(ends))
        return is_in_time & (end["product_id"] == F.lit(product_id))

    return F.array_min(F.transform(F.filter(MATURITIES, counts), lambda end: end["matures_on"]))


def _passes_on(offer: Offer, config: RunConfig, as_of: date) -> Column | None:
    """The as-of date whose offer's last day is the first for the next end."""
    trigger = offer.trigger
    if trigger is None or trigger.event != MATURITY:
        return None
    days = OfferDays.of(offer, config.time.gap_days, as_of)
    _, ends = _window(trigger, days)
    later = _next_end(trigger.of or offer.product, ends + timedelta(days=1), None)
    return F.date_sub(later, (ends - as_of).days)
