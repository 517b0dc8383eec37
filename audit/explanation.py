"""An explanation as text for a terminal; JSON and page show the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

Told = Mapping[str, Any]
WIDTH, INDENT = 110, "  "
LABEL = 22


def overview_lines(told: Told) -> Iterator[str]:
    """One client's decisions in short: what became of each offer, why, and what would change it.

    Args:
        told: As ``jobs.audit.explained.explained`` gives it.
    """
    yield from _campaign_lines(told)
    for offer in told["offers"]:
        yield ""
        yield f"{offer['offer_id']}: {offer['outcome'].replace('_', ' ')}, {_in_short(offer)}"
        yield from _labelled("", offer["counterfactual"]["words"])


def explanation_lines(told: Told) -> Iterator[str]:
    """Everything about one client's decisions.

    Args:
        told: As ``jobs.audit.explained.explained`` gives it.
    """
    yield from _campaign_lines(told)
    for offer in told["offers"]:
        yield ""
        yield from _offer_lines(offer)


def _campaign_lines(told: Told) -> Iterator[str]:
    campaign = told["campaign"]
    yield (
        f"Client {told['customer_id']}, branch {campaign['branch_id']}: campaign"
        f" {campaign['campaign_id']} as of {campaign['as_of']}, run {campaign['run_id'][:12]}"
    )
    yield (
        f"nothing known on or after {campaign['as_of']} was used; law: {campaign['jurisdiction']};"
        f" code {campaign['code_version']}"
    )
    if campaign["care_treatment"]:
        yield f"gets help instead of offers: {campaign['care_treatment']}"
    if campaign["in_global_holdout"]:
        yield "member of the global holdout: withheld from every campaign"


def _in_short(offer: Told) -> str:
    failed = [rule["rule"] for rule in offer["rules"] if not rule["has_passed"]]
    if failed:
        return f"stopped by {', '.join(failed)}"
    if offer["rank_in_branch"]:
        return f"rank {offer['rank_in_branch']} of its branch"
    return f"expected profit {offer['value']['expected_profit']:,}"


def _offer_lines(offer: Told) -> Iterator[str]:
    yield f"{offer['offer_id']}: {offer['outcome']}, that is, {offer['outcome_means']}"
    for name, text in _headed(offer):
        yield from _labelled(name, text)
    for rule in offer["rules"]:
        if not rule["has_passed"]:
            yield from _failed_rule(rule)
    passed = [rule for rule in offer["rules"] if rule["has_passed"]]
    yield from _labelled("passed", ", ".join(rule["rule"] for rule in passed) or "no rule")
    for one in offer["contributions"]:
        yield from _labelled("", _contribution(one), f"{one['log_odds']:+.3f} log-odds")
    yield from _labelled("otherwise", offer["counterfactual"]["words"])
    yield from _labelled("in the log", _log(offer["log"]))


def _headed(offer: Told) -> Iterator[tuple[str, str]]:
    if offer["channel"]:
        way = "contact" if offer["rank_in_branch"] else "would have been"
        yield way, f"contact by {offer['channel']}, consent {offer['consent_basis']}"
    if offer["event"]:
        yield "because of", f"{offer['event']} {offer['event_on'] or ''}".strip()
    for reason in offer["reasons"]:
        yield "the branch read", reason
    yield "worth", _worth(offer["value"])
    value = offer["value"]
    if value["model_name"]:
        yield "model", f"{value['model_name']} version {value['model_version']}"


def _worth(value: Told) -> str:
    if value["response"] is None:
        return "unknown: there is no score"
    lever = ""
    if value["lever_code"]:
        what = f"{value['lever_cost']} if {value['lever_cost_when']}"
        lever = f" - lever {value['lever_code']} ({what})"
    return (
        f"response {value['response']:.4%} ({value['response_basis'].replace('_', ' ')}) x margin"
        f" {value['margin']:,} - contact {value['contact_cost']:,}{lever}"
        f" = {value['expected_profit']:,}"
    )


def _failed_rule(rule: Told) -> Iterator[str]:
    again = f"; passes on {rule['passes_on']}" if rule["passes_on"] else ""
    told = f"{rule['rule']} (version {rule['version']}): {rule['says']}{again}"
    yield from _labelled("FAILED", told)
    for fact in rule["looked_at"]:
        known = f", known {fact['known_at']:%Y-%m-%d %H:%M}" if fact["known_at"] else ""
        yield from _labelled("", f"{fact['what']}: {fact['value']}{known}")


def _contribution(one: Told) -> str:
    value = f"{one['value']:.4g}" if isinstance(one["value"], float) else one["value"]
    return f"{one['feature']} = {'unknown' if value is None else value}: {one['means']}"


def _log(log: Told) -> str:
    if not log["is_as_sealed"]:
        return "NOT as it was sealed: ask xsell offers verify"
    return f"as it was sealed: entry {log['entry']:,}, leaf {log['leaf'][:16]}…"


def _labelled(label: str, text: str, lead: str = "") -> Iterator[str]:
    whole = f"{lead}: {text}" if lead else text
    first, *rest = wrap(whole, WIDTH - LABEL) or [""]
    yield f"{INDENT}{label.ljust(LABEL - len(INDENT))}{first}"
    yield from (f"{' ' * LABEL}{line}" for line in rest)
