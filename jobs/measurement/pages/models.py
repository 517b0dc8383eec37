"""Models held against what was bought: diagrams, ratios, drift and months out of bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from jobs.measurement.pages.blocks import TOP, forest, plain_row, sentences, table
from jobs.measurement.pages.found import ALL, Findings, rows_of
from jobs.measurement.pages.plots import is_drawn, reliability, timeline
from jobs.measurement.pages.words import (
    DASH,
    PERCENT,
    month_in_words,
    percent,
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
NOT_JUDGED = {"too_few": "too few bought it, and too few were expected to"}


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


def diagrams(found: Findings, cohort: date | None = None) -> Iterator[Content]:
    """Expected against bought: a diagram of each product's newest cohort, or of one cohort."""
    needed = ("product_id", "cohort", "expected", "observed", "observed_low", "observed_high")
    by_product = _newest(rows_of(found.models, "reliability", needed), cohort)
    months = {rows[0]["cohort"] for rows in by_product.values()}
    drawn = [
        _diagram(found, name, rows, with_month=len(months) > 1) for name, rows in by_product.items()
    ]
    if drawn:
        yield {
            "kind": "reliability",
            "title": f"Expected against bought{_only(months)}",
            "note": (
                "Clients in tenths by propensity. On the diagonal as many bought as expected; above"
                " it more, below it fewer. Both axes are square roots."
            ),
            "plots": drawn,
            "file": "reliability.csv",
        }


def _diagram(found: Findings, name: str, rows: Found, *, with_month: bool) -> Content:
    bins = [
        (row["expected"], (row["observed"], row["observed_low"], row["observed_high"]))
        for row in rows
        if is_drawn([row["expected"], row["observed"], row["observed_low"], row["observed_high"]])
    ]
    label = value_in_words("product", name, found.names)
    return {
        "label": label,
        "month": month_in_words(rows[0]["cohort"]) if with_month else "",
        "title": f"{label}: propensity expected against share that bought, {len(bins)} groups",
        **reliability(bins),
    }


def outcomes(found: Findings, cohort: date | None = None) -> Iterator[Content]:
    """Buyers ÷ expected buyers of each product's newest cohort, or of one cohort."""
    needed = ("product_id", "cohort", "state", "ratio", "ratio_low", "ratio_high", "buyers")
    by_product = _newest(rows_of(found.models, "model_outcomes", needed), cohort)
    if by_product:
        newest = [rows[0] for rows in by_product.values()]
        months = {row["cohort"] for row in newest}
        rows = [_outcome(found, row, with_month=len(months) > 1) for row in newest]
        yield forest(
            f"Buyers for each one that was expected{_only(months)}",
            sorted(rows, key=lambda row: not row["is_sure"]),
            note=(
                "Dashed: as many as the model expected. Who was offered the product is left out, so"
                " that what the offer added is not held against the model. It counts for an alarm"
                " only beyond the bank's bound."
            ),
            file="model_outcomes.csv",
            even=1.0,
        )


def _only(months: set[date]) -> str:
    """The month, if all figures are of one."""
    return f", {month_in_words(next(iter(months)))}" if len(months) == 1 else ""


def _outcome(found: Findings, row: Mapping[str, Any], *, with_month: bool) -> Content:
    ends = tuple(_or_nan(row[f"ratio{end}"]) for end in ("", "_low", "_high"))
    is_off = is_drawn(ends) and not ends[1] <= 1 <= ends[2]
    label = value_in_words("product", row["product_id"], found.names)
    drawn = plain_row(
        f"{label}, {month_in_words(row['cohort'])}" if with_month else label,
        (ends[0], ends[1], ends[2]),
        f"{ends[0]:.2f} [{ends[1]:.2f}, {ends[2]:.2f}]",
        is_sure=is_off,
        arms=several(row["buyers"], "buyer"),
    )
    why = NOT_JUDGED.get(row["state"], state_in_words(row["state"]))
    sure = ("surely more" if ends[1] > 1 else "surely fewer") if is_off else ""
    return drawn | {"sure": sure, "why": why}


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def alarms(found: Findings) -> Iterator[Content]:
    """Months in which a rule was out of bounds, and whether that is an alarm."""
    needed = ("rule", "product_id", "feature", "is_alarm", "months_out", "since")
    rows = rows_of(found.models, "alarms", needed)
    if not rows:
        if found.models is not None and "alarms" in found.models.tables:
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


def _months(found: Findings) -> set[str]:
    named = (
        row["cohort"]
        for table_ in ("model_outcomes", "score_drift", "feature_drift")
        for row in rows_of(found.models, table_, ("cohort",))
    )
    return {str(month) for month in named}


def _rule_in_words(found: Findings, row: Mapping[str, Any]) -> str:
    product = row["product_id"]
    who = "all products" if product == ALL else value_in_words("product", product, found.names)
    rule = RULES.get(row["rule"], row["rule"].replace("_", " "))
    return f"{who}: {rule}" + (f" ({row['feature']})" if row["feature"] else "")


def drift(found: Findings) -> Iterator[Content]:
    """What moved most since the training, of what models read."""
    rows = rows_of(found.models, "feature_drift", ("cohort", "feature", "psi", "change"))
    if rows:
        newest = max(row["cohort"] for row in rows)
        ours = [row for row in rows if row["cohort"] == newest]
        moved = sorted(ours, key=lambda row: (-(row["psi"] or 0), row["feature"]))
        yield table(
            f"Features that moved most, {month_in_words(newest)}",
            ("Feature", "What moved", "PSI", f"95{PERCENT}", "Relied on"),
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


def _moved(found: Findings, row: Mapping[str, Any]) -> tuple[str, ...]:
    gain = row.get("largest_gain")
    product = value_in_words("product", row.get("of_product") or "", found.names)
    return (
        row["feature"],
        row["change"] or DASH,
        _two(row["psi"]),
        _ends(row, "psi"),
        f"{percent(gain)} of {product}" if gain else DASH,
    )


def _score_drift(found: Findings, rows: Found) -> Content:
    return table(
        "Scores beside those of the test cohort",
        ("Product", "PSI", f"95{PERCENT}", "Mean", "Then"),
        [
            (
                value_in_words("product", row["product_id"], found.names),
                _two(row["psi"]),
                _ends(row, "psi"),
                percent(row["mean"]),
                percent(row.get("mean_at_test")),
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
