"""What a compliance reviewer reads: whom campaigns bothered, what looks odd, what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.measurement.pages.blocks import (
    TOP,
    effect_row,
    forest,
    missing,
    sentences,
    table,
)
from jobs.measurement.pages.clients import client_blocks
from jobs.measurement.pages.found import ALL, HOLDOUT, MEASURED, Findings, rows_of
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    CUTS,
    MEASURES,
    listed,
    month_in_words,
    several,
    state_in_words,
    unit_of,
    value_in_words,
)
from measurement.offers import Campaign

Content = dict[str, Any]
FILE = "campaign_results.csv"
UNWANTED = ("opt_out", "complaint")
FEW = 3  # names that are told


def compliance_blocks(found: Findings, results: Results, campaign: str) -> list[Content]:
    """Objections and complaints caused, contacts, care, odd credit, and what is not known."""
    blocks = [_caused(found, results, campaign, measure) for measure in UNWANTED]
    if campaign == ALL:
        blocks += [*client_blocks(found), *_odd_credit(found)]
    return [*blocks, *_not_measured(found, results, campaign)]


def _caused(found: Findings, results: Results, campaign: str, measure: str) -> Content:
    """Objections or complaints that offers caused."""
    unit = unit_of(measure, found.currency)
    rows = []
    if campaign == ALL:
        for one in found.oldest_first:
            row = results.whole(measure, one.run_id)
            if row is not None:
                rows.append(effect_row(month_in_words(one.as_of), row, unit))
    whole = "all together" if campaign == ALL else "the campaign"
    for label, against in ((whole, None), ("against the holdout", HOLDOUT)):
        row = _whole(results, measure, campaign, against)
        if row is not None:
            rows.append(effect_row(label, row, unit, is_strong=True))
    cuts = () if campaign == ALL else ("channel",)
    for cut in cuts:
        rows += [
            effect_row(value_in_words(cut, row["value"], found.names), row, unit)
            for row in results.parts(cut, measure, campaign)
        ]
    return forest(
        f"Clients who {MEASURES[measure]}, caused by offers",
        rows,
        note="More (or fewer) of 1,000 clients offered, than of as many who were withheld.",
        file=f"{FILE}, measure {measure}",
        unit="of 1,000 clients",
    )


def _whole(
    results: Results, measure: str, campaign: str, against: str | None
) -> Mapping[str, Any] | None:
    if against is None:
        return results.whole(measure, campaign)
    return results.whole(measure, campaign, against) if campaign == ALL else None


def _odd_credit(found: Findings) -> Iterator[Content]:
    """Checks of credit, as sentences: a flag asks for a look."""
    rows = rows_of(found.credit, "credit_checks", ("is_flagged", "sentence", "q_value"))
    if found.credit is None:
        why = found.missing.get("credit", "it was not computed")
        yield missing("Credit that looks odd", why)
        return
    flagged = [row["sentence"] for row in rows if row["is_flagged"]]
    intro = (
        f"{several(len(rows), 'check')} made, {len(flagged):,} stand out by more than chance. A"
        " flag asks for a look; it says nothing about anybody's intent. All: credit_checks.csv."
    )
    if not rows:
        intro = "No branch, advisor or partner's desk has enough sales for a check of credit."
    yield sentences("Credit that looks odd", [intro, *flagged[:TOP]])


def _not_measured(found: Findings, results: Results, campaign: str) -> Iterator[Content]:
    """What could not be measured, and why."""
    runs = [one for one in found.oldest_first if campaign in (ALL, one.run_id)]
    rows = [row for one in runs for row in _states(found, results, one)]
    if rows:
        yield table(
            "What could not be measured, and why",
            ("Campaign", "What", "Why", "Parts"),
            rows[: 3 * TOP],
            note="Stated, not computed: no figure is made up where none can be had.",
            file=f"{FILE}, columns state and note",
            text_columns=4,
            total=len(rows),
        )
    else:
        told = "Everything that was asked could be measured." if runs else "There is no campaign."
        yield sentences("What could not be measured, and why", [told])


def _states(found: Findings, results: Results, one: Campaign) -> Iterator[tuple[str, ...]]:
    """Of a campaign: it as a whole if it is not measured, else its parts by cut and reason."""
    month = month_in_words(one.as_of)
    whole = results.whole("profit", one.run_id)
    if whole is not None and whole["state"] != MEASURED:
        yield month, "the campaign", state_in_words(whole["state"]), "all"
        return
    for cut, name in CUTS.items():
        why: dict[str, list[str]] = {}
        for row in results.parts(cut, "profit", one.run_id):
            if row["state"] != MEASURED:
                label = value_in_words(cut, row["value"], found.names)
                why.setdefault(row["state"], []).append(label)
        for state, labels in why.items():
            told = listed(labels) if len(labels) <= FEW else f"{len(labels):,}"
            yield month, name, state_in_words(state), told
