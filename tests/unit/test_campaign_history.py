"""The bank's own randomised history: what past campaigns offered and kept back, and what came."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from conf.load import load_config
from jobs.campaigns.history import past_campaigns, past_contacts
from jobs.runs import inputs
from jobs.steps import TRAIN
from tests.past_campaigns import KNOWN, publish_campaign, training_run

AS_OF = date(2024, 3, 1)
# The outcome window of December's campaign is 8 December to 7 February.
NOVEMBER, DECEMBER, JANUARY = date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1)
IN_WINDOW = date(2024, 1, 15)
CONFIG = load_config("local")
OFFERED = [
    {"customer_id": f"C{number}", "product_id": "credit_card", "propensity": number / 100}
    for number in range(1, 9)
]
KEPT_BACK = [
    {"customer_id": f"K{number}", "product_id": "mortgage", "outcome": "control"}
    for number in range(1, 3)
]


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    return folder


def contacts(tables, spark, opened=(), **changed):
    run = training_run(tables, spark, AS_OF, CONFIG, opened, **changed)
    with_tmp = tables / ".scratch" / run.run_id[:4]
    with_tmp.mkdir(parents=True)
    campaigns = past_campaigns(tables, AS_OF, CONFIG)
    rows = past_contacts(run, campaigns, with_tmp).to_pylist()
    return {row["customer_id"]: row for row in rows}


def test_offered_is_treated_and_the_campaigns_own_control_is_not(tables, spark) -> None:
    others = [
        {"customer_id": "X1", "product_id": "mortgage", "outcome": outcome}
        for outcome in ("outranked", "over_capacity", "suppressed", "ineligible")
    ]
    holdout = {"outcome": "control", "is_in_control_group": False, "is_in_global_holdout": True}
    withheld = {"customer_id": "G1", "product_id": "mortgage", **holdout}
    no_longer_sold = {"customer_id": "N1", "product_id": "gold_fund"}
    publish_campaign(tables, DECEMBER, [*OFFERED, *KEPT_BACK, *others, withheld, no_longer_sold])
    found = contacts(tables, spark)
    assert {who: row["is_treated"] for who, row in found.items()} == (
        {row["customer_id"]: True for row in OFFERED} | {"K1": False, "K2": False}
    )
    assert {row["cohort"] for row in found.values()} == {DECEMBER}
    assert found["C7"]["propensity"] == 0.07
    assert {row["chance"] for row in found.values()} == {0.8}


def test_bought_is_what_was_offered_in_the_outcome_window_after_the_gap(tables, spark) -> None:
    publish_campaign(tables, DECEMBER, [*OFFERED, *KEPT_BACK])
    opened = [
        ("C1", "credit_card", date(2023, 12, 7), KNOWN),  # in the gap
        ("C2", "credit_card", date(2023, 12, 8), KNOWN),
        ("C3", "credit_card", date(2024, 2, 7), KNOWN),
        ("C4", "credit_card", date(2024, 2, 8), KNOWN),  # too late
        ("C5", "mortgage", IN_WINDOW, KNOWN),  # something else
        ("K1", "mortgage", IN_WINDOW, KNOWN),
    ]
    found = contacts(tables, spark, opened)
    assert {who for who, row in found.items() if row["has_bought"]} == {"C2", "C3", "K1"}


def test_what_was_recorded_on_or_after_the_training_date_changes_nothing(tables, spark) -> None:
    publish_campaign(tables, DECEMBER, [*OFFERED, *KEPT_BACK])
    known = [("C1", "credit_card", IN_WINDOW, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC))]
    before = contacts(tables, spark, known)
    # Poison: purchases in the window that were recorded late, campaigns whose outcomes go on.
    late = [
        (row["customer_id"], row["product_id"], IN_WINDOW, datetime(2024, 3, 1, tzinfo=UTC))
        for row in (*OFFERED[1:], *KEPT_BACK)
    ]
    publish_campaign(tables, JANUARY, [{"customer_id": "P1", "product_id": "mortgage"}])
    publish_campaign(tables, AS_OF, [{"customer_id": "P2", "product_id": "mortgage"}])
    after = contacts(tables, spark, [*known, *late], run_id="late" * 16)
    assert after == before
    assert [who for who, row in after.items() if row["has_bought"]] == ["C1"]


def test_a_campaign_counts_if_it_kept_some_back_and_its_outcomes_are_known(tables) -> None:
    past = {
        date(2023, 2, 1): 0.2,  # more than a year ago
        date(2023, 3, 1): 0.2,
        NOVEMBER: 0.0,
        DECEMBER: 0.1,
        JANUARY: 0.1,  # outcomes until 7 March
    }
    for as_of, share in past.items():
        publish_campaign(tables, as_of, OFFERED, control_share=share)
    newer = publish_campaign(tables, DECEMBER, OFFERED[:4], control_share=0.3, run_id="2" * 64)
    found = past_campaigns(tables, AS_OF, CONFIG)
    assert [campaign.as_of for campaign in found] == [date(2023, 3, 1), DECEMBER]
    assert found[-1].run_id == newer
    off = load_config("local", ["models.uplift_history_months=0"])
    assert past_campaigns(tables, AS_OF, off) == []


def test_a_training_that_learns_from_other_campaigns_is_another_one(tables, monkeypatch) -> None:
    ingested = SimpleNamespace(step="ingest", run_id="i", pins={})
    monkeypatch.setattr(inputs, "_committed", lambda _context, _step: ingested)
    context = SimpleNamespace(home=SimpleNamespace(tables=tables), as_of=AS_OF, config=CONFIG)
    assert inputs.resolve(context, TRAIN).identity == {"ingest": "i"}
    one = publish_campaign(tables, NOVEMBER, OFFERED)
    publish_campaign(tables, JANUARY, OFFERED)
    expected = {"ingest": "i", "campaign 2023-11-01": one}
    assert inputs.resolve(context, TRAIN).identity == expected


def test_who_was_chosen_for_by_chance_is_offered_or_kept_back_like_all_others(
    tables, spark
) -> None:
    explored = {"is_exploration": True, "choice_probability": 0.125}
    rows = [row | explored for row in (*OFFERED[:4], KEPT_BACK[0])]
    publish_campaign(tables, DECEMBER, [*rows, *OFFERED[4:], KEPT_BACK[1]])
    found = contacts(tables, spark)
    assert [found[who]["is_treated"] for who in ("C1", "K1", "C8")] == [True, False, True]
    assert {row["chance"] for row in found.values()} == {0.8}


def test_each_campaign_has_its_own_chance(tables, spark) -> None:
    publish_campaign(tables, NOVEMBER, [*OFFERED[:4], *KEPT_BACK], control_share=0.4)
    publish_campaign(
        tables, DECEMBER, [{"customer_id": f"D{n}", "product_id": "mortgage"} for n in range(4)],
        control_share=0.1,
    )  # fmt: skip
    found = contacts(tables, spark)
    chances = {who: round(row["chance"], 9) for who, row in found.items()}
    assert chances == {
        **dict.fromkeys(("C1", "C2", "C3", "C4", "K1", "K2"), 0.6),
        **dict.fromkeys(("D0", "D1", "D2", "D3"), 0.9),
    }


def test_a_campaign_that_kept_back_another_share_than_drawn_is_left_out(
    tables, spark, caplog
) -> None:
    many = [{"customer_id": f"C{number}", "product_id": "mortgage"} for number in range(200)]
    publish_campaign(tables, NOVEMBER, [*OFFERED, *KEPT_BACK])
    publish_campaign(tables, DECEMBER, many)
    with caplog.at_level(logging.WARNING):
        found = contacts(tables, spark)
    assert {row["cohort"] for row in found.values()} == {NOVEMBER}
    assert "campaign 2023-12-01 is left out of the uplift history: 0 of 200" in caplog.text
