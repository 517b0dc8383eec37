"""What `xsell fairness` prints and writes: lines, a page, and every figure as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path

import pyarrow as pa

from campaigns.csv_file import write_csv
from jobs.fairness.analysis import Fairness
from jobs.fairness.page import Key, page_content
from jobs.fairness.words import (
    IN_WORDS,
    group_in_words,
    offers_in_words,
    percent,
    plain_times,
    stopping_in_words,
    times,
)
from jobs.reports import page_text
from measurement.association import Estimate
from measurement.fairness import EVERYBODY, RATIO_FACTS, SELECTION, Fact
from measurement.proxies import Proxy, UpperBound
from tables.files import FILE_MODE, make_folder, write_file

TEMPLATE = "fairness.html.j2"
DIGITS = 6
PARTS = ("all", "credit", "lever", "line", "move", "product")


def fairness_lines(found: Fairness, top: int) -> list[str]:
    """What a compliance reviewer reads first: what stops, who is offered less, what tells a group.

    Args:
        found: What was measured.
        top: Lines of each kind.
    """
    return [
        *headlines(found),
        "",
        *_limited(_table(_HEADER, _less_rows(found)), top, "fairness.csv"),
        "",
        *_limited(_table(_PARTS_HEADER, _parts_rows(found)), top, "fairness.csv"),
        "",
        *_limited(_table(_PROXY_HEADER, _proxy_rows(found.relied_on)), top, "fairness_proxies.csv"),
        *_bounds(found),
    ]


def headlines(found: Fairness) -> list[str]:
    """What it is about, what stops, and whether a model reads what it must not."""
    profile = found.config.jurisdiction.profile
    return [
        f"Fairness of the campaign of {found.record.as_of}: {found.clients:,} active clients,"
        f" {found.offers:,} offers; jurisdiction profile {profile}",
        *_verdict(found),
        *_inputs(found),
    ]


def write_fairness(folder: Path, found: Fairness) -> dict[str, Path]:
    """Write page and figures; each is named by what it is."""
    make_folder(folder)
    paths = {
        "Page": folder / "fairness.html",
        "Figures": folder / "fairness.csv",
        "Proxies": folder / "fairness_proxies.csv",
    }
    content = page_content(found) | {"headlines": headlines(found)}
    write_file(paths["Page"], page_text(content, TEMPLATE).encode())
    for name, rows in (("Figures", figures(found)), ("Proxies", proxy_figures(found))):
        write_csv(paths[name], rows)
        paths[name].chmod(FILE_MODE)
    return paths


def figures(found: Fairness) -> pa.Table:
    """Every fact as a row, those of earlier campaigns first; what is not told is empty."""
    share = found.config.fairness.max_false_share
    judged = {one.fact.key: one.stops for one in found.judged}
    rows = [
        _row(fact, str(month.as_of), share, {})
        for month in found.trend[:-1]
        for fact in month.facts
    ]
    rows += [_row(fact, str(found.record.as_of), share, judged) for fact in found.facts]
    return pa.Table.from_pylist(rows)


def proxy_figures(found: Fairness) -> pa.Table:
    """Every feature × group, and all features together."""
    rows = [
        {
            "attribute": one.attribute,
            "group": one.group,
            "feature": one.feature,
            **_ends("auc", one.auc),
            "is_higher": one.is_higher,
            "cramers_v": round(one.association, DIGITS),
            "largest_gain": round(one.gain, DIGITS),
            "model": one.model or None,
        }
        for one in found.proxies
    ]
    rows += [
        {
            "attribute": one.attribute,
            "group": one.group,
            "feature": "all features together",
            **_ends("auc", one.auc),
        }
        for one in found.bounds
    ]
    return pa.Table.from_pylist(rows)


_HEADER = (
    "surely offered less",
    "offered",
    "others",
    "ratio",
    "within age limits",
    "past the gates",
    "alike",
)
_PARTS_HEADER = ("surely offered less of", "figure", "ratio")
_PROXY_HEADER = ("proxy that a model relies on", "of", "AUC", "gain", "model")


def _verdict(found: Fairness) -> Iterator[str]:
    rule = found.rule
    for one in found.stopping:
        yield f"STOPS: {stopping_in_words(one, rule.min_ratio)}"
    if found.stopping:
        return
    if not rule.stop:
        yield "Rates are reported only: the profile bounds none of them"
        return
    surely = "surely " if rule.only_when_sure else ""
    yield (
        f"Nothing stops: of {len(found.judged)} figures that the profile bounds none is"
        f" {surely}below {rule.min_ratio:.2f} times that of the others"
    )


def _inputs(found: Fairness) -> Iterator[str]:
    if not found.models:
        yield "Models: none scored this campaign's clients"
        return
    word = "STOPS" if found.rule.stop_on_protected_inputs else "Reported"
    for model, feature, why in found.forbidden:
        yield f"{word}: {model} reads {feature}, which {why}"
    if not found.forbidden:
        read = {feature for model in found.models for feature in model.features}
        named = ", ".join(
            name.replace("_", " ") for name in found.config.models.fairness.attributes
        )
        yield (
            f"Models: {len(found.models)} read {len(read)} features, none of them made of {named},"
            " and all of them permitted by the catalogue"
        )


def _less_rows(found: Fairness) -> list[tuple[str, ...]]:
    """Groups that surely have an offer less often, all offers together, the least first."""
    share = found.config.fairness.max_false_share
    by_group = {
        (fact.name, fact.attribute, fact.group): fact
        for name in RATIO_FACTS
        for fact in found.find(name)
    }
    less = [fact for fact in found.find(SELECTION) if is_less(fact, share)]
    return [
        (
            group_in_words(fact),
            percent(fact.value.value),
            percent(fact.rest),
            times(fact.ratio),
            *(plain_times(by_group[name, fact.attribute, fact.group]) for name in RATIO_FACTS[1:]),
        )
        for fact in sorted(less, key=lambda one: (one.ratio.value, one.key))
    ]


def _parts_rows(found: Fairness) -> list[tuple[str, ...]]:
    """The same of credit, levers, lines, moves and products, among clients alike."""
    share = found.config.fairness.max_false_share
    less = [
        fact
        for kind in PARTS
        for fact in found.find("selection_alike", kind)
        if is_less(fact, share)
    ]
    return [
        (f"{offers_in_words(fact)}: {group_in_words(fact)}", IN_WORDS[fact.name], times(fact.ratio))
        for fact in sorted(less, key=lambda one: (PARTS.index(one.scope_kind), one.key))
    ]


def is_less(fact: Fact, max_false_share: float) -> bool:
    """A group of whom it is surely less often so."""
    is_below = not isnan(fact.ratio.value) and fact.ratio.value < 1
    return fact.group != EVERYBODY and fact.is_sure(max_false_share) and is_below


def _proxy_rows(relied_on: Sequence[Proxy]) -> list[tuple[str, ...]]:
    return [
        (
            one.feature,
            f"{one.attribute.replace('_', ' ')} {one.group}",
            times(one.auc),
            percent(one.gain),
            one.model,
        )
        for one in relied_on
    ]


def _bounds(found: Fairness) -> Iterator[str]:
    """How much all features together tell of each attribute's best told group."""
    best: dict[str, UpperBound] = {}
    for one in found.bounds:
        if one.attribute not in best or one.auc.value > best[one.attribute].auc.value:
            best[one.attribute] = one
    told = (
        f"{one.attribute.replace('_', ' ')} {one.group} {one.auc.value:.2f}"
        for one in best.values()
    )
    yield f"All features together tell (AUC): {', '.join(told)}; 0.50 tells nothing"


def _row(
    fact: Fact, as_of: str, max_false_share: float, judged: Mapping[Key, bool]
) -> dict[str, object]:
    stops = judged.get(fact.key)
    return {
        "as_of": as_of,
        "attribute": fact.attribute,
        "group": fact.group,
        "offers": fact.scope_kind,
        "of": fact.scope,
        "figure": fact.name,
        "is_told": fact.is_told,
        "count": fact.count,
        "among": fact.of,
        **_ends("value", fact.value),
        "others": _number(fact.rest),
        **_ends("difference", fact.gap),
        **_ends("ratio", fact.ratio),
        "p_value": _number(fact.p_value),
        "q_value": _number(fact.q_value),
        "is_sure": fact.is_sure(max_false_share) if not isnan(fact.q_value) else None,
        "judged": None if stops is None else ("stops" if stops else "within the bound"),
    }


def _ends(name: str, one: Estimate) -> dict[str, float | None]:
    return {
        name: _number(one.value),
        f"{name}_low": _number(one.low),
        f"{name}_high": _number(one.high),
    }


def _number(value: float) -> float | None:
    # A minus in front of zero, or an end that has no bound, is nothing that a table can hold.
    return (
        None
        if isnan(value) or value in (float("inf"), float("-inf"))
        else round(value, DIGITS) + 0.0
    )


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return [f"{header[0]}: none"]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in (header, *rows)
    ]


def _limited(lines: list[str], top: int, where: str) -> list[str]:
    more = len(lines) - 1 - top
    return [*lines[: top + 1], f"… {more:,} more: {where}"] if more > 0 else lines
