"""What a data scientist reads: whether models are still right, and what the arms could show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from jobs.measure_blocks import TOP, forest, missing, plain_row, sentences, table
from jobs.measure_design import design_blocks
from jobs.measure_found import ALL, Measured, rows_of
from jobs.measure_plots import is_drawn, reliability, timeline
from jobs.measure_rows import Results
from jobs.measure_words import (
    DASH,
    month_in_words,
    number,
    several,
    state_in_words,
    value_in_words,
)

Content = dict[str, Any]
Found = Sequence[Mapping[str, Any]]
RULES: Mapping[str, str] = {
    "calibration": "buyers against expected",
    "lift": "order of clients",
    "score_drift": "scores moved",
    "feature_drift": "feature moved",
    "late_labels": "purchases known late",
}
# The gravest first.
VERDICTS = ("retrain", "watch", "nothing to do", "cannot be told")
TONES = {"retrain": "bad", "watch": "warn", "nothing to do": "good"}


def scientist_blocks(found: Measured, results: Results, campaign: str) -> list[Content]:
    """Verdicts on models with their diagrams, drift and alarms; then what arms could show."""
    if campaign == ALL:
        return [*_models(found), *design_blocks(found, results)]
    cohort = next(one.as_of for one in found.campaigns if one.run_id == campaign)
    return [*_of_cohort(found, cohort), *design_blocks(found, results, campaign)]


def _models(found: Measured) -> Iterator[Content]:
    if found.models is None:
        why = found.missing.get("models", "it was not computed")
        yield missing("Are the models still right?", why)
        return
    verdicts = rows_of(found.models, "model_verdicts", ("product_id", "verdict", "reasons"))
    if verdicts:
        yield _verdicts(found, verdicts)
    else:
        yield sentences("Are the models still right?", found.models.headlines)
    yield from _diagrams(found, None)
    yield from _outcomes(found, None)
    yield from _alarms(found)
    yield from _drift(found)


def _of_cohort(found: Measured, cohort: date) -> Iterator[Content]:
    """Of one campaign the scores that it was made from."""
    blocks = [*_diagrams(found, cohort), *_outcomes(found, cohort)]
    if not blocks:
        why = found.missing.get("models", "the scores of this month cannot be judged yet")
        yield missing("Were this month's scores right?", why)
    yield from blocks


def _verdicts(found: Measured, rows: Found) -> Content:
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


def _newest(rows: Found, cohort: date | None) -> dict[str, list[Mapping[str, Any]]]:
    """By product the rows of its newest cohort, or of one cohort."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if cohort in (None, row["cohort"]):
            known = found.get(row["product_id"], [])
            if not known or row["cohort"] > known[0]["cohort"]:
                found[row["product_id"]] = [row]
            elif row["cohort"] == known[0]["cohort"]:
                known.append(row)
    return dict(sorted(found.items()))


def _diagrams(found: Measured, cohort: date | None) -> Iterator[Content]:
    needed = ("product_id", "cohort", "expected", "observed", "observed_low", "observed_high")
    by_product = _newest(rows_of(found.models, "reliability", needed), cohort)
    drawn = [_diagram(found, name, rows) for name, rows in by_product.items()]
    if drawn:
        yield {
            "kind": "reliability",
            "title": "Expected against bought",
            "note": (
                "Clients in tenths by propensity. On the diagonal as many bought as expected; above"
                " it more, below it fewer. Both axes are square roots."
            ),
            "plots": drawn,
            "file": "reliability.csv",
        }


def _diagram(found: Measured, name: str, rows: Found) -> Content:
    bins = [
        (row["expected"], (row["observed"], row["observed_low"], row["observed_high"]))
        for row in rows
        if is_drawn([row["expected"], row["observed"], row["observed_low"], row["observed_high"]])
    ]
    label = value_in_words("product", name, found.names)
    return {
        "label": label,
        "month": month_in_words(rows[0]["cohort"]),
        "title": f"{label}: propensity expected against share that bought, {len(bins)} groups",
        **reliability(bins),
    }


def _outcomes(found: Measured, cohort: date | None) -> Iterator[Content]:
    """Buyers ÷ expected buyers of each product's newest month."""
    needed = ("product_id", "cohort", "state", "ratio", "ratio_low", "ratio_high", "buyers")
    by_product = _newest(rows_of(found.models, "model_outcomes", needed), cohort)
    if by_product:
        rows = [_outcome(found, name, rows[0]) for name, rows in by_product.items()]
        yield forest(
            "Buyers for each one that was expected",
            rows,
            note="1: as many as the model expected. Who was offered the product is left out.",
            file="model_outcomes.csv",
        )


def _outcome(found: Measured, name: str, row: Mapping[str, Any]) -> Content:
    ends = tuple(_or_nan(row[f"ratio{end}"]) for end in ("", "_low", "_high"))
    is_off = is_drawn(ends) and not ends[1] <= 1 <= ends[2]
    label = value_in_words("product", name, found.names)
    drawn = plain_row(
        f"{label}, {month_in_words(row['cohort'])}",
        (ends[0], ends[1], ends[2]),
        f"{ends[0]:.2f} [{ends[1]:.2f}, {ends[2]:.2f}]",
        is_sure=is_off,
        arms=several(row["buyers"], "buyer"),
    )
    return drawn | {"sure": "surely off" if is_off else "", "why": state_in_words(row["state"])}


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _alarms(found: Measured) -> Iterator[Content]:
    needed = ("rule", "product_id", "feature", "is_alarm", "months_out", "since")
    rows = rows_of(found.models, "alarms", needed)
    if not rows:
        if found.models is not None:
            yield sentences("Alarms", ["No rule was out of bounds in any of the months it counts."])
        return
    months = sorted({month for row in rows for month in row["months_out"].split()} | _months(found))
    ordered = sorted(rows, key=lambda row: (not row["is_alarm"], row["product_id"], row["rule"]))
    yield {
        "kind": "timeline",
        "title": "Months out of bounds",
        "note": (
            "Filled: out of bounds, its whole interval. It is an alarm when that was so in as many"
            " of the last months as the bank's rule asks for."
        ),
        "rows": [
            {
                "label": _rule_in_words(found, row),
                "months": timeline(months, row["months_out"].split()),
                "text": "alarm" if row["is_alarm"] else "no alarm yet",
                "is_alarm": row["is_alarm"],
                "title": f"out of bounds in {row['months_out'].replace(' ', ', ')}",
            }
            for row in ordered[:TOP]
        ],
        "months": [f"{month[:7]}" for month in months],
        "file": "alarms.csv",
        "more": len(rows) - len(ordered[:TOP]),
    }


def _months(found: Measured) -> set[str]:
    named = (
        row["cohort"]
        for table_ in ("model_outcomes", "score_drift", "feature_drift")
        for row in rows_of(found.models, table_, ("cohort",))
    )
    return {str(month) for month in named}


def _rule_in_words(found: Measured, row: Mapping[str, Any]) -> str:
    product = row["product_id"]
    who = "all products" if product == ALL else value_in_words("product", product, found.names)
    rule = RULES.get(row["rule"], row["rule"].replace("_", " "))
    return f"{who}: {rule}" + (f" ({row['feature']})" if row["feature"] else "")


def _drift(found: Measured) -> Iterator[Content]:
    """What moved most since the training, of what models read."""
    rows = rows_of(found.models, "feature_drift", ("cohort", "feature", "psi", "change"))
    if rows:
        newest = max(row["cohort"] for row in rows)
        ours = [row for row in rows if row["cohort"] == newest]
        moved = sorted(ours, key=lambda row: (-(row["psi"] or 0), row["feature"]))
        yield table(
            f"Features that moved most, {month_in_words(newest)}",
            ("Feature", "What moved", "PSI", "95 %", "Relied on"),
            [_moved(found, row) for row in moved[:TOP]],
            note=(
                "PSI: how far clients' values are from those of the training; 0 is not at all, from"
                " about 0.25 it is usual to ask why. Relied on: largest share of a model's gain."
            ),
            file="feature_drift.csv",
            text_columns=2,
            total=len(ours),
        )
    rows = rows_of(found.models, "score_drift", ("product_id", "cohort", "psi", "mean"))
    if rows:
        yield _score_drift(found, [group[0] for group in _newest(rows, None).values()])


def _moved(found: Measured, row: Mapping[str, Any]) -> tuple[str, ...]:
    gain = row.get("largest_gain")
    product = value_in_words("product", row.get("of_product") or "", found.names)
    return (
        row["feature"],
        row["change"] or DASH,
        _two(row["psi"]),
        _ends(row, "psi"),
        f"{100 * gain:.0f} % of {product}" if gain else DASH,
    )


def _score_drift(found: Measured, rows: Found) -> Content:
    return table(
        "Scores beside those of the test cohort",
        ("Product", "PSI", "95 %", "Mean", "Then"),
        [
            (
                value_in_words("product", row["product_id"], found.names),
                _two(row["psi"]),
                _ends(row, "psi"),
                _percent(row["mean"]),
                _percent(row.get("mean_at_test")),
            )
            for row in rows
        ],
        note="Newest month of each product.",
        file="score_drift.csv",
    )


def _two(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def _ends(row: Mapping[str, Any], name: str) -> str:
    return f"{_two(row.get(f'{name}_low'))} to {_two(row.get(f'{name}_high'))}"


def _percent(share: float | None) -> str:
    return number(None if share is None else 100 * share, " %")
