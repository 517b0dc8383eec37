"""The answer first: what campaigns earned, in a few big figures and sentences."""

from __future__ import annotations

from typing import Any

from jobs.measurement.pages.found import ALL, CONTROL, HOLDOUT, MEASURED, Findings
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    PERCENT,
    Row,
    between,
    effect_in_words,
    interval,
    money,
    number,
    numbers,
    scaled,
    several,
    state_in_words,
    sureness,
    unit_of,
)

Content = dict[str, Any]
FILE = "campaign_results.csv"


def figures(found: Findings, results: Results, campaign: str) -> list[Content]:
    """The answer in a few big figures: profit, response, contacts, and, of a year, the holdout."""
    told = [_profit(found, results, campaign), _response(results, campaign)]
    told.append(_contacts(found, results, campaign))
    if campaign == ALL:
        told.append(_against_holdout(found, results))
    told.append(_cost_of_knowing(found, results, campaign))
    return [one for one in told if one]


def _profit(found: Findings, results: Results, campaign: str) -> Content:
    row = results.whole("profit", campaign)
    if row is None or row["state"] != MEASURED:
        return _unknown("Profit caused", row)
    is_sure = row["is_sure"]
    loss = row["total"] < 0
    verdict = (
        f"That it {'cost' if loss else 'earned'} money is sure."
        if is_sure
        else "It could also be nothing: that is not sure."
    )
    return {
        "title": "Profit caused",
        "figure": number(row["total"], money(found.currency), signed=True),
        "tone": ("bad" if loss else "good") if is_sure else "unsure",
        "text": (
            f"{_who(found, results, campaign)} caused"
            f" {between([row['total_low'], row['total_high']], money(found.currency))},"
            f" after contacts and levers. {verdict}"
        ),
        "file": FILE,
    }


def _who(found: Findings, results: Results, campaign: str) -> str:
    """Those of which the figure tells: not of all, where some could not be measured."""
    if campaign != ALL:
        return "This campaign"
    rows = [results.whole("profit", one.run_id) for one in found.campaigns]
    if all(row is not None and row["state"] == MEASURED for row in rows):
        return "These campaigns"
    return "What could be measured of them"


def _response(results: Results, campaign: str) -> Content:
    row = results.whole("response", campaign)
    if row is None or row["treated_mean"] is None:
        return _unknown("Response", row)
    shares = [100 * row[name] for name in ("treated_mean", "control_mean")]
    offered, withheld = (f"{share}{PERCENT}" for share in numbers(shares)[0])
    if row["state"] != MEASURED:
        return {
            "title": "Response",
            "figure": offered,
            "tone": "unsure",
            "text": (
                f"of clients offered bought it; beside, {withheld} of those not offered. What was"
                f" caused is not known: {state_in_words(row['state'])}."
            ),
            "file": FILE,
        }
    unit = unit_of("response", "")
    return {
        "title": "Response",
        "figure": f"{offered} against {withheld}",
        "tone": _tone(row),
        "text": (
            f"of {row['treated']:,} clients offered, and of {row['control']:,} withheld by chance,"
            f" bought it: {effect_in_words(row, unit)}, {sureness(row, unit)}."
        ),
        "file": FILE,
    }


def _tone(row: Row) -> str:
    if not row["is_sure"]:
        return "unsure"
    return "good" if row["effect"] > 0 else "bad"


def _contacts(found: Findings, results: Results, campaign: str) -> Content:
    runs = [one.run_id for one in found.campaigns if campaign in (ALL, one.run_id)]
    if not any(run in found.contacts for run in runs):
        return {}
    made = sum(found.contacts.get(run, 0) for run in runs)
    rows = [row for run in runs if (row := results.whole("response", run))]
    offered = several(sum(row["treated"] for row in rows), "client")
    once = ", each counted once in each campaign" if len(rows) > 1 else ""
    return {
        "title": "Contacts made",
        "figure": f"{made:,}",
        "tone": "plain",
        "text": f"about offers to {offered}{once}. {_spent(found, results, campaign)}".strip(),
        "file": FILE,
    }


def _spent(found: Findings, results: Results, campaign: str) -> str:
    cost, worth = results.whole("cost", campaign), money(found.currency)
    if cost is None or cost["treated_mean"] is None:
        return ""
    each = cost["treated_mean"]
    where = " where it could be measured" if campaign == ALL else ""
    return (
        f"With levers they cost {number(each * cost['treated'], worth)}{where}:"
        f" {number(each, worth)} per client offered."
    )


def _against_holdout(found: Findings, results: Results) -> Content:
    row = results.whole("profit", ALL, HOLDOUT)
    if row is None or row["state"] != MEASURED:
        return _unknown("Against clients never contacted", row)
    worth = money(found.currency)
    return {
        "title": "Against clients never contacted",
        "figure": number(row["total"], worth, signed=True),
        "tone": _tone(row),
        "text": (
            f"All {row['treated']:,} clients who may be contacted beside {row['control']:,} of the"
            f" perpetual holdout: {between([row['total_low'], row['total_high']], worth)},"
            f" {interval(scaled(row, 'effect', 1), worth)} per client;"
            f" {sureness(row, unit_of('profit', found.currency))}."
        ),
        "file": FILE,
    }


def _cost_of_knowing(found: Findings, results: Results, campaign: str) -> Content:
    """Profit that was forgone with those who were withheld: effect × their number."""
    told = []
    for against, who in ((CONTROL, "control"), (HOLDOUT, "holdout")):
        row = results.whole("profit", campaign, against)
        if row is not None and row["state"] == MEASURED:
            ends = [
                None if end is None else end * row["control"] for end in scaled(row, "effect", 1)
            ]
            told.append(
                f"{who} ({row['control']:,} clients) {interval(ends, money(found.currency))}"
            )
    if not told:
        return {}
    return {
        "title": "What it costs to know",
        "figure": "",
        "tone": "plain",
        "text": (
            f"Profit forgone with clients who were withheld by chance: {'; '.join(told)}; below"
            " zero it was saved. Without them nobody could say what campaigns cause."
        ),
        "file": FILE,
    }


def _unknown(title: str, row: Row | None) -> Content:
    why = "nothing was computed" if row is None else state_in_words(row["state"])
    return {
        "title": title,
        "figure": "not known",
        "tone": "unsure",
        "text": f"{why[0].upper()}{why[1:]}.",
        "file": "",
    }
