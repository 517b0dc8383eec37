"""What a data scientist reads: whether models are still right, and what the arms could show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from jobs.measurement.pages.blocks import missing, sentences
from jobs.measurement.pages.design import design_blocks
from jobs.measurement.pages.found import ALL, Findings, rows_of
from jobs.measurement.pages.models import alarms, diagrams, drift, outcomes
from jobs.measurement.pages.rows import Results
from jobs.measurement.pages.words import (
    value_in_words,
)

Content = dict[str, Any]
Found = Sequence[Mapping[str, Any]]
# The gravest first.
VERDICTS = ("retrain", "watch", "nothing to do", "cannot be told")
TONES = {"retrain": "bad", "watch": "warn", "nothing to do": "good"}


def scientist_blocks(found: Findings, results: Results, campaign: str) -> list[Content]:
    """Verdicts on models with their diagrams, drift and alarms; then what arms could show."""
    if campaign == ALL:
        return [*_models(found), *design_blocks(found, results)]
    cohort = next(one.as_of for one in found.campaigns if one.run_id == campaign)
    return [*_of_cohort(found, cohort), *design_blocks(found, results, campaign)]


def _models(found: Findings) -> Iterator[Content]:
    if found.models is None:
        why = found.missing.get("models", "it was not computed")
        yield missing("Are the models still right?", why)
        return
    verdicts = rows_of(found.models, "model_verdicts", ("product_id", "verdict", "reasons"))
    if verdicts:
        yield _verdicts(found, verdicts)
    else:
        yield sentences("Are the models still right?", found.models.headlines)
    yield from diagrams(found)
    yield from outcomes(found)
    yield from alarms(found)
    yield from drift(found)


def _of_cohort(found: Findings, cohort: date) -> Iterator[Content]:
    """Of one campaign the scores that it was made from."""
    blocks = [*diagrams(found, cohort), *outcomes(found, cohort)]
    if not blocks:
        why = found.missing.get("models", "the scores of this month cannot be judged yet")
        yield missing("Were this month's scores right?", why)
    yield from blocks


def _verdicts(found: Findings, rows: Found) -> Content:
    """One line per product; the one of all above them."""
    of_all = [row for row in rows if row["product_id"] == ALL]
    others = sorted(
        (row for row in rows if row["product_id"] != ALL),
        key=lambda row: (_gravity(row["verdict"]), row["product_id"]),
    )
    told = [f"{_capital(row['verdict'])}. {row['reasons']}".strip() for row in of_all]
    notes = found.models.headlines if found.models else ()
    told += [line for line in notes if not any(_is_about(line, row) for row in rows)]
    return {
        "kind": "verdicts",
        "title": "Are the models still right?",
        "sentences": told,
        "rows": [
            {
                "product": value_in_words("product", row["product_id"], found.names),
                "verdict": row["verdict"],
                "tone": TONES.get(row["verdict"], "unsure"),
                "reasons": row["reasons"] or "Within bounds.",
            }
            for row in others
        ],
        "file": "model_verdicts.csv",
    }


def _is_about(line: str, row: Mapping[str, Any]) -> bool:
    return line.startswith(f"{row['product_id']}: ")


def _gravity(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
