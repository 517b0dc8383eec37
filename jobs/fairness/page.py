"""What the page of `xsell fairness` shows, as plain values: ratios, ways out, months, proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan, log
from typing import Any

from jobs.fairness.analysis import EARLIER, Fairness, Month
from jobs.fairness.words import (
    DASH,
    IN_WORDS,
    KINDS,
    NOT_TOLD,
    percent,
    plain_times,
    times,
)
from measurement.association import Estimate
from measurement.fairness import (
    ALIKE,
    EVERYBODY,
    OFFERS_SHARE,
    PAST_GATES,
    PROPENSITY,
    RATIO_FACTS,
    SELECTION,
    STOPPED,
    WITHIN_LIMITS,
    Fact,
)

Content = dict[str, Any]
Key = tuple[str, str, str, str, str]
LEAST, MOST = 0.25, 4.0  # of the axis of ratios; what lies beyond is drawn at its end
WIDE = 380
MONTH_WIDE, MONTH_HIGH = 520, 150
NOTHING: Content = {"text": "", "kind": "", "title": ""}
FEATURES = 8  # of a group, on the page


def page_content(found: Fairness) -> Content:
    """Everything the page shows; the same inputs give the same."""
    facts = {fact.key: fact for fact in found.facts}
    rule, settings = found.rule, found.config.fairness
    return {
        "as_of": str(found.record.as_of),
        "run_id": found.record.run_id,
        "stops": found.stops,
        "profile": found.config.jurisdiction.profile,
        "rule": _rule_in_words(found),
        "min_cell": settings.min_cell,
        "max_false_share": settings.max_false_share,
        "figures": sum(not isnan(fact.p_value) for fact in found.facts),
        "hidden": sum(not fact.is_told for fact in found.facts),
        "keys": [{"name": name, "words": IN_WORDS[name]} for name in RATIO_FACTS],
        "even": _x(1.0),
        "bound": _x(rule.min_ratio) if rule.stop else None,
        "min_ratio": rule.min_ratio,
        "wide": WIDE,
        "ratios": [_ratios(found, facts, name) for name in _attributes(found)],
        "ways": [_ways(found, facts, name) for name in _attributes(found)],
        "parts": [
            {
                "title": title,
                "tables": [_parts(found, facts, one, name) for one in _attributes(found)],
            }
            for name, title in (
                (SELECTION, "Share of clients offered"),
                (ALIKE, "Past every gate, at the same propensity"),
            )
        ],
        "outcomes": _outcomes(found),
        "months": [f"{month.as_of:%Y-%m}" for month in found.trend],
        "trend": [_trend(found, name) for name in _attributes(found)],
        "month_wide": MONTH_WIDE,
        "month_high": MONTH_HIGH,
        "proxies": _proxies(found),
        "proxy_auc": settings.proxies.min_auc,
        "proxy_gain": percent(settings.proxies.min_gain),
        "looked_at": found.looked_at,
        "relied_on": len(found.relied_on),
    }


def _attributes(found: Fairness) -> list[str]:
    """Those of which there is more than one group: one alone has no others beside it."""
    attributes = dict.fromkeys(fact.attribute for fact in found.facts)
    return [name for name in attributes if len(_groups(found, name)) > 1]


def _groups(found: Fairness, attribute: str) -> list[str]:
    """Everybody is none."""
    ours = (fact for fact in found.facts if fact.attribute == attribute)
    return list(dict.fromkeys(fact.group for fact in ours if fact.group != EVERYBODY))


def _rule_in_words(found: Fairness) -> str:
    rule = found.rule
    inputs = (
        "A model that reads a protected attribute stops."
        if rule.stop_on_protected_inputs
        else "What models read is reported only."
    )
    if not rule.stop:
        return f"Every rate is reported only. {inputs}"
    judged = "; ".join(
        f"{attribute.replace('_', ' ')} by “{IN_WORDS[name]}”"
        for attribute, name in rule.stop.items()
    )
    surely = (
        "surely, with the interval of all judged figures together," if rule.only_when_sure else ""
    )
    offers = ", ".join(KINDS[kind].lower() for kind in rule.of)
    return (
        f"Stops where a group’s ratio lies {surely} below {rule.min_ratio:.2f}: {judged}; of"
        f" {offers}. {inputs} Everything else is reported only."
    )


def _ratios(found: Fairness, facts: Mapping[Key, Fact], attribute: str) -> Content:
    """Of all offers together, four ratios of every group."""
    rows = []
    for group in _groups(found, attribute):
        ours = [facts[attribute, group, "all", "all", name] for name in RATIO_FACTS]
        rows.append(
            {
                "group": group,
                "marks": [_mark(fact, place) for place, fact in enumerate(ours)],
                "text": " · ".join(plain_times(fact) for fact in ours),
            }
        )
    return {"attribute": attribute.replace("_", " "), "rows": rows}


def _mark(fact: Fact, place: int) -> Content | None:
    if isnan(fact.ratio.value):
        return None
    return {
        "y": 7 + 10 * place,
        "x": _x(fact.ratio.value),
        "low": _x(fact.ratio.low),
        "high": _x(fact.ratio.high),
        "title": f"{IN_WORDS[fact.name]}: {times(fact.ratio)}",
        "name": fact.name,
    }


def _x(ratio: float) -> float:
    """Place on a scale of logarithms, where twice is as far from 1 as half."""
    held = min(max(ratio, LEAST), MOST)
    return round(WIDE * log(held / LEAST) / log(MOST / LEAST), 1)


def _ways(found: Fairness, facts: Mapping[Key, Fact], attribute: str) -> Content:
    """How far clients of each group come: what stops all offers, who passes, who is offered."""
    share = found.config.fairness.max_false_share
    stops = sorted(
        {fact.name for fact in found.facts if fact.name.startswith(STOPPED)} - {f"{STOPPED}trigger"}
    )
    names = [WITHIN_LIMITS, *stops, PAST_GATES, SELECTION]
    rows = [
        _way(facts, attribute, group, names, share)
        for group in (*_groups(found, attribute), EVERYBODY)
    ]
    head = [
        *(_column_in_words(name) for name in names),
        "Mean propensity",
        "Share of offers",
    ]
    return {"attribute": attribute.replace("_", " "), "head": head, "rows": rows}


def _column_in_words(name: str) -> str:
    fixed = {
        WITHIN_LIMITS: "Within age limits",
        PAST_GATES: "Past every gate",
        SELECTION: "Offered",
    }
    return fixed.get(name) or f"Stopped: {name.removeprefix(STOPPED).replace('_', ' ')}"


def _way(
    facts: Mapping[Key, Fact], attribute: str, group: str, names: Sequence[str], share: float
) -> Content:
    ours = [facts[attribute, group, "all", "all", name] for name in names]
    size = ours[-1].of
    cells = [_cell(fact, percent(fact.value.value), share) for fact in ours]
    for name in (PROPENSITY, OFFERS_SHARE):
        fact = facts.get((attribute, group, "all", "all", name))
        cells.append(_cell(fact, percent(fact.value.value), share) if fact else NOTHING)
    return {
        "group": group,
        "clients": NOT_TOLD if size is None else f"{size:,}",
        "cells": cells,
    }


def _cell(fact: Fact, text: str, share: float) -> Content:
    if not fact.is_told:
        return {"text": NOT_TOLD, "kind": "hidden", "title": ""}
    kind = ""
    if fact.is_sure(share):
        kind = "less" if _is_below(fact) else "more"
    title = "" if isnan(fact.ratio.value) else f"times the others: {times(fact.ratio)}"
    return {"text": text, "kind": kind, "title": title}


def _is_below(fact: Fact) -> bool:
    return fact.ratio.value < 1 or fact.gap.value < 0


def _parts(found: Fairness, facts: Mapping[Key, Fact], attribute: str, name: str) -> Content:
    """Ratios of one figure, offers by groups."""
    share = found.config.fairness.max_false_share
    groups = _groups(found, attribute)
    scopes = dict.fromkeys((fact.scope_kind, fact.scope) for fact in found.facts)
    rows = [
        {
            "kind": KINDS[kind],
            "name": "" if kind == scope else scope.replace("_", " "),
            "cells": [
                _cell(fact, plain_times(fact), share)
                for group in groups
                if (fact := facts[attribute, group, kind, scope, name])
            ],
        }
        for kind, scope in scopes
        if kind in KINDS
    ]
    return {"attribute": attribute.replace("_", " "), "groups": groups, "rows": rows}


def _outcomes(found: Fairness) -> list[Content]:
    """What became of earlier offers, as far as known."""
    share = found.config.fairness.max_false_share
    ours = [fact for fact in found.facts if fact.scope_kind == EARLIER]
    names = list(dict.fromkeys(fact.name for fact in ours))
    by_key = {(fact.attribute, fact.group, fact.name): fact for fact in ours}
    return [
        {
            "attribute": attribute.replace("_", " "),
            "head": [name.replace("_", " ").capitalize() for name in names],
            "rows": [
                {
                    "group": group,
                    "cells": [_outcome(by_key[attribute, group, name], share) for name in names],
                }
                for group in dict.fromkeys(f.group for f in ours if f.attribute == attribute)
            ],
        }
        for attribute in dict.fromkeys(fact.attribute for fact in ours)
    ]


def _outcome(fact: Fact, share: float) -> Content:
    text = percent(fact.value.value)
    if fact.count is not None:
        text = f"{text} ({fact.count:,} of {fact.of:,})"
    return _cell(fact, text, share)


def _trend(found: Fairness, attribute: str) -> Content:
    """Ratio of the share offered by month, a line per group."""
    groups = sorted(
        {f.group for m in found.trend for f in m.facts if f.attribute == attribute} - {EVERYBODY}
    )
    lines = [_line(found.trend, attribute, group, SELECTION) for group in groups]
    alike = {group: _line(found.trend, attribute, group, ALIKE) for group in groups}
    return {
        "attribute": attribute.replace("_", " "),
        "even": _y(1.0),
        "lines": [line for line in _apart(lines) if line["points"]],
        "rows": [
            {
                "group": line["group"],
                "cells": line["texts"],
                "alike": alike[line["group"]]["texts"],
            }
            for line in lines
        ],
    }


def _line(trend: Sequence[Month], attribute: str, group: str, name: str) -> Content:
    step = (MONTH_WIDE - 150) / max(1, len(trend) - 1)
    points, texts = [], []
    for place, month in enumerate(trend):
        ours = (f for f in month.facts if f.attribute == attribute and f.group == group)
        fact = next((f for f in ours if f.name == name), None)
        texts.append(plain_times(fact) if fact else DASH)
        if fact is not None and not isnan(fact.ratio.value):
            points.append(
                {
                    "x": round(8 + step * place, 1),
                    "y": _y(fact.ratio.value),
                    "low": _y(fact.ratio.low),
                    "high": _y(fact.ratio.high),
                }
            )
    return {
        "group": group,
        "points": points,
        "path": " ".join(f"{one['x']},{one['y']}" for one in points),
        "label": points[-1]["y"] if points else 0,
        "texts": texts,
    }


def _y(ratio: float) -> float:
    held = min(max(ratio, LEAST), MOST)
    return round(MONTH_HIGH * (1 - log(held / LEAST) / log(MOST / LEAST)), 1)


def _apart(lines: Sequence[Content]) -> Iterator[Content]:
    """Lines whose names do not cover each other."""
    last = float("-inf")
    for line in sorted(lines, key=lambda one: (one["label"], one["group"])):
        last = max(line["label"], last + 15)
        yield line | {"label": last}


def _proxies(found: Fairness) -> list[Content]:
    """By group what all features tell, and the best of them."""
    settings = found.config.fairness.proxies
    rows = []
    for bound in found.bounds:
        ours = [
            one
            for one in found.proxies
            if (one.attribute, one.group) == (bound.attribute, bound.group)
        ]
        rows.append(
            {
                "group": f"{bound.attribute.replace('_', ' ')} {bound.group}",
                "auc": _auc(bound.auc),
                "width": round(100 * max(0.0, 2 * bound.auc.value - 1), 1),
                "features": [
                    {
                        "name": one.feature,
                        "auc": _auc(one.auc),
                        "direction": "more" if one.is_higher else "less",
                        "association": f"{one.association:.2f}",
                        "gain": f"{percent(one.gain)} of {one.model}" if one.gain else DASH,
                        "is_relied_on": one.gain >= settings.min_gain,
                    }
                    for one in _shown_proxies(found, ours)
                ],
            }
        )
    return sorted(rows, key=lambda row: (-row["width"], row["group"]))


def _shown_proxies(found: Fairness, ours: Sequence[Any]) -> list[Any]:
    """The best few that are proxies at all, and every one that a model relies on."""
    least = found.config.fairness.proxies.min_auc
    best = [one for one in ours if one.auc.value >= least][:FEATURES]
    return best + [one for one in found.relied_on if one in ours and one not in best]


def _auc(one: Estimate) -> str:
    return DASH if isnan(one.value) else times(one)
