"""Blocks that the pages of a measurement are built of: forests, bars, curves, tables, sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from jobs.measurement.pages.found import MEASURED
from jobs.measurement.pages.plots import Ends, Scale, Upright, is_drawn, mark, stacked, uprights
from jobs.measurement.pages.words import (
    Row,
    Unit,
    interval,
    listed,
    scaled,
    several,
    state_in_words,
    sureness,
)

Content = dict[str, Any]
Cells = Sequence[str]
TOP = 12  # of a long list; the file has the rest


def sentences(title: str, told: Iterable[str]) -> Content:
    """Sentences, one below the other."""
    return {"kind": "sentences", "title": title, "sentences": list(told)}


def table(
    title: str,
    head: Cells,
    rows: Sequence[Cells],
    *,
    file: str = "",
    note: str = "",
    text_columns: int = 1,
    total: int | None = None,
) -> Content:
    """A table; its first columns are texts, the others numbers.

    Args:
        title: What it tells.
        head: Names of the columns.
        rows: As they are shown.
        file: Where all of it lies.
        note: A sentence above it.
        text_columns: So many columns are texts.
        total: Rows that there are, if these are the most telling of them.
    """
    more = (total or len(rows)) - len(rows)
    return {
        "kind": "table",
        "title": title,
        "note": note,
        "head": list(head),
        "rows": [list(row) for row in rows],
        "texts": text_columns,
        "file": file,
        "more": more,
    }


def forest(
    title: str,
    rows: Sequence[Content],
    *,
    note: str = "",
    file: str = "",
    unit: str = "",
    even: float = 0.0,
) -> Content:
    """Points with intervals on one axis, a row each; rows without a mark say why.

    Args:
        title: What it tells.
        rows: As ``effect_row`` and ``plain_row`` make them.
        note: A sentence above it.
        file: Where the figures lie.
        unit: Of the axis.
        even: Where nothing is different: dashed.
    """
    told = [row for row in rows if row["ends"] is not None]
    drawn = [row for row in told if not row["is_sum"]]
    scale = Scale.of([row["ends"] for row in drawn], even)
    usual = median(max(map(abs, row["ends"])) for row in drawn or told) if told else None
    for row in told:
        # Below each other, numbers have the same digits.
        row["text"] = row["text"] or _in_words(row, usual)
    for row in drawn:
        row["mark"] = mark(row["ends"], scale, is_sure=row["is_sure"])
    return {
        "kind": "forest",
        "title": title,
        "note": note,
        "rows": told,
        "why": _why(row for row in rows if row["ends"] is None),
        "axis": scale.axis(),
        "even": scale.at(even),
        "unit": unit.strip(),
        "file": file,
        "is_cut": any(row["mark"]["is_cut_low"] or row["mark"]["is_cut_high"] for row in drawn),
    }


def _in_words(row: Content, usual: float | None) -> str:
    return interval(row["ends"], signed=row["is_signed"], usual=None if row["is_sum"] else usual)


def effect_row(
    label: str,
    row: Row,
    unit: Unit,
    *,
    of: str = "effect",
    is_strong: bool = False,
    is_sum: bool = False,
    href: str = "",
) -> Content:
    """What was caused, of one row of campaign_results.

    Args:
        label: What the row is about.
        row: Of campaign_results.
        unit: How the measure is told.
        of: ``effect`` (per client offered) or ``total``.
        is_strong: It stands for all others.
        is_sum: Of the others, and so much more than they that it is not drawn.
        href: Page with more of it, in the folder of the measurement.
    """
    factor = unit.factor if of == "effect" else 1.0
    values = scaled(row, of, factor)
    is_told = row["state"] == MEASURED and is_drawn(values)
    return {
        "label": label,
        "href": href,
        "ends": tuple(values) if is_told else None,
        "text": "",
        "sure": sureness(row, unit) if is_told else "",
        "is_sure": bool(row["is_sure"]),
        "arms": f"{row['treated']:,} offered, {row['control']:,} withheld",
        "why": state_in_words(row["state"]),
        "is_strong": is_strong or is_sum,
        "is_sum": is_sum,
        "is_signed": True,
        "mark": None,
    }


def plain_row(label: str, ends: Ends, text: str, *, is_sure: bool, arms: str = "") -> Content:
    """A figure with an interval that is no effect, drawn alike; an empty text is made of it."""
    return {
        "label": label,
        "href": "",
        "ends": ends if is_drawn(ends) else None,
        "text": text,
        "sure": "",
        "is_sure": is_sure,
        "arms": arms,
        "why": "too few to be told",
        "is_strong": False,
        "is_sum": False,
        "is_signed": False,
        "mark": None,
    }


def _why(rows: Iterable[Content]) -> list[str]:
    """What is not measured, by reason: all names of few, some of many."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["why"], []).append(row["label"])
    return [f"{_some(labels)} ({why})" for why, labels in found.items()]


def _some(labels: Sequence[str]) -> str:
    if len(labels) <= TOP:
        return listed(labels)
    return listed([*labels[: TOP - 1], f"{len(labels) - TOP + 1:,} more"])


def upright_plot(title: str, points: Sequence[Upright], unit: str, **more: Any) -> Content:  # noqa: ANN401 -- passed on
    """Points beside each other with upright intervals.

    Args:
        title: What it tells.
        points: From left to right.
        unit: Behind the numbers of the axis.
        more: ``note``, ``file``, ``foot`` (what the points are) and ``is_joined``.
    """
    is_joined = bool(more.pop("is_joined", False))
    content = {"kind": "uprights", "title": title, "note": "", "file": "", "foot": ""}
    return content | uprights(points, unit, is_joined=is_joined) | more


def bars(
    title: str,
    keys: Cells,
    rows: Sequence[tuple[str, Sequence[float], str]],
    *,
    note: str = "",
    file: str = "",
    total: int | None = None,
) -> Content:
    """Bars of one or two parts.

    Args:
        title: What it tells.
        keys: What the parts are called; one needs no name.
        rows: Label, parts, and what it says.
        note: A sentence above it.
        file: Where the figures lie.
        total: Rows that there are, if these are the most telling of them.
    """
    most = max((sum(values) for _, values, _ in rows), default=0.0)
    return {
        "kind": "bars",
        "title": title,
        "note": note,
        "keys": list(keys),
        "rows": [
            {"label": label, "parts": stacked(values, most), "text": text}
            for label, values, text in rows
        ],
        "file": file,
        "more": (total or len(rows)) - len(rows),
    }


def missing(what: str, why: str) -> Content:
    """What is not on the page, and why."""
    return sentences(what, [f"Not told: {why}."])


def by_chance(rows: Sequence[Row], what: tuple[str, str]) -> str:
    """How many parts of a cut would stand out by chance alone, how many do, and how many are sure.

    Args:
        rows: Parts of one cut; those measured count.
        what: Name of one part, and of several.
    """
    measured = [row for row in rows if row["state"] == MEASURED and row["p_value"] is not None]
    alone = sum(row["p_value"] < ALONE for row in measured)
    sure = sum(bool(row["is_sure"]) for row in measured)
    return (
        f"{several(len(measured), *what)}: about {ALONE * len(measured):.1f} would stand out by"
        f" chance alone; {alone:,} do, {sure:,} still when all are looked at together."
    )


ALONE = 0.05  # p-value below which a part looked at alone stands out
