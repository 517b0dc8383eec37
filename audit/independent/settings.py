"""What a run recorded of its configuration, as tables that rules can ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from audit.independent.errors import CannotCheck

Values = dict[str, Any]
Columns = tuple[str, list[Sequence[Any]]]
PURPOSES = ("marketing_internal", "marketing_partner", "profiling")


def recorded_settings(text: str) -> Values:
    """All sections of the configuration of a run, money to the cent.

    Args:
        text: JSON, as the run recorded it.

    Raises:
        CannotCheck: It is none.
    """
    try:
        values: Values = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise CannotCheck("the configuration that the run recorded is no JSON") from None
    return values


def settings_tables(values: Values) -> dict[str, Columns]:
    """The settings as tables: by name their columns and rows.

    Raises:
        CannotCheck: They lack what the rules of today ask for.
    """
    try:
        return _tables(values)
    except KeyError as error:
        raise CannotCheck(
            f"the configuration that the run recorded has no {error.args[0]}; check it with the"
            " code version that `xsell runs` tells for it"
        ) from None


def _tables(values: Values) -> dict[str, Columns]:
    policy, care, campaign = values["contact_policy"], values["care"], values["campaign"]
    law = values["jurisdiction"]["profiles"][values["jurisdiction"]["profile"]]
    products, offers = values["products"], values["offers"]
    return {
        "product": (
            "product_id varchar, kind varchar, partner varchar, fatigue_class varchar,"
            " upgrade_of varchar, held_twice boolean, min_age int, max_age int,"
            " min_income decimal(18, 2), min_balance decimal(18, 2)",
            [_product(name, one, law) for name, one in products.items()],
        ),
        "requires": ("product_id varchar, other varchar", _terms(products, "requires_any")),
        "excludes": ("product_id varchar, other varchar", _terms(products, "excludes")),
        "offer": (
            "offer_id varchar, product_id varchar, contact_cost decimal(18, 2), validity_days int,"
            " move varchar, event varchar, ends varchar, day_first int, day_last int,"
            " within_days int, at_least double, core varchar, price decimal(18, 2)",
            [_offer(name, one) for name, one in offers.items()],
        ),
        "part": (
            "offer_id varchar, product_id varchar, is_core boolean",
            [row for name, one in offers.items() for row in _parts(name, one)],
        ),
        "offer_channel": (
            "offer_id varchar, channel varchar",
            [(name, channel) for name, one in offers.items() for channel in one["channels"]],
        ),
        "law": (
            "purpose varchar, permission varchar",
            [(name, law[name]) for name in PURPOSES],
        ),
        "class_cap": (
            "fatigue_class varchar, most int",
            list(policy["max_contacts_90d_by_fatigue_class"].items()),
        ),
        "channel_cap": (
            "channel varchar, most int",
            list(policy["max_contacts_30d_by_channel"].items()),
        ),
        "cool_off": (
            "disposition varchar, days int", list(policy["cool_off_days_after"].items())
        ),
        "treatment": ("flag varchar, treatment varchar", list(care["treatments"].items())),
        "no_contact": ("flag varchar", [(flag,) for flag in care["no_contact"]]),
        "quota": (
            "of varchar, name varchar, most int",
            [
                (of, name, quota.get("max"))
                for of in ("product", "partner")
                for name, quota in (campaign.get(f"{of}_quotas") or {}).items()
            ],
        ),
        "branch_places": (
            "branch_id varchar, most int", list(campaign["branch_capacity_overrides"].items())
        ),
        "channel_minutes": (
            "channel varchar, minutes int", list((campaign.get("contact_minutes") or {}).items())
        ),
        "quiet": (
            "name varchar, first_day date, last_day date",
            [
                (name, one["first_day"], one["last_day"])
                for name, one in values["jurisdiction"]["quiet_periods"].items()
            ],
        ),
        "said": (
            ", ".join(f"{name} {kind}" for name, kind in SAID.items()),
            [tuple(_said(values).get(name) for name in SAID)],
        ),
    }  # fmt: skip


SAID = {
    "campaign_id": "varchar", "salt": "varchar", "control_share": "double",
    "global_holdout_share": "double", "max_offers_per_customer": "int",
    "max_offers_per_household": "int", "branch_capacity": "int", "branch_minutes": "int",
    "advisor_capacity": "int", "budget": "decimal(18, 2)", "max_offers": "int",
    "min_expected_profit": "decimal(18, 2)", "max_contacts_30d": "int",
    "max_household_contacts_30d": "int", "min_days_between_contacts": "int", "gap_days": "int",
    "base_currency": "varchar",
}  # fmt: skip


def _said(values: Values) -> Values:
    """Settings of which there is one each."""
    whole: Values = {}
    for section in ("campaign", "contact_policy", "time", "bank"):
        whole |= values[section]
    return whole


def _product(name: str, one: Values, law: Values) -> tuple[Any, ...]:
    rules, use = one.get("eligibility") or {}, law["highest_age"]
    may_ask = use == "always" or (use == "not_for_credit" and not one.get("is_credit"))
    return (
        name, one["kind"], one.get("partner"), one["fatigue_class"], one.get("upgrade_of"),
        bool(one.get("can_be_held_twice")), rules.get("min_age"),
        rules.get("max_age") if may_ask else None, rules.get("min_monthly_income"),
        rules.get("min_balance"),
    )  # fmt: skip


def _terms(products: Values, term: str) -> list[Sequence[Any]]:
    return [
        (name, other)
        for name, one in products.items()
        for other in (one.get("eligibility") or {}).get(term, ())
    ]


def _offer(name: str, one: Values) -> tuple[Any, ...]:
    trigger, bundle = one.get("trigger") or {}, one.get("bundle") or {}
    first, last = trigger.get("days_before") or (None, None)
    ends = trigger.get("of") or one["product"] if trigger.get("event") == "maturity" else None
    return (
        name, one["product"], one["contact_cost"], one["validity_days"], one.get("move"),
        trigger.get("event"), ends, first, last, trigger.get("within_days"),
        _at_least(trigger), bundle.get("core"), bundle.get("price"),
    )  # fmt: skip


def _at_least(trigger: Values) -> float | Decimal:
    """How many times the usual month a large credit has to be, unless something is said."""
    said: float | Decimal | None = trigger.get("at_least")
    return 2.0 if said is None else said


def _parts(name: str, one: Values) -> list[Sequence[Any]]:
    bundle = one.get("bundle")
    if not bundle:
        return [(name, one["product"], False)]
    return [(name, bundle["core"], True), *((name, part, False) for part in bundle["periphery"])]


def literal(value: object) -> str:
    """A value as SQL."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float | Decimal):
        return str(value).lower()
    if isinstance(value, date):
        return f"date '{value}'"
    return "'" + str(value).replace("'", "''") + "'"
