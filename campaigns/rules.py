"""Every rule that a gate asks: its id, its version, its words, and which offers it is about.

A version is the rule's revision and a digest of its words and parameters: it changes with the
configuration by itself. Whoever changes what a gate *does* raises the revision here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from campaigns.components import Components, components, fatigue_classes
from campaigns.law import marketing_purposes, permission
from campaigns.rule_words import SAYS, Words
from conf.jurisdiction import JurisdictionProfile
from conf.schema import BankRule, EligibilityRules, Offer, Product, RunConfig
from conf.wording import Language
from tables.reason_codes import ReasonCode

DIGEST = 8
NEVER = "never by time alone"
Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Rule:
    """A rule as it is asked about one offer.

    Attributes:
        id: What ``failed_rules`` names.
        code: The reason code of its gate.
        revision: Raised whenever the code behind it comes to another answer.
        passes: When it passes again if nothing else happens, in words.
        says: What people are told, by language; ``{parameter}`` is filled in.
        parameters: What the configuration says about it.
    """

    id: str
    code: str
    revision: str
    passes: str
    says: Words
    parameters: Parameters = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Revision and digest, ``1-0a1b2c3d``."""
        text = json.dumps(
            [self.id, self.revision, dict(self.says), self.parameters], sort_keys=True, default=str
        )
        return f"{self.revision}-{hashlib.sha256(text.encode()).hexdigest()[:DIGEST]}"

    def words(self, language: Language) -> str:
        """What a person is told."""
        shown = {name: _shown(value) for name, value in self.parameters.items()}
        return self.says[language].format(**shown)


@dataclass(frozen=True)
class _Known:
    """What is the same of a rule for all offers."""

    id: str
    revision: int
    passes: str = NEVER


_KNOWN: Mapping[ReasonCode, _Known] = {
    ReasonCode.NOT_ACTIVE: _Known(
        "eligibility.active", 1, "the day after joining; never for who has left or died"
    ),
    ReasonCode.ALREADY_HELD: _Known(
        "eligibility.not_yet_held", 1, "the day after the last day of what is held, if it is known"
    ),
    ReasonCode.TOO_YOUNG: _Known(
        "eligibility.min_age", 1, "the birthday; 1 March for who was born on 29 February"
    ),
    ReasonCode.TOO_OLD: _Known("eligibility.max_age", 1),
    ReasonCode.AGE_UNKNOWN: _Known("eligibility.age_known", 1),
    ReasonCode.INCOME_TOO_LOW: _Known("eligibility.min_monthly_income", 1),
    ReasonCode.BALANCE_TOO_LOW: _Known("eligibility.min_balance", 1),
    ReasonCode.LACKS_REQUIRED_PRODUCT: _Known(
        "eligibility.requires_any", 1, "the day after such a product is opened, if it is known"
    ),
    ReasonCode.HOLDS_EXCLUDED_PRODUCT: _Known(
        "eligibility.excludes", 1, "the day after the last day of what is held, if it is known"
    ),
    ReasonCode.NO_CONSENT: _Known("consent.marketing", 1),
    ReasonCode.NO_PROFILING_CONSENT: _Known("consent.profiling", 1),
    ReasonCode.CONTACT_CAP: _Known(
        "contact.customer_cap_30d", 1, "the day on which enough contacts lie more than 30 days back"
    ),
    ReasonCode.HOUSEHOLD_CAP: _Known(
        "contact.household_cap_30d",
        1,
        "the day on which enough contacts of the household lie more than 30 days back",
    ),
    ReasonCode.FATIGUE_CAP: _Known(
        "contact.fatigue_cap_90d",
        2,
        "the day on which enough contacts about the fatigue class lie more than 90 days back",
    ),
    ReasonCode.CHANNEL_CAP: _Known(
        "contact.channel_cap_30d",
        1,
        "the day on which enough contacts by one of the channels lie more than 30 days back",
    ),
    ReasonCode.COOL_OFF: _Known(
        "contact.cool_off", 2, "the day on which the last cool-off is over, that of an opt-out too"
    ),
    ReasonCode.TOO_SOON: _Known(
        "contact.days_between", 1, "so many days after the last contact, planned ones included"
    ),
    ReasonCode.QUIET_PERIOD: _Known(
        "contact.quiet_period", 1, "the first day whose offers begin on a day that is not quiet"
    ),
    ReasonCode.EMPLOYEE: _Known("contact.no_employee", 1),
    ReasonCode.NO_CONTACT_FLAG: _Known(
        "care.no_contact_flag", 1, "the first day without such a flag; never if one has no end"
    ),
    ReasonCode.CARE: _Known(
        "care.treatment_flag", 1, "the first day without such a flag; never if one has no end"
    ),
    ReasonCode.NOT_TRIGGERED: _Known(
        "trigger.event", 1, "where an end is waited for, the first day of the first list with it"
    ),
    ReasonCode.NOT_PROFITABLE: _Known("value.min_expected_profit", 1),
}


def built_in_rules() -> list[Rule]:
    """Every rule of the code, in the order of reason codes; a product has some of them."""
    return [_rule(code, {}) for code in sorted(_KNOWN)]


def rules_in_force(offer_id: str, config: RunConfig) -> dict[str, Rule]:
    """Every rule that is asked about an offer, by its reason code, in the order of codes."""
    offer = config.offers[offer_id]
    parts = components(offer, config)
    parameters = {
        **_strictest([_eligibility(part) for part in parts.values()]),
        **_consent(offer, parts, config.jurisdiction.in_force),
        **_contact(parts, config),
        **_channels(offer, config),
        **_event(offer, config),
        ReasonCode.NO_CONTACT_FLAG: {"flags": sorted(config.care.no_contact)},
        ReasonCode.CARE: {"flags": sorted(config.care.treatments)},
        ReasonCode.NOT_PROFITABLE: {"min_expected_profit": config.campaign.min_expected_profit},
    }
    built_in = [_rule(code, asked) for code, asked in parameters.items()]
    own = [_bank_rule(name, rule) for name, rule in bank_rules_of(offer_id, config).items()]
    return {rule.code: rule for rule in sorted((*built_in, *own), key=lambda rule: rule.code)}


def bank_rules_of(offer_id: str, config: RunConfig) -> dict[str, BankRule]:
    """The configured rules that are about an offer."""
    products = config.offers[offer_id].products
    return {
        name: rule
        for name, rule in config.rules.items()
        if any(
            rule.applies_to.is_about(offer_id, product_id, config.products[product_id].partner)
            for product_id in products
        )
    }


def code_of_bank_rule(name: str) -> str:
    """Its reason code, and its id."""
    return f"rule.{name}"


def _bank_rule(name: str, rule: BankRule) -> Rule:
    # A brace in a description is a brace.
    says = {
        lang: text.replace("{", "{{").replace("}", "}}") for lang, text in rule.description.items()
    }
    code = code_of_bank_rule(name)
    asked = {"allow_when": rule.allow_when}
    return Rule(code, code, str(rule.version), NEVER, says, asked)


def rules_version(rules: Mapping[str, Rule]) -> str:
    """A digest of rules in their versions."""
    lines = "\n".join(f"{rule.id} {rule.version}" for rule in rules.values())
    return hashlib.sha256(lines.encode()).hexdigest()[: 2 * DIGEST]


def _rule(code: ReasonCode, parameters: Parameters) -> Rule:
    known = _KNOWN[code]
    return Rule(known.id, str(code), str(known.revision), known.passes, SAYS[code], parameters)


def _eligibility(product: Product) -> dict[ReasonCode, Parameters]:
    """Which rules a product has: those of ``features.eligibility.eligibility_failures``."""
    rules = product.eligibility
    asked: dict[ReasonCode, Parameters] = {ReasonCode.NOT_ACTIVE: {}, **_age(rules)}
    if not product.can_be_held_twice:
        asked[ReasonCode.ALREADY_HELD] = {}
    for code, name in (
        (ReasonCode.INCOME_TOO_LOW, "min_monthly_income"),
        (ReasonCode.BALANCE_TOO_LOW, "min_balance"),
    ):
        if getattr(rules, name) is not None:
            asked[code] = {name: getattr(rules, name)}
    if rules.requires_any:
        asked[ReasonCode.LACKS_REQUIRED_PRODUCT] = {"requires_any": sorted(rules.requires_any)}
    if rules.excludes:
        asked[ReasonCode.HOLDS_EXCLUDED_PRODUCT] = {"excludes": sorted(rules.excludes)}
    return asked


def _age(rules: EligibilityRules) -> dict[ReasonCode, Parameters]:
    asked: dict[ReasonCode, Parameters] = {}
    if rules.min_age is not None:
        asked[ReasonCode.TOO_YOUNG] = {"min_age": rules.min_age}
    if rules.max_age is not None:
        asked[ReasonCode.TOO_OLD] = {"max_age": rules.max_age}
    return asked | ({ReasonCode.AGE_UNKNOWN: {}} if asked else {})


def _strictest(asked: list[dict[ReasonCode, Parameters]]) -> dict[ReasonCode, Parameters]:
    """The rules of all products of an offer as one: the higher minimum, the lower maximum."""
    found: dict[ReasonCode, dict[str, object]] = {}
    for rules in asked:
        for code, parameters in rules.items():
            known = found.setdefault(code, {})
            for name, value in parameters.items():
                known[name] = _stricter(name, known.get(name), value)
    return dict(found)


def _stricter(name: str, one: Any, other: Any) -> object:  # noqa: ANN401 - numbers or names
    if one is None:
        return other
    if isinstance(one, list):
        return sorted({*one, *other})
    return min(one, other) if name.startswith("max_") else max(one, other)


def _event(offer: Offer, config: RunConfig) -> dict[ReasonCode, Parameters]:
    if offer.trigger is None:
        return {}
    asked = offer.trigger.model_dump(mode="json", exclude_defaults=True)
    days = {"validity_days": offer.validity_days, "gap_days": config.time.gap_days}
    return {ReasonCode.NOT_TRIGGERED: asked | days}


def _consent(
    offer: Offer, parts: Components, law: JurisdictionProfile
) -> dict[ReasonCode, Parameters]:
    channels, purposes = list(offer.channels), marketing_purposes(parts.values())
    contact = _one_or_all([permission(law, purpose) for purpose in purposes])
    purpose, profiling = _one_or_all(purposes), law.profiling
    return {
        ReasonCode.NO_CONSENT: {"purpose": purpose, "channels": channels, "permission": contact},
        ReasonCode.NO_PROFILING_CONSENT: {
            "channels": channels,
            "permission": contact,
            "of_profiling": profiling,
        },
    }


def _contact(parts: Components, config: RunConfig) -> dict[ReasonCode, Parameters]:
    policy, classes = config.contact_policy, fatigue_classes(parts)
    limits = [policy.max_contacts_90d_by_fatigue_class[name] for name in classes]
    alike = [name for name, other in config.products.items() if other.fatigue_class in classes]
    quiet = {
        name: f"{period.first_day} to {period.last_day}"
        for name, period in config.jurisdiction.quiet_periods.items()
    }
    asked: dict[ReasonCode, Parameters] = {}
    if quiet:
        asked[ReasonCode.QUIET_PERIOD] = {"quiet_periods": quiet, "gap_days": config.time.gap_days}
    cool_off = dict(sorted(policy.cool_off_days_after.items()))
    return asked | {
        ReasonCode.CONTACT_CAP: {"limit": policy.max_contacts_30d},
        ReasonCode.HOUSEHOLD_CAP: {"limit": policy.max_household_contacts_30d},
        ReasonCode.FATIGUE_CAP: {"limit": _one_or_all(limits), "products": alike},
        ReasonCode.COOL_OFF: {"cool_off_days_after": cool_off},
        ReasonCode.TOO_SOON: {"days": policy.min_days_between_contacts},
        ReasonCode.EMPLOYEE: {},
    }


def _channels(offer: Offer, config: RunConfig) -> dict[ReasonCode, Parameters]:
    caps = config.contact_policy.max_contacts_30d_by_channel
    asked = {channel: caps[channel] for channel in sorted(offer.channels) if channel in caps}
    if not asked:
        return {}
    least = config.campaign.max_offers_per_customer
    limits = [f"{channel} {cap}" for channel, cap in asked.items()]
    return {ReasonCode.CHANNEL_CAP: {"limits": limits, "offers_of_a_campaign": least}}


def _one_or_all(values: Sequence[object]) -> object:
    return values[0] if len(values) == 1 else list(values)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
