"""Branches and advisors: what their offers earned, whose sales they were; never a ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.measurement.pages.blocks import (
    TOP,
    bars,
    by_chance,
    effect_row,
    forest,
    missing,
    sentences,
    table,
    upright_plot,
)
from jobs.measurement.pages.found import MEASURED, Findings
from jobs.measurement.pages.plots import Upright
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    DASH,
    PERCENT,
    Row,
    cut_in_words,
    effect_in_words,
    listed,
    number,
    percent,
    scaled,
    several,
    state_in_words,
    sureness,
    unit_of,
    value_in_words,
)

Content = dict[str, Any]
FILE = "campaign_results.csv"


def units_of_sale(found: Findings, results: Results, campaign: str, cut: str) -> Iterator[Content]:
    """Branches or advisors by name, and where they are many, all of them in a row of dots."""
    rows = [row for row in results.parts(cut, "profit", campaign) if row["value"] != "none"]
    measured = sorted(
        (row for row in rows if row["state"] == MEASURED),
        key=lambda row: (-row["effect"], row["value"]),
    )
    title = f"Profit per client offered, by {cut}"
    if rows and not measured:
        yield missing(title, listed(sorted({state_in_words(row["state"]) for row in rows})))
    if not measured:
        return
    is_long = len(measured) > TOP
    if is_long:
        yield _dots(found, cut, measured)
    others = [row for row in rows if row["state"] != MEASURED]
    plural = cut_in_words(cut)[1]
    yield forest(
        f"{plural.capitalize()} at either end" if is_long else title,
        [_effect(found, cut, row) for row in (*_most_telling(measured), *others)],
        note="" if is_long else _warning(found, cut, measured),
        file=f"{FILE}, cut {cut}, measure profit",
        unit=found.currency,
    )


def _effect(found: Findings, cut: str, row: Row) -> Content:
    label = value_in_words(cut, row["value"], found.names)
    return effect_row(label, row, unit_of("profit", found.currency))


def _dots(found: Findings, cut: str, measured: Sequence[Row]) -> Content:
    many = several(len(measured), *cut_in_words(cut))
    return upright_plot(
        f"Profit per client offered, by {cut}",
        [_dot(found, cut, row) for row in measured],
        "",
        note=_warning(found, cut, measured),
        foot=f"{many}, most profit first; {found.currency} per client offered",
        file=f"{FILE}, cut {cut}, measure profit",
    )


def _warning(found: Findings, cut: str, measured: Sequence[Row]) -> str:
    return (
        f"{by_chance(measured, cut_in_words(cut))} Of those, about"
        f" {100 * found.max_false_share:g}{PERCENT} may be chance. Where intervals overlap the"
        " order is mostly chance: this is no ranking."
    )


def _dot(found: Findings, cut: str, row: Row) -> Upright:
    value, low, high = (float(end or 0.0) for end in scaled(row, "effect", 1))
    name = value_in_words(cut, row["value"], found.names)
    unit = unit_of("profit", found.currency)
    title = f"{name}: {effect_in_words(row, unit)}, {sureness(row, unit)}"
    return Upright("", (value, low, high), bool(row["is_sure"]), title)


def _most_telling(ordered: Sequence[Row]) -> list[Row]:
    """Half from the top and half from the bottom."""
    if len(ordered) <= TOP:
        return list(ordered)
    return [*ordered[: TOP // 2], *ordered[-(TOP // 2) :]]


def credit_blocks(found: Findings) -> Iterator[Content]:
    """Goals and assists: by branch as bars, by advisor as a table."""
    part = found.credit
    if part is None:
        yield missing("Whose sales they were", found.missing.get("credit", "it was not computed"))
        return
    yield sentences("Whose sales they were", part.headlines)
    rows = part.tables["credit"].to_pylist() if "credit" in part.tables else []
    for level, title in (
        ("branch", "Goals and assists by branch"),
        ("partner", "By partner's desk"),
    ):
        own = [row for row in rows if row["level"] == level]
        if any(map(_has_part, own)):
            yield _goals(found, title, own)
    advisors = [row for row in rows if row["level"] == "advisor" and _has_part(row)]
    if advisors:
        yield _advisors(found, advisors)


def _has_part(row: Mapping[str, Any]) -> bool:
    """In any sale."""
    return bool(row["goals"] or row["assists"])


def _goals(found: Findings, title: str, rows: Sequence[Mapping[str, Any]]) -> Content:
    shown = sorted(rows, key=lambda row: (-(row["goals"] + row["assists"]), row["name"]))
    return bars(
        title,
        ("goals: sales closed", "assists: sales referred"),
        [
            (
                found.names.get(row["name"]) or row["name"],
                (row["goals"], row["assists"]),
                f"{row['goals']:,.1f} + {row['assists']:,.1f}",
            )
            for row in shown[:TOP]
            if _has_part(row)
        ],
        note="A sale that one referred and another closed is shared by the bank's rule.",
        file="credit.csv",
        total=sum(map(_has_part, rows)),
    )


def _advisors(found: Findings, rows: Sequence[Mapping[str, Any]]) -> Content:
    shown = sorted(rows, key=lambda row: (-(row["goals"] + row["assists"]), row["name"]))[:TOP]
    head = ("Advisor", "Branch", "Offers", "Contacted", "Goals", "Assists", found.currency)
    return table(
        "Goals and assists by advisor",
        head,
        [
            (
                row["name"],
                row["branch_id"] or DASH,
                f"{row['offers']:,}",
                percent(row["share_contacted"]),
                f"{row['goals']:,.1f}",
                f"{row['assists']:,.1f}",
                number(float(row["goal_revenue"] + row["assist_revenue"])),
            )
            for row in shown
        ],
        note="Sales after a contact, by whom they are credited to; revenue of these parts.",
        file="credit.csv",
        text_columns=2,
        total=len(rows),
    )
