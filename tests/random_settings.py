"""Random configurations of a campaign, as the YAML of an environment."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import yaml

from conf.load import CONF

ENV = "drawn"
Values = dict[str, Any]
FLAGS = ("financial_difficulty", "vulnerable", "complaint_open", "fraud_watch", "bereavement")
CLASSES = ("everyday", "credit", "wealth", "protection")
# A bank of a few rows has no usual month, and profits fail seldom enough for other rules to show.
SMALL: Values = {
    "checks": {
        "max_quarantine_share": 0.5,
        "max_quarantine_share_by_rule": {"duplicate_key": 1.0, "orphan": 1.0, "future": 1.0},
        "trailing": {"max_unbalanced_share_critical": 1.0, "empty_from": 1000},
    },
    "bank": {"transaction_buckets": 1},
}
# Events of every kind, beside those of the base configuration.
OFFERS: Values = {
    "first_salary": {
        "product": "savings_account", "contact_cost": 2.0, "validity_days": 40,
        "talking_point_id": "TP-1", "trigger": {"event": "salary_start", "within_days": 45},
    },
    "moved_house": {
        "product": "home_insurance", "contact_cost": 2.0, "validity_days": 40,
        "talking_point_id": "TP-2", "trigger": {"event": "branch_changed", "within_days": 220},
    },
    "deposit_ends": {
        "product": "investment_fund", "contact_cost": 2.0, "validity_days": 40,
        "talking_point_id": "TP-3",
        "trigger": {"event": "maturity", "of": "term_deposit", "days_before": [20, 5]},
    },
}  # fmt: skip


class Tagged(dict[str, Any]):
    """A mapping that replaces the one of the base."""


class _Dumper(yaml.SafeDumper):
    """Writes `!replace` before such a mapping, and what is said twice twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    Tagged, lambda dumper, value: dumper.represent_mapping("!replace", dict(value))
)


def write_settings(folder: Path, values: Values) -> Path:
    """A configuration folder with these values as the environment ``ENV``."""
    (folder / ENV).mkdir(parents=True)
    (folder / "base").symlink_to(CONF / "base")
    text = yaml.dump(values, Dumper=_Dumper, sort_keys=True)
    (folder / ENV / f"{ENV}.yaml").write_text(text, encoding="utf-8")
    return folder


def wide_settings() -> Values:
    """Settings under which offers of nearly every kind are made, and every rule stops some."""
    chance = Random(1)
    return SMALL | {
        "campaign": {
            "campaign_id": "wide", "salt": "salt", "min_expected_profit": -2.0,
            "max_offers_per_customer": 3, "max_offers_per_household": 4, "branch_capacity": 300,
            "control_share": 0.1, "global_holdout_share": 0.05,
        },
        "contact_policy": {"max_contacts_30d": 4, "max_household_contacts_30d": 6},
        "offers": _offers(chance),
    }  # fmt: skip


def drawn_settings(seed: int) -> Values:
    """Limits, policy, care, law, rules and offers."""
    chance = Random(seed)
    profile = chance.choice(("eu_strict", "eu_strict", "us_opt_out"))
    return SMALL | {
        "campaign": _campaign(chance),
        "contact_policy": _policy(chance),
        "care": Tagged(_care(chance)),
        "jurisdiction": {"profile": profile, "quiet_periods": _quiet(chance)},
        "rules": _rules(chance),
        "time": {"gap_days": chance.choice((0, 7, 10))},
        "offers": _offers(chance),
        "products": {
            "personal_loan": {"eligibility": {"min_age": chance.choice((18, 21, 35))}},
            "credit_card": {"eligibility": {"min_balance": chance.choice((0.0, 1000.0))}},
            "pension_plan": {"can_be_held_twice": chance.random() < 0.5},
        },
    }


def _campaign(chance: Random) -> Values:
    values: Values = {
        "campaign_id": f"drawn-{chance.randrange(10**6)}",
        "max_offers_per_customer": chance.randrange(1, 4),
        "max_offers_per_household": chance.randrange(1, 5),
        "branch_capacity": chance.choice((10, 40, 300)),
        "branch_capacity_overrides": chance.choice(({}, {"B0": 0}, {"B1": 5})),
        "min_expected_profit": chance.choice((-2.0, 0.01)),
        "control_share": chance.choice((0.0, 0.1, 0.3)),
        "global_holdout_share": chance.choice((0.0, 0.1)),
        "salt": f"salt-{chance.randrange(10**6)}",
    }
    more: Values = {
        "product_quotas": {
            "credit_card": {"max": chance.randrange(8)},
            "mortgage": {"min": chance.randrange(3), "max": 12},
        },
        "partner_quotas": {"aurora_insurance": {"max": chance.randrange(12)}},
        "budget": float(chance.randrange(50, 800)),
        "max_offers": chance.randrange(10, 150),
        "advisor_capacity": chance.randrange(4, 40),
        "branch_minutes": chance.randrange(100, 1500),
    }
    values |= {name: more[name] for name in sorted(more) if chance.random() < 0.35}
    values["contact_minutes"] = {"branch": 30, "phone": 10, "email": 1}
    return values


def _policy(chance: Random) -> Values:
    return {
        "max_contacts_30d": chance.randrange(1, 5),
        "max_household_contacts_30d": chance.randrange(1, 6),
        "max_contacts_90d_by_fatigue_class": {name: chance.randrange(1, 4) for name in CLASSES},
        "cool_off_days_after": {
            "refused": chance.choice((30, 90, 180)),
            "sold": chance.choice((0, 30)),
            "unsuitable": 180,
            "no_answer": chance.choice((0, 10)),
        },
        "min_days_between_contacts": chance.choice((0, 7, 14)),
        "max_contacts_30d_by_channel": chance.choice(({}, {"email": 0}, {"phone": 3, "email": 3})),
    }


def _care(chance: Random) -> Values:
    flags = list(FLAGS)
    chance.shuffle(flags)
    count = chance.randrange(2, 5)
    treatments = {flag: f"help_with_{flag}" for flag in flags[:count]}
    words = {name: {"en": name} for name in ("name", "what_to_do", "contact")}
    return {
        "treatments": treatments,
        "no_contact": flags[count : count + 1],
        "why": {flag: {"en": flag} for flag in treatments},
        "instructions": {help: words | {"may_contact": False} for help in treatments.values()},
    }


def _quiet(chance: Random) -> Values:
    if chance.random() < 0.9:
        return {"summer": {"first_day": "2024-08-01", "last_day": "2024-08-31"}}
    return {"march": {"first_day": "2024-03-01", "last_day": "2024-03-31"}}


def _rules(chance: Random) -> Values:
    return {
        name: {"version": 1, "description": {"en": "Of the bank"}, "allow_when": condition,
               "applies_to": about}
        for name, condition, about in (
            ("not_there", "branch_id <> 'B2'", {"products": ["savings_account"]}),
            ("has_some", "balance_amount > 1000", {"partners": ["aurora_insurance"]}),
            ("earns", "income_amount_3m >= 2400 or balance_amount >= 2000", {}),
        )
        if chance.random() < 0.3
    }  # fmt: skip


def _offers(chance: Random) -> Values:
    ways = (["branch", "phone"], ["phone", "email", "branch"], ["email"], ["phone", "branch"])
    changed: Values = {
        name: {"channels": list(chance.choice(ways))}
        for name in ("savings_account_2026", "personal_loan_2026", "travel_package_2026",
                     "home_insurance_2026", "travel_insurance_renewal_2026")
    }  # fmt: skip
    added = {name: one | {"channels": list(chance.choice(ways))} for name, one in OFFERS.items()}
    return changed | added
