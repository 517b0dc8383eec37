"""Figures of several plans side by side."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.campaigns.page import campaign_content
from jobs.campaigns.tables import Unit, cells, sections, shown
from jobs.reports import page_text
from tests.pages import Text


def figures(offers: int, gate: int = 4) -> dict[str, Any]:
    """A campaign of 100 offers of which a gate stops some."""

    def count(number: int) -> dict[str, int]:
        return {"offers": number, "clients": number}

    names = ("outranked", "over_capacity", "global_holdout", "control")
    steps = [("start", 0, 100)]
    steps += [("consent.no_consent", gate, 100 - gate)] if gate else []
    steps += [(name, 0, 100 - gate) for name in names[:-1]]
    steps += [("control", 100 - gate - offers, offers)]
    return {
        "expected_profit": 10.0 * offers, "upper_bound": 10.0 * offers, "gap": 0.0,
        "dearest_limits": ["one more contact at branch <B> earns 1.00"], "minima_not_met": [],
        "clients": 100, "offers": offers, "clients_offered": offers,
        "funnel": [
            {"name": name, "stops": count(stops), "left": count(left),
             "alone": count(stops) if "." in name else None}
            for name, stops, left in steps
        ],
        "branches": [{"name": "B1", "offers": offers, "clients": offers, "profit": 1.0,
                      "capacity": 60}],
        "volume": {"branches": 1, "least": offers, "median": offers, "most": offers, "full": 0},
        "products": [{"name": "card", "offers": offers, "clients": offers, "profit": 1.0}],
        "channels": [], "segments": [], "regions": [],
        "levers": [{"name": "fee", "expected": 9.0 * offers, "over": 0.0,
                    "sentence": "lever fee costs <some> as expected"}],
        "contacts": {
            "spreads": {"clients_30d": {"before": [100, 0, 0, 0, 0, 0],
                                        "after": [100 - offers, offers, 0, 0, 0, 0]}},
            "at_caps": {"client": {"cap": 1, "days": 30, "before": 0, "after": offers, "of": 100}},
        },
        "groups": [{"attribute": "age_band", "group": "0–24", "clients": 50, "offered": 5,
                    "rate": 0.1, "low": 0.05, "high": 0.2}],
        "detectable": [{"name": "campaign", "offered": offers, "control": 9, "uplift": None,
                        "sentence": "no uplift can be seen"}],
    }  # fmt: skip


def test_two_plans_have_a_difference() -> None:
    found = {section.title: section for section in sections([figures(40), figures(30)])}
    rows = {row[0]: row[1:] for row in cells(found["Result"], ["current", "what-if"])}
    assert rows["Result"] == ("current", "what-if", "difference")
    assert rows["offers"] == ("40", "30", "-10")
    assert rows["expected profit"] == ("400.00", "300.00", "-100.00")
    assert rows["clients in the control group"] == ("9", "9", "0")
    assert rows["uplift that can be seen, points"] == ("–", "–", "–")
    assert "Offers by channel" not in found, "nothing to tell"
    over = cells(found["Chance that a lever costs more than its budget"], ["a", "b"])
    assert over[1:] == [("fee", "0.0 %", "0.0 %", "0.0 %")], "that it cannot is told as well"
    dear = cells(found["Cost of levers, as expected"], ["a", "b"])
    assert dear[1:] == [("fee", "360.00", "270.00", "-90.00")]
    caps = cells(found["At a cap of the contact policy afterwards"], ["a", "b"])
    assert caps[1:] == [("clients, 30 days", "40.0 %", "30.0 %", "-10.0 %")]


def test_a_gate_that_stops_nothing_of_one_plan_leaves_what_was_left_before() -> None:
    found = {section.title: section for section in sections([figures(40), figures(40, gate=0)])}
    left = {row.label: row.values for row in found["Offers left after each step"].rows}
    assert left["consent: no consent"] == (96, 100)
    alone = {row.label: row.values for row in found["Offers that the step alone stops"].rows}
    assert alone == {"consent: no consent": (4, 0)}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234, "whole", "+1,234"), (-0.00001, "share", "0.0 %"), (0, "money", "0.00"),
        (-0.012, "points", "-1.2"), (0.5, "share", "+50.0 %"), (None, "gap", "–"),
    ],
)  # fmt: skip
def test_a_difference_has_a_sign_unless_it_is_none(
    value: float | None, unit: Unit, text: str
) -> None:
    assert shown(value, unit, "+") == text


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_page_shows_every_plan_and_fetches_nothing(count: int) -> None:
    names = [f"plan {number}" for number in range(count)]
    content = {
        "as_of": "2024-03-01",
        "changes": ["campaign.branch_capacity: 60 → 40"],
        "sweep": None,
        "campaign": campaign_content(names, [figures(40 - number) for number in range(count)]),
    }
    page = Text(page_text(content, "what_if.html.j2"))
    assert page.fetched == []
    for phrase in ("branch_capacity: 60 → 40", "age band 0–24", *names):
        assert phrase in page.shown
    # A campaign's own page tells both beside its choice.
    assert ("branch <B> earns" in page.shown) == (count > 1)
    assert ("lever fee costs <some> as expected" in page.shown) == (count > 1)
    assert ("no uplift can be seen." in page.shown) == (count > 1)
