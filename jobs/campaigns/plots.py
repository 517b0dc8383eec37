"""What the plots of a campaign's page show; where there are more plans, the first and the last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from campaigns.fatigue import CLIENTS_30D
from campaigns.funnel import AFTER_GATES, GLOBAL_HOLDOUT
from jobs.campaigns.tables import ALL_PRODUCTS, LEFT_OFFERS, Row, Section, or_more, shown
from tables.reason_codes import Outcome

Content = dict[str, Any]
LEFT_BY = {
    str(Outcome.OUTRANKED): "not outranked",
    str(Outcome.OVER_CAPACITY): "within capacity, quotas, budget",
    GLOBAL_HOLDOUT: "not in the global holdout",
    str(Outcome.CONTROL): "offered, not in the control group",
}
NO_OFFERS = {"offers": 0}
BEFORE_AFTER = ("before", "with these offers")


def plots(
    names: Sequence[str], figures: Sequence[Content], found: Mapping[str, Section]
) -> Content:
    """Bars, columns and whiskers as plain numbers.

    Args:
        names: Of the plans.
        figures: Of the plans.
        found: Sections of all plans by their titles.
    """
    drawn = [0, len(names) - 1] if len(names) > 1 else [0]
    keys, last = [names[place] for place in drawn], figures[-1]
    of_last = f": {keys[-1]}" if len(keys) > 1 else ""
    left = [_drawn(row, drawn) for row in found[LEFT_OFFERS].rows]
    gates, after = left[: -len(AFTER_GATES)], left[-len(AFTER_GATES) :]
    chosen = [("pass every gate", gates[-1][1])]
    chosen += [
        (LEFT_BY[step], values) for step, (_, values) in zip(AFTER_GATES, after, strict=True)
    ]
    products = found[ALL_PRODUCTS].rows if ALL_PRODUCTS in found else ()
    spread = last["contacts"]["spreads"][CLIENTS_30D]
    contacts = zip(spread["before"], spread["after"], strict=True)
    return {
        "bars": [
            _bars("Offers left after each gate", keys, gates),
            _bars("From the gates to the list", keys, chosen),
            _bars("Offers by product", keys, [_drawn(row, drawn) for row in products]),
            _bars(
                f"Clients by contacts in 30 days{of_last}",
                BEFORE_AFTER,
                [(or_more(number), pair) for number, pair in enumerate(contacts)],
            ),
        ],
        "columns": _columns(keys, [figures[place] for place in drawn]),
        "groups": {
            "rows": last["groups"],
            "most": max((one["high"] for one in last["groups"]), default=0) or 1,
            "title": f"Share of clients offered, by protected group{of_last}",
        },
    }


def _drawn(row: Row, places: Sequence[int]) -> tuple[str, tuple[float, ...]]:
    return row.label, tuple(row.values[place] or 0 for place in places)


def _bars(title: str, keys: Sequence[str], rows: Iterable[tuple[str, Sequence[float]]]) -> Content:
    told = list(rows)
    most = max((value for _, values in told for value in values), default=0) or 1
    return {
        "title": title,
        "keys": list(keys),
        "rows": [
            {
                "label": label,
                "shares": [value / most for value in values],
                "text": " · ".join(dict.fromkeys(shown(value, "whole") for value in values)),
            }
            for label, values in told
        ],
    }


def _columns(keys: Sequence[str], plans: Sequence[Content]) -> Content:
    """Offers of each branch beside what it has room for, the fullest lists first."""
    by_name = [{one["name"]: one for one in plan["branches"]} for plan in plans]
    ordered = sorted(by_name[-1].values(), key=lambda one: (-one["offers"], one["name"]))
    rows = [
        {
            "name": one["name"],
            "capacity": one["capacity"],
            "offers": [
                plan[one["name"]]["offers"] if one["name"] in plan else 0 for plan in by_name
            ],
        }
        for one in ordered
    ]
    most = max((max(row["capacity"], *row["offers"]) for row in rows), default=0) or 1
    # A capacity that nobody comes near would leave no room for what there is.
    tallest = max((offers for row in rows for offers in row["offers"]), default=0) or 1
    return {"keys": list(keys), "rows": rows, "most": min(most, 2 * tallest)}
