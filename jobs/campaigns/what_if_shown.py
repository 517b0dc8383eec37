"""How plans that were tried are shown: lines on a terminal, a page, a table of branches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from campaigns.csv_file import write_csv
from campaigns.what_if import setting_of, swept
from conf.schema import RunConfig
from jobs.campaigns.figures import Content
from jobs.campaigns.page import campaign_content
from jobs.campaigns.tables import (
    Cells,
    Row,
    Section,
    cells,
    remarks,
    sections,
)
from jobs.reports import page_text
from tables.files import make_folder, write_file

MORE = "Clients of each step, every branch and product, contacts and plots: --out page.html"
TEMPLATE = "what_if.html.j2"


@dataclass(frozen=True)
class Tried:
    """What came of a plan.

    Attributes:
        name: What stands over its column.
        config: What it was planned with.
        figures: As the report of a campaign has them.
        at: The swept setting's value, if one is swept.
    """

    name: str
    config: RunConfig
    figures: Content
    at: Decimal | None = None


def what_if_lines(tried: Sequence[Tried], texts: Sequence[str], as_of: date) -> list[str]:
    """Every section of figures, a column per plan, and a difference where there are two."""
    names = [one.name for one in tried]
    lines = [f"What if, {as_of}. Nothing was published.", *_changes(tried, texts)]
    result, *others = sections([one.figures for one in tried])
    brief = [section for section in others if not section.is_detail]
    found = [result, *_marginal_profit(tried, texts), *brief]
    tables = [cells(section, names) for section in found]
    widths = [max(map(len, column)) for column in zip(*(r for t in tables for r in t), strict=True)]
    for table in tables:
        lines += ["", *(_line(row, widths) for row in table)]
    for one in tried:
        lines += ["", one.name, *(f"  {text}" for text in remarks(one.figures))]
    return [*lines, "", MORE]


def write_what_if(
    page: Path, tried: Sequence[Tried], texts: Sequence[str], as_of: date
) -> Mapping[str, Path]:
    """Write a page, its figures as JSON, and a table of branches; each is named by what it is."""
    make_folder(page.parent.resolve())
    names, figures = [one.name for one in tried], [one.figures for one in tried]
    content = {
        "as_of": str(as_of),
        "campaign": campaign_content(names, figures, _marginal_profit(tried, texts)),
        "changes": _changes(tried, texts),
        "sweep": _sweep(tried, texts),
    }
    data, branches = page.with_suffix(".json"), page.with_name(f"{page.stem}-branches.csv")
    write_file(data, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    write_file(page, page_text(content, TEMPLATE).encode())
    write_csv(branches, pa.Table.from_pylist(list(_branch_rows(tried))))
    return {"Page": page, "Figures": data, "Branches": branches}


def _changes(tried: Sequence[Tried], texts: Sequence[str]) -> list[str]:
    """Each setting that differs: what it is, and what was tried."""
    first, *others = tried
    return [
        f"{text.partition('=')[0]}: {setting_of(first.config, text)} → "
        + ", ".join(dict.fromkeys(setting_of(one.config, text) for one in others))
        for text in texts
    ]


def _marginal_profit(tried: Sequence[Tried], texts: Sequence[str]) -> list[Section]:
    setting = swept(texts)
    return [] if setting is None else [Section("Marginal profit", (_marginal(tried, setting),))]


def _marginal(tried: Sequence[Tried], setting: str) -> Row:
    """What one more of the swept setting earns, from one value to the next."""
    earned: list[float | None] = [None]
    points = [(one.at, one.figures["expected_profit"]) for one in tried[1:]]
    for (low, less), (high, more) in pairwise(points):
        earned.append((more - less) / float((high or 0) - (low or 0)))
    return Row(f"one more of {setting} earns", "money", (None, *earned))


def _sweep(tried: Sequence[Tried], texts: Sequence[str]) -> Content | None:
    """Profit and bound against the swept setting, for the plot."""
    setting = swept(texts)
    if setting is None:
        return None
    return {
        "setting": setting,
        "points": [
            {"at": float(one.at or 0), "name": one.name} | _profits(one.figures)
            for one in tried[1:]
        ],
        "current": tried[0].figures["expected_profit"],
        "of_current": tried[0].name,
    }


def _profits(figures: Content) -> Content:
    return {name: figures[name] for name in ("expected_profit", "upper_bound")}


def _branch_rows(tried: Sequence[Tried]) -> Iterator[Content]:
    for one in tried:
        for branch in one.figures["branches"]:
            yield {"plan": one.name, "branch_id": branch["name"]} | {
                name: branch[name] for name in ("capacity", "offers", "clients", "profit")
            }


def _line(row: Cells, widths: Sequence[int]) -> str:
    first, *others = row
    numbers = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
    return "  ".join([first.ljust(widths[0]), *numbers]).rstrip()
