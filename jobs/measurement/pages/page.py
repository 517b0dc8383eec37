"""Pages of a measurement: one per month for all campaigns, and one for each of them.

Each is made for three readers, with a section to jump to. A page needs no script and no network,
names no client, and every figure on it lies in a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs.measurement.pages.answer import figures
from jobs.measurement.pages.compliance import compliance_blocks
from jobs.measurement.pages.found import ALL, MEASURED, Findings
from jobs.measurement.pages.manager import campaign_page_name, manager_blocks
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.scientist import scientist_blocks
from jobs.measurement.pages.words import listed, month_in_words, several, state_in_words
from jobs.reports import page_text
from measurement.offers import Campaign
from tables.files import make_folder, write_file

Content = dict[str, Any]
TEMPLATE, PAGE = "measurement.html.j2", ".html"
# What lies beside the pages, as a person would ask for it.
FILES: Mapping[str, str] = {
    "campaign_results": "what campaigns caused, by every cut and measure",
    "credit": "goals and assists by branch, advisor and partner's desk",
    "credit_checks": "checks of credit, flagged or not",
    "contacts_per_client": "clients by contacts they had",
    "reactions": "refusals, objections and complaints",
    "fatigue": "answers by contacts shortly before",
    "contact_policy": "contacts that the contact policy does not allow, by branch",
    "care": "clients in care, and on care lists",
    "client_value": "what clients had of it",
    "model_outcomes": "scores held against purchases, by product and month",
    "reliability": "expected against bought, by tenth of propensity",
    "late_labels": "purchases that became known late",
    "score_drift": "scores beside those of the test cohort",
    "feature_drift": "features beside those of the training",
    "alarms": "rules that were out of bounds",
    "model_verdicts": "whether to train models anew, and why",
    "withheld": "profit forgone with clients who were withheld",
    "randomisation": "whether chance alone withheld clients",
}


def write_measurement(folder: Path, found: Findings) -> dict[str, Path]:
    """Write the page of the month, beside a folder with one for each campaign.

    Args:
        folder: That folder; tables are thought to lie in it, by name.
        found: What was measured.

    Returns:
        Paths by what they are: ``Measurement`` and ``Campaign <as-of date>``.
    """
    results = Results(found.results)
    month = make_folder(folder).with_suffix(PAGE)
    pages = {"Measurement": (month, month_content(found, results, folder.name))}
    for one in found.oldest_first:
        name = campaign_page_name(found.campaigns, one)
        title = name.removesuffix(".html").replace("campaign-", "Campaign ")
        content = campaign_content(found, results, one, f"../{month.name}")
        pages[title] = (folder / name, content)
    for path, content in pages.values():
        write_file(path, page_text(content, TEMPLATE).encode())
    return {title: path for title, (path, _) in pages.items()}


def month_content(found: Findings, results: Results, folder: str) -> Content:
    """The page of all campaigns as plain values; the others lie in a folder beside it."""
    return {
        "title": f"What campaigns caused, as known before {found.as_of}",
        "lead": _lead(found, results),
        "not_known": _not_known(found, results),
        "back": "",
        "folder": f"{folder}/",
        "pages": [
            {
                "href": f"{folder}/{campaign_page_name(found.campaigns, one)}",
                "text": month_in_words(one.as_of),
            }
            for one in found.oldest_first
        ],
        "files": list(_files(found)),
        **_sections(found, results, ALL),
    }


def campaign_content(found: Findings, results: Results, campaign: Campaign, back: str) -> Content:
    """The page of one campaign as plain values."""
    row = results.whole("profit", campaign.run_id)
    state = "no_outcome" if row is None else row["state"]
    if state == MEASURED:
        lead = (
            f"{campaign.control_share:.0%} of those who made the cut were withheld by chance: what"
            " they did anyway is taken off, so that the rest was caused by the campaign."
        )
    else:
        lead = f"Not measured: {state_in_words(state)}. What it caused is not known."
    made_by = f"{campaign.campaign_id}, made by run {campaign.run_id[:12]}."
    return {
        "title": f"What the campaign of {campaign.as_of} caused",
        "lead": [
            f"{made_by} Purchases from {campaign.opens} count, up to those before {campaign.ends}.",
            lead,
        ],
        "not_known": "",
        "back": back,
        "folder": "",
        "pages": [],
        "files": [],
        **_sections(found, results, campaign.run_id),
    }


def _sections(found: Findings, results: Results, campaign: str) -> Content:
    return {
        "as_of": str(found.as_of),
        "run_id": found.run_id,
        "figures": figures(found, results, campaign),
        "sections": [
            {
                "id": "manager",
                "reader": "For the campaign manager",
                "asks": "What did it earn, and what to offer more or less of?",
                "blocks": manager_blocks(found, results, campaign),
            },
            {
                "id": "science",
                "reader": "For the data scientist",
                "asks": "Are the models still right, and what could the arms show?",
                "blocks": scientist_blocks(found, results, campaign),
            },
            {
                "id": "compliance",
                "reader": "For the compliance reviewer",
                "asks": "Whom did it bother, what looks odd, and what is not known?",
                "blocks": compliance_blocks(found, results, campaign),
            },
        ],
    }


def _lead(found: Findings, results: Results) -> list[str]:
    """How many campaigns it is about, and of how many something can be said."""
    campaigns = found.oldest_first
    if not campaigns:
        return [
            "No campaign was made in the months looked at: there is no effect to measure. Whether"
            " the models are still right is told all the same."
        ]
    known = sum(_is_measured(results.whole("profit", one.run_id)) for one in campaigns)
    first, last = month_in_words(campaigns[0].as_of), month_in_words(campaigns[-1].as_of)
    when = f"of {first}" if first == last else f"from {first} to {last}"
    told = f"{several(len(campaigns), 'campaign')} {when}; {known or 'none'} could be measured."
    return [told]


def _not_known(found: Findings, results: Results) -> str:
    """Campaigns that could not be measured, by reason."""
    why: dict[str, list[str]] = {}
    for one in found.oldest_first:
        row = results.whole("profit", one.run_id)
        if not _is_measured(row):
            state = state_in_words(row["state"]) if row else "nothing was computed"
            why.setdefault(state, []).append(month_in_words(one.as_of))
    told = [f"{listed(months)} ({state})" for state, months in why.items()]
    return f"Not measured: {'; '.join(told)}." if told else ""


def _is_measured(row: Mapping[str, Any] | None) -> bool:
    return row is not None and row["state"] == MEASURED


def _files(found: Findings) -> Iterator[Content]:
    """Every table beside the pages, with its rows."""
    for name, rows in found.tables.items():
        yield {
            "name": name,
            "what": FILES.get(name, name.replace("_", " ")),
            "rows": f"{rows.num_rows:,}",
        }
