"""What the law of a place asks: the types of `conf/base/jurisdiction.yaml`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from conf.fairness_settings import FairnessRule
from conf.fields import Count, Days, Identifier, Settings

Permission = Literal["consent", "unless_objected"]
AgeUse = Literal["always", "not_for_credit", "never"]


class Retention(Settings):
    """For how many months what is kept about clients stays; null: for good.

    A month is removed once it is older than that: 0 keeps the as-of month alone.

    Attributes:
        scores_and_features: Scores, features, labels and training sets.
        decisions: Decisions, lists and list files, and the lines of the sealed log.
        quarantine: Delivered rows that were set aside.
        lookups: Who looked clients up.
    """

    scores_and_features: Count | None = None
    decisions: Count | None = None
    quarantine: Count | None = None
    lookups: Count | None = None


class JurisdictionProfile(Settings):
    """Which gates apply, and with what bounds.

    Attributes:
        marketing_internal: What contact about the bank's own products rests on.
        marketing_partner: The same for products of partners.
        profiling: What it rests on that a score decides whom to contact.
        highest_age: Which products may have one.
        age_in_rules: For which products rules of the bank may ask for the age.
        min_opt_out_days: The shortest cool-off after an objection.
        max_contacts_30d: The most contacts that the bank's policy may allow; null: no bound.
        fairness: Which facts about protected groups stop; without it, inputs of models alone.
        retention: How long what is kept about clients stays; without it, for good.
    """

    marketing_internal: Permission
    marketing_partner: Permission
    profiling: Permission
    highest_age: AgeUse
    age_in_rules: AgeUse
    min_opt_out_days: Days
    max_contacts_30d: Count | None
    fairness: FairnessRule = FairnessRule()
    retention: Retention = Retention()


class QuietPeriod(Settings):
    """Days on which no offer begins, both ends included."""

    first_day: date
    last_day: date


class Jurisdiction(Settings):
    """The profiles there are, and the one in force."""

    profile: Identifier
    profiles: dict[Identifier, JurisdictionProfile]
    quiet_periods: dict[Identifier, QuietPeriod]

    @property
    def in_force(self) -> JurisdictionProfile:
        """The profile that is chosen."""
        return self.profiles[self.profile]

    def first_day_not_quiet(self, day: date) -> date:
        """The day itself, or the first one after it on which an offer may begin."""
        for period in sorted(self.quiet_periods.values(), key=lambda one: one.first_day):
            if period.first_day <= day <= period.last_day:
                day = period.last_day + timedelta(days=1)
        return day


def allows_age(use: AgeUse, *, is_credit: bool) -> bool:
    """The age may decide about such a product."""
    return use == "always" or (use == "not_for_credit" and not is_credit)
