"""What a campaign manager reads: what campaigns earned, and what to offer more or less of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobs.measurement.pages.blocks import (
    TOP,
    by_chance,
    effect_row,
    forest,
    sentences,
)
from jobs.measurement.pages.found import ALL, MEASURED, Findings
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.sales import credit_blocks, units_of_sale
from jobs.measurement.pages.words import (
    CUTS,
    MEASURES,
    Row,
    cut_in_words,
    listed,
    money,
    month_in_words,
    number,
    several,
    state_in_words,
    unit_of,
    value_in_words,
)
from measurement.offers import Campaign

Content = dict[str, Any]
FILE = "campaign_results.csv"
CHOSEN_CUTS = (
    "product",
    "move",
    "channel",
    "business_line",
    "partner",
    "lever",
    "segment",
    "combination",
    "exploration",
)
UNITS_OF_SALE = ("branch", "advisor")
SHIFTED = ("profit", "other_profit", "later_profit", "total_profit")


def manager_blocks(found: Findings, results: Results, campaign: str) -> list[Content]:
    """Profit by campaign, by part of it, what it took from other sales, and credit."""
    is_month = campaign == ALL
    first = _by_campaign(found, results) if is_month else _measures(found, results, campaign)
    return [
        first,
        _advice(found, results, campaign),
        *_cuts(found, results, campaign),
        _shifted(found, results, campaign),
        *(block for cut in UNITS_OF_SALE for block in units_of_sale(found, results, campaign, cut)),
        *(credit_blocks(found) if is_month else ()),
    ]


def campaign_page_name(campaigns: Sequence[Campaign], one: Campaign) -> str:
    """Name of a campaign's page; of two on one day the run tells them apart."""
    same_day = [other for other in campaigns if other.as_of == one.as_of]
    return f"campaign-{one.as_of}" + (f"-{one.run_id[:12]}" if len(same_day) > 1 else "") + ".html"


def _by_campaign(found: Findings, results: Results) -> Content:
    unit = unit_of("profit", found.currency)
    rows = []
    for one in found.oldest_first:
        row = results.whole("profit", one.run_id)
        if row is not None:
            page = campaign_page_name(found.campaigns, one)
            label = month_in_words(one.as_of)
            rows.append(effect_row(label, row, unit, of="total", href=page))
    of_all = results.whole("profit")
    if of_all is not None:
        rows.append(effect_row("all together", of_all, unit, of="total", is_sum=True))
    return forest(
        "Profit caused by each campaign",
        rows,
        note="In all, after contacts and levers, against clients withheld by chance.",
        file=f"{FILE}, cut all, measure profit",
        unit=found.currency,
    )


def _measures(found: Findings, results: Results, campaign: str) -> Content:
    """Revenue, cost and profit of one campaign."""
    rows = []
    for measure in ("revenue", "cost", "profit"):
        row = results.whole(measure, campaign)
        if row is not None:
            unit = unit_of(measure, found.currency)
            rows.append(
                effect_row(MEASURES[measure], row, unit, of="total", is_strong=measure == "profit")
            )
    return forest(
        "What the campaign caused",
        rows,
        note="In all, against clients withheld by chance.",
        file=f"{FILE}, cut all",
        unit=found.currency,
    )


def _advice(found: Findings, results: Results, campaign: str) -> Content:
    """What surely earns and what surely loses, by each cut that is a choice of the bank's."""
    told, is_known = [], False
    for cut in ("product", "combination", "move", "channel", "lever", "segment"):
        rows = [row for row in results.parts(cut, "profit", campaign) if row["state"] == MEASURED]
        is_known = is_known or bool(rows)
        for title, parts in (("Surely earns", _sure(rows, 1)), ("Surely loses", _sure(rows, -1))):
            if parts:
                names = [_each_earns(found, cut, row) for row in parts[:TOP]]
                told.append(f"{title}, by {CUTS[cut]}: {listed(names)}.")
    note = "Money per client offered. A part that is not named is not sure, not worthless."
    if not told:
        note = "" if is_known else "Nothing of it could be measured."
        told = ["Of no product, move, channel, lever or segment is it sure that it earns or loses."]
    return sentences("What to offer more of, and what less", filter(None, [*told, note]))


def _sure(rows: Sequence[Row], sign: int) -> list[Row]:
    chosen = [row for row in rows if row["is_sure"] and row["effect"] * sign > 0]
    return sorted(chosen, key=lambda row: (-sign * row["effect"], row["value"]))


def _each_earns(found: Findings, cut: str, row: Row) -> str:
    each = number(row["effect"], money(found.currency), signed=True)
    return f"{value_in_words(cut, row['value'], found.names)} ({each})"


def _cuts(found: Findings, results: Results, campaign: str) -> Iterator[Content]:
    """A forest of every cut of which a part is measured; the others are named together."""
    left: dict[str, list[str]] = {}
    for cut in CHOSEN_CUTS:
        rows = results.parts(cut, "profit", campaign)
        if len(rows) <= 1:  # the whole once more
            continue
        if any(row["state"] == MEASURED for row in rows):
            yield _cut(found, cut, rows)
        else:
            why = listed(sorted({state_in_words(row["state"]) for row in rows}))
            left.setdefault(why, []).append(CUTS[cut])
    if left:
        told = [f"By {listed(cuts)}: {why}." for why, cuts in left.items()]
        yield sentences("Parts of it that are not measured", told)


def _cut(found: Findings, cut: str, rows: Sequence[Row]) -> Content:
    """The most telling parts of a cut: those that are sure, then those with most at stake."""
    unit = unit_of("profit", found.currency)
    measured = sorted(
        (row for row in rows if row["state"] == MEASURED),
        key=lambda row: (not row["is_sure"], -abs(row["total"]), row["value"]),
    )
    shown = sorted(measured[:TOP], key=lambda row: (-row["effect"], row["value"]))
    others = [row for row in rows if row["state"] != MEASURED]
    labelled = [
        effect_row(value_in_words(cut, row["value"], found.names), row, unit)
        for row in (*shown, *others)
    ]
    more = len(measured) - len(shown)
    rest = f" {several(more, 'more part')} measured: see the file." if more else ""
    note = f"{by_chance(rows, cut_in_words(cut))}{rest}"
    return forest(
        f"Profit per client offered, by {CUTS[cut]}",
        labelled,
        note=note if len(measured) > 1 else "",
        file=f"{FILE}, cut {cut}, measure profit",
        unit=found.currency,
    )


def _shifted(found: Findings, results: Results, campaign: str) -> Content:
    """Did a sale only take the place of another product's, or of one next month?"""
    unit = unit_of("profit", found.currency)
    words = dict(MEASURES) | {"profit": "what was offered", "total_profit": "everything together"}
    rows = [
        effect_row(words[name], row, unit, of="total", is_strong=name == "total_profit")
        for name in SHIFTED
        if (row := results.whole(name, campaign)) is not None
    ]
    return forest(
        "Did sales only move?",
        rows,
        note=(
            "Profit caused in all. Below zero for other products: what was offered took their"
            " place. Below zero for later: it was only bought sooner. An interval that holds zero"
            " can say neither. What was bought later, and so everything together, is known only of"
            " campaigns that are as old as that."
        ),
        file=f"{FILE}, cut all, measures {listed(SHIFTED)}",
        unit=found.currency,
    )
