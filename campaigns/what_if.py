"""Plans that a campaign manager tries: which settings may differ, and in how many steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from conf.errors import ConfigError
from conf.schema import CampaignSettings, RunConfig

# What the campaign step alone reads may be tried; the rest is refused with the reason.
MAY_DIFFER = (
    "campaign",
    "contact_policy",
    "care",
    "rules",
    "jurisdiction",
    "offers",
    "channels",
    "levers",
    "partners",
)
BEFORE = "the steps before the campaign depend on it, and a what-if takes their results as they are"
TEXT_ONLY = "it changes what lists say or show, not what is planned"
REFUSED: Mapping[str, str] = {
    "bank": BEFORE,
    "time": BEFORE,
    "lifetime_value": BEFORE,
    "products": BEFORE,
    "models": BEFORE,
    "checks": BEFORE,
    "engine": "it changes where the work is done, not what comes of it",
    "combinations": "xsell combinations alone reads it",
    "fairness": "xsell fairness alone reads it",
    "measurement": "xsell measure alone reads it",
    "credit": TEXT_ONLY,
    "reasons": TEXT_ONLY,
    "roles": TEXT_ONLY,
}
# Settings that only the choice looks at: candidates stay as they are where nothing else differs.
OF_CHOICE = frozenset(
    {
        "max_offers_per_customer",
        "max_offers_per_household",
        "branch_capacity",
        "branch_capacity_overrides",
        "product_quotas",
        "partner_quotas",
        "max_offers",
    }
)
NUMBER = r"(-?\d+(?:\.\d+)?)"
SWEEP = re.compile(rf"{NUMBER}\.\.{NUMBER}:{NUMBER}")
MOST_STEPS = 12
WHAT_IF = "what-if"


@dataclass(frozen=True)
class Alternative:
    """A plan to try.

    Attributes:
        name: What stands over its column.
        changes: Texts ``a.b.c=value``.
        at: The swept setting's value, if one is swept.
    """

    name: str
    changes: tuple[str, ...]
    at: Decimal | None = None


def alternatives(texts: Sequence[str], as_of: str) -> tuple[Alternative, ...]:
    """All texts together are one alternative; one of them may be a sweep, a value for each.

    Args:
        texts: ``a.b.c=value``, or ``a.b.c=FIRST..LAST:STEP``.
        as_of: For what is said about a setting that may not be tried.

    Raises:
        ConfigError: A setting may not be tried, or a sweep has too many values, or none.
    """
    problems = [problem for text in texts for problem in _problems(text, as_of)]
    sweeps = [text for text in texts if SWEEP.fullmatch(_value(text))]
    if len(sweeps) > 1:
        problems.append(f"--what-if {sweeps[1]}: only one setting can be swept at a time")
    if problems:
        raise ConfigError(problems)
    if not sweeps:
        return (Alternative(WHAT_IF, tuple(texts)),)
    values = list(_values(sweeps[0]))
    return tuple(
        Alternative(f"{value:f}", tuple(_at(text, value) for text in texts), value)
        for value in values
    )


def swept(texts: Sequence[str]) -> str | None:
    """The setting that is swept, if one is."""
    return next((_key(text) for text in texts if SWEEP.fullmatch(_value(text))), None)


def candidates_key(config: RunConfig) -> str:
    """Two plans with the same key have the same candidates."""
    of_choice = OF_CHOICE
    if config.contact_policy.max_contacts_30d_by_channel:  # closed by what a campaign may add
        of_choice -= {"max_offers_per_customer"}
    campaign = set(CampaignSettings.model_fields) - of_choice
    rest = set(RunConfig.model_fields) - {"campaign"}
    return config.model_dump_json(include={"campaign": campaign, **dict.fromkeys(rest, True)})


def setting_of(config: RunConfig, text: str) -> str:
    """What a plan says of the setting that a text is about."""
    value: Any = config.model_dump(mode="json")
    for name in _key(text).split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "not set" if value is None else str(value)


def _problems(text: str, as_of: str) -> Iterator[str]:
    section = _key(text).partition(".")[0]
    if section in REFUSED:
        told = f"--what-if {text}: {section} cannot be tried: {REFUSED[section]}."
        run = f" Say xsell run --as-of {as_of} --set {text} in a copy of the home"
        yield told + run if REFUSED[section] == BEFORE else told.removesuffix(".")
    elif SWEEP.fullmatch(_value(text)):
        first, last, step = _bounds(text)
        if step <= 0 or not 1 <= (last - first) // step < MOST_STEPS:
            yield (
                f"--what-if {text}: a sweep FIRST..LAST:STEP rises from the first to the last"
                f" value in at least 2 and at most {MOST_STEPS} values"
            )


def _values(text: str) -> Iterator[Decimal]:
    value, last, step = _bounds(text)
    while value <= last:
        yield value
        value += step


def _bounds(text: str) -> tuple[Decimal, Decimal, Decimal]:
    found = SWEEP.fullmatch(_value(text))
    assert found is not None, "only a sweep has bounds"
    first, last, step = map(Decimal, found.groups())
    return first, last, step


def _at(text: str, value: Decimal) -> str:
    return f"{_key(text)}={value:f}" if SWEEP.fullmatch(_value(text)) else text


def _key(text: str) -> str:
    return text.partition("=")[0]


def _value(text: str) -> str:
    return text.partition("=")[2]
