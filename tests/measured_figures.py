"""Figures of measured campaigns, made up: a year of a bank, and whatever is at its edges."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from math import erf, sqrt

import numpy as np
import pyarrow as pa

from jobs.measurement.pages.found import ALL, CONTROL, HOLDOUT, MEASURED, Findings, Part
from measurement.offers import Campaign
from tables.arrow import arrow_schema
from tables.derived import CAMPAIGN_RESULTS

AS_OF = date(2026, 11, 1)
PRODUCTS = [
    "savings_account", "term_deposit", "credit_card", "gold_card", "personal_loan", "mortgage",
    "home_insurance", "travel_insurance", "pension_plan", "investment_fund", "car_leasing",
    "current_account_plus_with_a_very_long_name_that_somebody_thought_of",
]  # fmt: skip
PARTS = {
    "product": PRODUCTS,
    "combination": [f"{one} → {other}" for one, other in pairwise(PRODUCTS)],
    "move": ["cross_sell", "up_sell", "bundle", "renewal", "partner"],
    "channel": ["branch", "phone", "email", "app"],
    "business_line": ["cards", "deposits", "insurance", "lending"],
    "partner": ["none", "P01", "P02"],
    "lever": ["none", "DISCOUNT10", "BONUS50"],
    "segment": ["young", "family", "affluent", "senior", "none"],
    "exploration": ["by chance", "by worth"],
    "branch": [f"B{place:03d}" for place in range(40)],
    "advisor": [f"A{place:04d}" for place in range(60)],
}
SHARES = ("response", "opt_out", "complaint")
MEASURES = (
    "response", "revenue", "cost", "profit", "other_profit", "later_profit", "total_profit",
    *SHARES[1:],
)  # fmt: skip
STATES = (
    "too_few", "no_control", "not_randomised", "not_matured", "before_contact", "no_outcome",
)  # fmt: skip


def campaign(number: int, *, share: float = 0.1, is_matured: bool = True) -> Campaign:
    """The campaign of a month of 2025 and 2026, from December on."""
    as_of = date(2025 + (number + 11) // 12, (number + 11) % 12 + 1, 1)
    later = date(as_of.year + (as_of.month + 1) // 12, (as_of.month + 1) % 12 + 1, 1)
    return Campaign(
        run_id=f"{number:02d}" + "c" * 62,
        campaign_id=f"{as_of:%Y-%m}",
        as_of=as_of,
        control_share=share,
        opens=as_of.replace(day=6),
        ends=later,
        is_matured=is_matured,
        has_deliveries=True,
    )


def result(
    one: Campaign | None, against: str, cut: str, value: str, measure: str, **told: object
) -> dict[str, object]:
    """A row of campaign_results; what is not told is empty."""
    row = dict.fromkeys(arrow_schema(CAMPAIGN_RESULTS).names)
    row |= {
        "as_of": AS_OF,
        "run_id": "f" * 64,
        "campaign": one.run_id if one else ALL,
        "campaign_id": one.campaign_id if one else None,
        "campaign_as_of": one.as_of if one else None,
        "against": against,
        "cut": cut,
        "value": value,
        "measure": measure,
        "state": MEASURED,
        "treated": 0,
        "control": 0,
        "is_sure": False,
    }
    return row | told


def effect(treated: int, control: int, means: tuple[float, float], error: float) -> dict:
    """Columns of a measured row."""
    change = means[0] - means[1]
    low, high = change - 1.96 * error, change + 1.96 * error
    p_value = 1 - erf(abs(change) / error / sqrt(2))
    return {
        "treated": treated,
        "control": control,
        "treated_mean": means[0],
        "control_mean": means[1],
        "effect": change,
        "effect_low": low,
        "effect_high": high,
        "total": treated * change,
        "total_low": treated * low,
        "total_high": treated * high,
        "p_value": p_value,
        "q_value": min(1.0, 3 * p_value),
        "is_sure": 3 * p_value <= 0.05,
        "detectable": 2.8 * error,
        "method": "Newcombe's interval, CUPED on propensity: 12 % of the variance less",
    }


def results(rows: list[dict[str, object]]) -> pa.Table:
    """Rows shaped ``CAMPAIGN_RESULTS``."""
    return pa.Table.from_pylist(rows, schema=arrow_schema(CAMPAIGN_RESULTS))


@cache
def year(scale: float = 1.0, sign: float = 1.0, branches: int = 40) -> Findings:
    """Twelve campaigns with every state among them.

    Args:
        scale: Of all money.
        sign: −1: all campaigns lose.
        branches: So many.
    """
    rng = np.random.default_rng(8)
    campaigns = tuple(campaign(number, is_matured=number < 11) for number in range(12))
    rows = []
    for number, one in enumerate(campaigns):
        state = STATES[number - 1] if 0 < number <= 5 and number != 1 else MEASURED
        state = "not_matured" if number == 11 else state
        rows += _of_campaign(rng, one, state, 9_000, (scale, sign), branches)
    rows += _of_campaign(rng, None, MEASURED, 70_000, (scale, sign), branches)
    for measure in ("revenue", "cost", "profit", "opt_out", "complaint"):
        means, error = _figures(rng, measure, 9_500, scale, sign)
        told = effect(180_000, 9_500, means, error)
        rows.append(result(None, HOLDOUT, ALL, ALL, measure, **told))
    return Findings(
        as_of=AS_OF,
        run_id="f" * 64,
        currency="EUR",
        max_false_share=0.05,
        campaigns=campaigns,
        results=results(rows),
        credit=credit(rng, branches),
        clients=clients(),
        models=models(rng),
        contacts={one.run_id: 7_000 + 13 * place for place, one in enumerate(campaigns)},
        names={"credit_card": "Credit card", "P01": "Insurer <North> & Sons"},
    )


def nothing() -> Findings:
    """No campaign at all."""
    return Findings(
        as_of=AS_OF,
        run_id="f" * 64,
        currency="EUR",
        max_false_share=0.05,
        campaigns=(),
        results=results([]),
        missing={"models": "no month of scores has an outcome window that is over"},
    )


def three_contacts() -> Findings:
    """One campaign that reached three clients."""
    one = campaign(9)
    rows = [
        result(one, CONTROL, cut, ALL if cut == ALL else "x", measure, state="too_few", treated=3)
        for cut in (ALL, *PARTS)
        for measure in MEASURES
    ]
    return Findings(
        as_of=AS_OF,
        run_id="f" * 64,
        currency="EUR",
        max_false_share=0.05,
        campaigns=(one,),
        results=results(rows),
        contacts={one.run_id: 3},
    )


def _of_campaign(rng, one, state, size, money, branches):
    rows = []
    parts = PARTS | {"branch": PARTS["branch"][:branches]}
    for cut, values in ({ALL: [ALL]} | parts).items():
        for place, value in enumerate(values):
            treated = max(1, int(size / len(values) * rng.uniform(0.3, 1.7)))
            if cut == ALL:
                treated = size
            control = int(treated * 0.11)
            own = state if state != MEASURED or control >= 30 else "too_few"
            if cut == "product" and place == 9 and own == MEASURED:
                own = "no_outcome"
            for measure in MEASURES:
                told = {"state": own, "treated": treated, "control": control}
                if own == MEASURED:
                    means, error = _figures(rng, measure, control, *money)
                    told = effect(treated, control, means, error)
                elif own in ("no_control", "not_randomised", "before_contact"):
                    (mean, base), _ = _figures(rng, measure, control + 1, *money)
                    told |= {"treated_mean": mean, "control_mean": base}
                rows.append(result(one, CONTROL, cut, value, measure, **told))
    return rows


def _figures(rng, measure, control, scale, sign):
    base = {"response": 0.03, "opt_out": 0.004, "complaint": 0.001}.get(measure, 4.0 * scale)
    spread = {"response": 0.17, "opt_out": 0.06, "complaint": 0.03}.get(measure, 40.0 * scale)
    if measure == "cost":
        base, spread = 0.0, 1.2 * scale
    change = {"other_profit": -0.1, "later_profit": -0.05, "cost": 0}.get(measure, 0.5) * base
    change = 1.4 * scale if measure == "cost" else sign * change
    error = spread / sqrt(max(control, 1))
    drawn = change + error * float(rng.normal())
    return (base + drawn, base), error


def credit(rng, branches):
    """Goals and assists of branches, a partner's desk and advisors; checks, two of them flagged."""
    rows = [("branch", f"B{place:03d}", None) for place in range(branches)]
    rows += [("partner", "P01", None)]
    rows += [("advisor", f"A{place:04d}", f"B{place % branches:03d}") for place in range(60)]
    table = [
        {
            "level": level,
            "name": name,
            "branch_id": branch,
            "offers": 200,
            "contacted": 150,
            "share_contacted": 0.75,
            "contacts": 170,
            "sales": 9,
            "goals": round(float(rng.uniform(2, 30)), 1),
            "assists": round(float(rng.uniform(0, 9)), 1),
            "goal_revenue": Decimal("1234.50"),
            "assist_revenue": Decimal("99.10"),
            "cancelled": 1,
            "without_contact": 2,
            "before_contact": 0,
        }
        for level, name, branch in rows
    ]
    checks = [
        {
            "check": "no_contact",
            "level": "branch",
            "name": f"B{place:03d}",
            "count": 9,
            "of": 20,
            "expected": 3.1,
            "p_value": 0.0004,
            "q_value": 0.01,
            "is_flagged": place < 2,
            "sentence": f"branch B{place:03d}: 9 of 20 sales have no contact on record; 3.1 would"
            " be usual of others with the same offers. Were contacts left out of the records?"
            if place < 2
            else None,
        }
        for place in range(8)
    ]
    return Part(
        ("812 sales after a contact are credited: 655.5 as goals to who closed them, 156.5 as"
         " assists to who referred the client.",),
        {"credit": pa.Table.from_pylist(table), "credit_checks": pa.Table.from_pylist(checks)},
    )  # fmt: skip


def clients():
    """Contacts, reactions, the fatigue curve; some groups too small to be told."""
    per_client = [(str(n), c) for n, c in enumerate((61_000, 21_000, 9_000, 2_100, 310, None))]
    kinds = [("all", "all"), *(("channel", one) for one in PARTS["channel"])]
    kinds += [("product", one) for one in PRODUCTS]
    reactions = [
        _rate(kind, name, measure, 0.02 + 0.004 * place, is_told=place != 3)
        for measure in ("refusal", "objection", "complaint")
        for place, (kind, name) in enumerate(kinds)
    ]
    fatigue = [
        _rate("contacts_before", name, measure, 0.03 + 0.01 * place, is_told=True)
        for measure in ("interest", "sale", "refusal", "objection", "complaint")
        for place, name in enumerate(("0", "1", "2", "3", "4", "5 or more"))
    ]
    policy = [
        {"rule": rule, "in_words": words, "branch": "all", "contacts": 84_000, "not_allowed": count}
        for rule, words, count in (
            ("contact_cap", "the client had as many contacts in 30 days as allowed", 0),
            ("in_care", "the client was in care on that day, as is known by now", 12),
        )
    ]
    care = [
        {"kind": "flag", "name": "all", "clients": 1_210, "of": 93_500},
        {"kind": "flag", "name": "complaint_open", "clients": None, "of": 93_500},
        {"kind": "treatment", "name": "2026-10-01: all", "clients": 1_190, "of": 1_190},
        {"kind": "treatment", "name": "2026-10-01: fee_relief", "clients": 300, "of": 1_190},
    ]
    value = [
        _worth("kept", "all", 900, None, (810, 900)),
        _worth("package", "STARTER", 120, Decimal("5760.00"), (None, None)),
        _worth("lever", "BONUS50", None, None, (None, None)),
        _worth("used", "all", 200, None, (150, 200), (0.75, 0.68, 0.81)),
        _worth("used", "savings_account", 200, None, (150, 200), (0.75, 0.68, 0.81)),
        _worth("used_without_offer", "all", 40, None, (33, 40), (0.825, 0.67, 0.92)),
        _worth("used_without_offer", "savings_account", None, None, (None, None)),
        _worth("used_by_holding", "mortgage", 90, None, (None, None)),
        _worth("use_not_seen", "travel_insurance", 410, None, (None, None)),
    ]
    return Part(
        ("84,000 contacts were made with 32,410 clients; 21 of 1,000 were refused.",),
        {
            "contacts_per_client": pa.Table.from_pylist(
                [
                    {"kind": "contacts", "name": name, "clients": count, "of": 93_500}
                    for name, count in per_client
                ]
            ),
            "reactions": pa.Table.from_pylist(reactions),
            "fatigue": pa.Table.from_pylist(fatigue),
            "contact_policy": pa.Table.from_pylist(policy),
            "care": pa.Table.from_pylist(care),
            "client_value": pa.Table.from_pylist(value),
        },
    )


def _worth(kind, name, clients, amount, held, share=(None, None, None)):
    return {"kind": kind, "name": name, "clients": clients, "amount": amount,
            "count": held[0], "of": held[1],
            "share": share[0], "share_low": share[1], "share_high": share[2]}  # fmt: skip


def _rate(kind, name, measure, share, *, is_told):
    ends = {"per_1000": 1000 * share, "per_1000_low": 800 * share, "per_1000_high": 1300 * share}
    if kind == "contacts_before":
        ratio = share / 0.03
        alike = (ratio, 0.7 * ratio, 1.4 * ratio) if name != "0" else (None, None, None)
        ends |= {
            f"ratio_alike{end}": value
            for end, value in zip(("", "_low", "_high"), alike, strict=True)
        }
    return {
        "kind": kind,
        "name": name,
        "measure": measure,
        "contacts": 4_200 if is_told else None,
        **(ends if is_told else dict.fromkeys(ends)),
    }


def models(rng):
    """Six months of twelve models: one to be trained anew, one to be watched."""
    months = [date(2026, month, 1) for month in range(3, 9)]
    outcomes, bins, drift, scores = [], [], [], []
    for place, product in enumerate(PRODUCTS):
        off = 1.6 if place == 2 else 1.0
        for month in months:
            told = place != 5
            ends = (off, 0.8 * off, 1.25 * off) if told else (None, None, None)
            outcomes.append(
                {"product_id": product, "cohort": month, "state": MEASURED if told else "too_few",
                 "ratio": ends[0], "ratio_low": ends[1], "ratio_high": ends[2], "buyers": 70}
            )  # fmt: skip
            expected = 0.3 * 0.55 ** np.arange(10) * rng.uniform(0.8, 1.2)
            bins += [
                {"product_id": product, "cohort": month, "expected": float(one),
                 "observed": float(one * off), "observed_low": float(0.7 * one * off),
                 "observed_high": float(1.4 * one * off)}
                for one in expected if told
            ]  # fmt: skip
            scores.append(
                {"product_id": product, "cohort": month, "psi": 0.03, "psi_low": 0.02,
                 "psi_high": 0.05, "mean": 0.021, "mean_at_test": 0.019}
            )  # fmt: skip
    for place in range(30):
        drift.append(
            {"cohort": months[-1], "feature": f"spending_amount_{place}_in_foreign_currency_12m",
             "psi": 0.4 / (place + 1), "psi_low": 0.1, "psi_high": 0.5,
             "change": "more have none: 12 % now, 3 % then", "largest_gain": 0.12,
             "of_product": "credit_card"}
        )  # fmt: skip
    out = "2026-06-01 2026-07-01 2026-08-01"
    alarms = [
        {"rule": "calibration", "product_id": "credit_card", "feature": "", "is_alarm": True,
         "months_out": out, "since": months[3]},
        {"rule": "feature_drift", "product_id": "mortgage", "feature": "salary_amount_3m",
         "is_alarm": False, "months_out": "2026-08-01", "since": months[5]},
    ]  # fmt: skip
    reasons = "In 2026-06, 2026-07 and 2026-08 1.60 [1.28, 2.00] times as many bought as expected."
    verdicts = [
        {"product_id": "all", "verdict": "retrain", "reasons": "1 of 12 models: credit_card."},
        *(
            {"product_id": one,
             "verdict": {2: "retrain", 5: "cannot be told"}.get(place, "nothing to do"),
             "reasons": {2: reasons, 5: "Too few bought it in every month."}.get(place, "")}
            for place, one in enumerate(PRODUCTS)
        ),
    ]  # fmt: skip
    tables = {
        "model_outcomes": outcomes,
        "reliability": bins,
        "score_drift": scores,
        "feature_drift": drift,
        "alarms": alarms,
        "model_verdicts": verdicts,
    }
    headlines = (
        "all: retrain. 1 of 12 models: credit_card.",
        f"credit_card: retrain. {reasons}",
        "Scores of 2026-02 are not there any more.",
    )
    return Part(headlines, {name: pa.Table.from_pylist(rows) for name, rows in tables.items()})
