"""The types of `conf/base/measurement.yaml`: what a campaign caused, and who says it is enough."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictFloat, model_validator

from conf.fields import Count, Days, Months, Positive, Settings, Share

FalseShare = Annotated[StrictFloat, Field(gt=0, le=0.5)]


class EffectSettings(Settings):
    """How the effect of campaigns is told from what would have happened anyway.

    Attributes:
        months: Campaigns of so many months before the as-of date are measured.
        min_clients: Of each arm; with fewer nothing is computed.
        max_false_share: Of the cuts that are told as sure, so many may be chance.
        min_variance_reduction: Figures of the time before the campaign are made use of only if they
            take away this share of the variance.
        cancelled_within_days: A product that is given back so soon was no sale.
        reaction_days: An objection or a complaint so soon after a contact may come of it.
    """

    months: Months
    min_clients: Positive
    max_false_share: FalseShare
    min_variance_reduction: Share
    cancelled_within_days: Days
    reaction_days: Days


class CreditCheckSettings(Settings):
    """From when on credit for sales looks odd.

    Attributes:
        min_sales: Of a branch or an advisor; with fewer nothing is flagged for its share.
        month_end_days: The last days of a month.
        confirmed_within_days: A sale that a branch reports is in the books so soon.
        max_false_share: Of what is flagged, so much may be chance.
    """

    min_sales: Positive
    month_end_days: Positive
    confirmed_within_days: Days
    max_false_share: FalseShare


class ClientSideSettings(Settings):
    """What contacts did to clients.

    Attributes:
        fatigue_days: Contacts so long before one count as those that tire.
        most_contacts: From so many on they are told together.
        kept_months: What is still held so long after it was bought was of use.
        used_months: Whether a product is used is looked for so long after it was bought.
        used_in_months: It is, if there were bookings in so many of them.
    """

    fatigue_days: Days
    most_contacts: Positive
    kept_months: Months
    used_months: Months
    used_in_months: Months

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if self.used_in_months > self.used_months:
            raise ValueError("used_in_months is more than used_months: nothing could be used")
        return self


class AlarmSettings(Settings):
    """A model is told as needing a look when it was out of bounds in so many of its last months.

    Attributes:
        months: At least so many.
        of_last: Of so many.
    """

    months: Positive
    of_last: Positive


class MonitoringSettings(Settings):
    """When a model is no longer right.

    Attributes:
        cohorts: Months of scores that are held against what was bought after them.
        min_buyers: With fewer in a month nothing is said of the model's calibration or order.
        max_ratio: Buyers over expected buyers; beyond it, or below 1 / it, for sure, is an alarm.
        max_lift_lost: Share of the lift at its test that the model may lose.
        max_psi: Of scores and features against those of the training.
        min_gain: A model relies on a feature that has this share of the gain of its trees.
        late_share: Of purchases that became known only after the outcome window; from here on told.
        alarm: How often before it counts.
    """

    cohorts: Count
    min_buyers: Positive
    max_ratio: Annotated[StrictFloat, Field(gt=1)]
    max_lift_lost: Share
    max_psi: Annotated[StrictFloat, Field(gt=0)]
    min_gain: Share
    late_share: Share
    alarm: AlarmSettings


class MeasurementSettings(Settings):
    """What `xsell measure` tells."""

    effect: EffectSettings
    credit: CreditCheckSettings
    clients: ClientSideSettings
    models: MonitoringSettings
