"""Why a customer was or was not offered something: one code per gate and outcome."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one customer × offer; exactly one per decision."""

    OFFERED = "offered"
    CONTROL = "control"
    OUTRANKED = "outranked"
    OVER_CAPACITY = "over_capacity"
    SUPPRESSED = "suppressed"
    INELIGIBLE = "ineligible"


class ReasonCode(StrEnum):
    """A gate's name in ``failed_gates``; what stands before the dot is its family."""

    # eligibility: may not hold it
    ALREADY_HELD = "eligibility.already_held"
    TOO_YOUNG = "eligibility.too_young"
    TOO_OLD = "eligibility.too_old"
    AGE_UNKNOWN = "eligibility.age_unknown"
    INCOME_TOO_LOW = "eligibility.income_too_low"
    BALANCE_TOO_LOW = "eligibility.balance_too_low"
    LACKS_REQUIRED_PRODUCT = "eligibility.lacks_required_product"
    HOLDS_EXCLUDED_PRODUCT = "eligibility.holds_excluded_product"
    NOT_ACTIVE = "eligibility.not_active"
    # suppression: eligible, yet not to be contacted now
    NO_CONSENT = "consent.no_consent"
    NO_PROFILING_CONSENT = "consent.no_profiling_consent"
    CONTACT_CAP = "contact_policy.contact_cap"
    HOUSEHOLD_CAP = "contact_policy.household_cap"
    FATIGUE_CAP = "contact_policy.fatigue_cap"
    CHANNEL_CAP = "contact_policy.channel_cap"
    COOL_OFF = "contact_policy.cool_off"
    TOO_SOON = "contact_policy.too_soon"
    QUIET_PERIOD = "contact_policy.quiet_period"
    EMPLOYEE = "contact_policy.employee"
    NO_CONTACT_FLAG = "care.no_contact_flag"
    CARE = "care.in_care"
    NOT_TRIGGERED = "trigger.not_triggered"
    NOT_PROFITABLE = "value.not_profitable"
