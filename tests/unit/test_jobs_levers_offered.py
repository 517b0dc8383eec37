"""Which levers past lists offered, and for how long that keeps them from being offered again."""

from __future__ import annotations

from datetime import date

import pytest

from conf.load import load_config
from jobs.campaigns.levers_offered import campaigns_with_levers, levers_offered
from tests.past_campaigns import publish_campaign, training_run

AS_OF = date(2024, 3, 1)
# A lever cools off for 31 days: lists of 31 January count, those of 30 January no longer.
CONFIG = load_config("local", ["levers.market_evening.once_in_days=31"])
EVENING = {"product_id": "investment_fund", "lever_code": "market_evening"}


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    return folder


def test_campaigns_count_as_long_as_a_lever_cools_off(tables) -> None:
    days = (date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1), AS_OF, date(2024, 4, 1))
    for day in days:
        publish_campaign(tables, day, [{"customer_id": "C1", **EVENING}])
    found = campaigns_with_levers(tables, AS_OF, CONFIG)
    assert [campaign.as_of for campaign in found] == [date(2024, 1, 31), date(2024, 2, 1)]
    newer = publish_campaign(tables, date(2024, 2, 1), [], run_id="2" * 64)
    _, standing = campaigns_with_levers(tables, AS_OF, CONFIG)
    assert standing.run_id == newer
    off = load_config("local", ["levers.market_evening.once_in_days=0"])
    assert campaigns_with_levers(tables, AS_OF, off) == []


def test_only_levers_that_were_on_a_list_were_offered(tables, spark) -> None:
    rows = [
        {"customer_id": "C1", **EVENING},
        {"customer_id": "C2", **EVENING, "outcome": "control"},
        {"customer_id": "C3", **EVENING, "outcome": "over_capacity"},
        {"customer_id": "C4", "product_id": "mortgage"},
    ]
    publish_campaign(tables, date(2024, 2, 1), rows)
    run = training_run(tables, spark, AS_OF, CONFIG, [])
    found = [tuple(row) for row in levers_offered(run).collect()]
    assert found == [("C1", "market_evening", date(2024, 2, 1))]
